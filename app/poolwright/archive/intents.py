"""The intent log of the output tree: the folder of each order, and the filings that are in progress.

The folder ``filing`` has the intents in progress, written before the first folder is moved; ``filed`` has the completed
ones. The log is only an index: the owner of a folder is named by its manifest, so a lost log loses no order.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from poolwright.domain.ids import TaskId
from poolwright.files.disk import DRAFT_SUFFIX, make_private_folder, replace_private_file

#: Behind the name of an entry that could not be read.
BROKEN_SUFFIX = ".broken"


class Intent(BaseModel):
    """The folder of one order, or the folder that it is being moved to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_id: TaskId
    #: Below the output folder, with forward slashes.
    folder: str
    #: Earlier folders of the order, which are removed once it is in ``folder``.
    older: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read the entry in a file; ``None`` if it is missing or damaged."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):
            return None


class IntentLog:
    """The entries of one output folder. One writer."""

    def __init__(self, root: Path) -> None:
        """Keep entries below ``root``, which only its owner may enter."""
        self._filing = root / "filing"
        self._filed = root / "filed"

    @property
    def directories(self) -> tuple[Path, Path]:
        """The folders of all entries."""
        return self._filing, self._filed

    def find(self, task_id: TaskId) -> Intent | None:
        """Return the pending or committed entry of an order; ``None`` if there is none."""
        return self.pending(task_id) or Intent.read(self._filed / _entry_name(task_id))

    def folders(self, task_id: TaskId) -> tuple[str, ...]:
        """Return every folder that the order has, or is about to have, the last one first."""
        intent = self.find(task_id)
        return (intent.folder, *intent.older) if intent is not None else ()

    def pending(self, task_id: TaskId) -> Intent | None:
        """Return the pending entry of an order; ``None`` if no filing of it is in progress."""
        return Intent.read(self._filing / _entry_name(task_id))

    def all_pending(self) -> list[Intent]:
        """Return every pending entry: after a crash, those of the interrupted filings."""
        return [intent for path in sorted(self._filing.glob("*.json")) if (intent := Intent.read(path)) is not None]

    def remove_drafts(self) -> None:
        """Remove entries that a crash left half written: their filings had not begun."""
        for path in self._filing.glob(f"*{DRAFT_SUFFIX}"):
            path.unlink()

    def put_damaged_aside(self) -> list[Path]:
        """Rename the pending entries that cannot be read, so that they are kept and told once; return their paths."""
        damaged = [path for path in sorted(self._filing.glob("*.json")) if Intent.read(path) is None]
        return [path.replace(path.with_name(path.name + BROKEN_SUFFIX)) for path in damaged]

    def begin(self, intent: Intent) -> None:
        """Record a filing before its first step."""
        make_private_folder(self._filing)
        replace_private_file(
            self._filing / _entry_name(intent.task_id),
            f"{intent.model_dump_json(indent=2)}\n".encode(),
            is_sole_writer=True,
        )

    def commit(self, task_id: TaskId) -> None:
        """Mark a filing as done: its entry replaces the previous one."""
        make_private_folder(self._filed)
        (self._filing / _entry_name(task_id)).replace(self._filed / _entry_name(task_id))

    def roll_back(self, task_id: TaskId) -> None:
        """Discard a pending entry, so that the previous entry counts again."""
        (self._filing / _entry_name(task_id)).unlink(missing_ok=True)


def task_key(task_id: TaskId) -> str:
    """Return a short file name that is unique to the task."""
    return hashlib.sha256(task_id.encode()).hexdigest()[:40]


def _entry_name(task_id: TaskId) -> str:
    return f"{task_key(task_id)}.json"
