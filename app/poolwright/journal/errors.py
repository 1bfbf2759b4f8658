"""Errors of the journal, one class for each decision of the caller.

Those that are a ``TemporarilyUnavailableError`` may pass: the same call may be repeated later.
"""

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
    """The journal could not be read or written; no change was written in part. Base of the errors of this package."""


class JournalBusyError(JournalError):
    """Another program has the lock of this journal. Nothing was changed."""

    def __init__(self, path: Path, pid: int | None) -> None:
        """Name the process in the message, if the lock file has its pid."""
        holder = "Another Poolwright" if pid is None else f"Another Poolwright (pid {pid})"
        super().__init__(f"{holder} is using this journal ({path}); wait for it or choose another --out.")
        self.pid = pid


class JournalVersionError(JournalError):
    """The journal was written by a newer Poolwright. The file is unchanged."""

    def __init__(self, path: Path, evidence: str) -> None:
        """Name the evidence, as the predicate of a sentence about the journal."""
        super().__init__(
            f"The journal {path} {evidence}; use the newer Poolwright that wrote it, or choose another --out."
        )


class JournalAccountError(JournalError, OptionsError):
    """The orders of this portal in the journal belong to another account. Nothing was changed."""

    def __init__(self, path: Path, owner: str, account: Account) -> None:
        """Name the account of the orders and the account of this run."""
        super().__init__(
            f"The journal {path} holds orders of {owner}, but this run is for {account}, where the same number may be "
            f"another order. Choose another --out for this run; or, if both are the same account, moved or renamed, "
            f"run `poolwright journal adopt` once."
        )


class JournalDamagedError(JournalError):
    """The file is not a journal, or is damaged. It is unchanged."""

    def __init__(self, path: Path, problem: str) -> None:
        """Name the problem of the file."""
        super().__init__(
            f"The journal {path} cannot be used: {problem}. Restore a backup of it, or move it away and run again."
        )


class JournalFullError(JournalError, DiskFullError):
    """The disk has no space for the change. The call may be repeated when it has."""

    def __init__(self, path: Path) -> None:
        """Name the journal whose disk is full."""
        super().__init__(f"The disk is full, so the journal {path} cannot be written; free some space on that disk.")


class JournalLockedError(JournalError, LockedError):
    """Another program, of any kind, has a transaction open. The call may be repeated when that has ended."""

    def __init__(self, path: Path) -> None:
        """Name the locked file."""
        super().__init__(f"Another program has locked the journal {path}; close the file there and start again.")


class JournalUnwritableError(JournalError):
    """The journal cannot be created or written at its path."""

    def __init__(self, path: Path, problem: str, step: str = "") -> None:
        """Name the cause, and the next step if it is known."""
        steps = f"{step} Or choose" if step else "Choose"
        super().__init__(f"The journal {path} cannot be written: {problem}. {steps} a writable folder with --out.")


class JournalForbiddenError(JournalUnwritableError, StorageForbiddenError):
    """The journal may not be written: its folder belongs to another user, or is read-only. The call may be repeated."""


class JournalAwayError(JournalError, StorageAwayError):
    """The disk of the journal does not answer, or answers with errors. The call may be repeated when it works again."""

    def __init__(self, path: Path, problem: str) -> None:
        """Name the problem of the disk."""
        super().__init__(f"The journal {path} cannot be reached: {problem}. Reconnect its disk or network share.")


class JournalGoneError(JournalError, StorageAwayError):
    """The journal was removed or replaced while it was open. Nothing is written to it any more.

    The call may be repeated: a folder that was moved may be moved back.
    """

    def __init__(self, path: Path) -> None:
        """Name the journal, and what follows from a new start."""
        super().__init__(
            f"The journal {path} was removed or replaced while it was in use. Put its folder back to continue; or "
            f"stop and start again: a new journal is created, and orders that only the old one has are fetched again."
        )


class UnknownTaskError(JournalError):
    """The task was never accepted. Always a defect of the program."""

    def __init__(self, task_id: TaskId) -> None:
        """Keep the id of the task."""
        super().__init__(f"The journal has no task {task_id}.")
        self.task_id = task_id
