"""The intent log of the output tree: which folder each order has, and which move is under way.

Two drawers: ``filing`` holds what is under way, written before the first folder moves; ``filed`` holds what is done.
The ledger only remembers where to look. Whose a folder is, its manifest alone says: without a ledger nothing is lost.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from poolwright.domain.ids import TaskId
from poolwright.files.disk import DRAFT_SUFFIX, make_private_folder, replace_private_text


class Intent(BaseModel):
    """The folder of one order, or the folder that it is being moved to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    task_id: TaskId
    #: Below the output folder, with forward slashes.
    folder: str
    #: Folders that the order had before and that must go once it is in ``folder``.
    older: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self | None:
        """Read the entry in a file; None if it is missing or damaged."""
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
        """The pending or committed entry of an order; None if there is none."""
        return self.pending(task_id) or Intent.read(self._filed / _entry_name(task_id))

    def folders(self, task_id: TaskId) -> tuple[str, ...]:
        """Every folder that the order has, or is about to have, the last one first."""
        known = self.find(task_id)
        return (known.folder, *known.older) if known is not None else ()

    def pending(self, task_id: TaskId) -> Intent | None:
        """The pending entry of an order; None if no filing of it is under way."""
        return Intent.read(self._filing / _entry_name(task_id))

    def all_pending(self) -> list[Intent]:
        """Every filing that is under way: after a crash, those that were cut off."""
        return [place for path in sorted(self._filing.glob("*.json")) if (place := Intent.read(path)) is not None]

    def remove_drafts(self) -> None:
        """Remove entries that a crash left half written: their filings had not begun."""
        for path in self._filing.glob(f"*{DRAFT_SUFFIX}"):
            path.unlink()

    def begin(self, place: Intent) -> None:
        """Write down a filing before its first step."""
        make_private_folder(self._filing)
        replace_private_text(self._filing / _entry_name(place.task_id), place.model_dump_json(indent=2) + "\n")

    def commit(self, task_id: TaskId) -> None:
        """Mark a filing as done: its entry replaces the previous one."""
        make_private_folder(self._filed)
        (self._filing / _entry_name(task_id)).replace(self._filed / _entry_name(task_id))

    def roll_back(self, task_id: TaskId) -> None:
        """Discard a pending entry, so that the previous entry counts again."""
        (self._filing / _entry_name(task_id)).unlink(missing_ok=True)


def task_key(task_id: TaskId) -> str:
    """A short file name that is the task's alone."""
    return hashlib.sha256(task_id.encode()).hexdigest()[:40]


def _entry_name(task_id: TaskId) -> str:
    return f"{task_key(task_id)}.json"
