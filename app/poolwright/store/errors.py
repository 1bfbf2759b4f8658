"""What can go wrong with the journal, one class for each decision that a caller may take."""

from __future__ import annotations

from pathlib import Path

from poolwright.domain.account import Account
from poolwright.domain.errors import (
    DiskFullError,
    LockedError,
    OptionsError,
    PoolError,
    StorageAwayError,
    StorageForbiddenError,
)
from poolwright.domain.ids import TaskId


class JournalError(PoolError):
    """The journal could not be read or written. Root of this room; nothing was half-written."""


class JournalBusyError(JournalError):
    """Another program has this journal. Nothing was touched."""

    def __init__(self, path: Path, pid: int | None) -> None:
        """Keep who has it, as far as the lock file tells."""
        who = "Another Poolwright" if pid is None else f"Another Poolwright (pid {pid})"
        super().__init__(f"{who} is using this journal ({path}); wait for it or choose another --out.")
        self.pid = pid


class JournalVersionError(JournalError):
    """The journal was written by a newer Poolwright. The file is left as it is."""

    def __init__(self, path: Path, sign: str) -> None:
        """Tell what shows it, as a verb and what follows."""
        super().__init__(f"The journal {path} {sign}; use the newer Poolwright that wrote it, or choose another --out.")


class JournalAccountError(JournalError, OptionsError):
    """The orders of this portal in the journal are another account's. Nothing was changed."""

    def __init__(self, path: Path, whose: str, account: Account) -> None:
        """Tell whose they are and who asks."""
        super().__init__(
            f"The journal {path} holds orders of {whose}; requested are those of {account}, where the same numbers may "
            f"be other orders. Choose another --out for these; or, where both are the same account, moved or renamed, "
            f"say so once with `poolwright journal adopt`."
        )


class JournalDamagedError(JournalError):
    """The file is no journal, or not a whole one. It is left as it is."""

    def __init__(self, path: Path, problem: str) -> None:
        """Tell what is wrong with the file."""
        super().__init__(
            f"The journal {path} cannot be used: {problem}. Restore a backup of it, or move it away and run again."
        )


class JournalFullError(JournalError, DiskFullError):
    """No room for the change. It may be asked for again once there is."""

    def __init__(self, path: Path) -> None:
        """Tell where room is missing."""
        super().__init__(f"The disk is full, so the journal {path} cannot be written; free some space on that disk.")


class JournalLockedError(JournalError, LockedError):
    """Another program, of any kind, is in the middle of a change of its own. It may be asked for again after that."""

    def __init__(self, path: Path) -> None:
        """Tell which file is locked."""
        super().__init__(f"Another program keeps the journal {path} locked; close it there and start again.")


class JournalUnwritableError(JournalError):
    """The journal cannot be made or written where it should be."""

    def __init__(self, path: Path, problem: str, step: str = "") -> None:
        """Tell why it cannot, and what to do where that is known."""
        ways = f"{step} Or choose" if step else "Choose"
        super().__init__(f"The journal {path} cannot be written: {problem}. {ways} a writable folder with --out.")


class JournalForbiddenError(JournalUnwritableError, StorageForbiddenError):
    """We may not write the journal: its folder is another one's, or read-only. It may be asked for again after that."""


class JournalAwayError(JournalError, StorageAwayError):
    """The disk of the journal does not answer, or answers with errors. It may be asked for again when it is back."""

    def __init__(self, path: Path, problem: str) -> None:
        """Tell what shows it."""
        super().__init__(f"The journal {path} cannot be reached: {problem}. Bring its disk or share back.")


class JournalGoneError(JournalError, StorageAwayError):
    """The journal was removed, or another file put in its place, while it was open. Nothing is written to it now.

    It may be asked for again: whoever moved it away may bring it back.
    """

    def __init__(self, path: Path) -> None:
        """Tell which, and what of it is left."""
        super().__init__(
            f"The journal {path} was removed or replaced while it was in use. Put its folder back to go on; "
            f"or stop and start again: a new journal is made, and orders that it cannot know of are fetched anew."
        )


class UnknownTaskError(JournalError):
    """Asked about a task that was never accepted. Always a defect of the program."""

    def __init__(self, task_id: TaskId) -> None:
        """Keep which one."""
        super().__init__(f"The journal knows no task {task_id}.")
        self.task_id = task_id
