"""Stores the evidence of each order's attempts in private folders.

The folder ``evidence/<number> <task>/attempt-N`` has the number for people, and a part of the task's key because two
tasks can have the same number. A reopened order begins with attempt 1 again: the evidence of its earlier runs stays,
and the later one is ``attempt-N run-2`` and so on. A list may run every day, so only the last runs are kept. Folders of
earlier versions, ``<number>/attempt-N``, are only read, if an order has no others.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from poolwright.archive.intents import task_key
from poolwright.domain.tasks import POTask, TaskRecord
from poolwright.files.disk import PRIVATE_FILE_MODE, PRIVATE_FOLDER_MODE, make_private_folder
from poolwright.files.names import safe_folder

#: Folder of all evidence, within the private folder.
EVIDENCE_NAME = "evidence"
#: Letters of a task's key: enough to distinguish tasks with the same number.
_KEY_LENGTH = 12
#: Runs of one order whose evidence is kept.
RUNS_MAX = 10
_RUN = re.compile(r"attempt-(?P<attempt>\d+)(?: run-(?P<run>\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """The evidence of one run of an order, from its last attempt."""

    #: Counts up within one order.
    number: int
    attempt: int
    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Self | None:
        """Parse a folder as one run's evidence; ``None`` if its name is not of that form."""
        match = _RUN.fullmatch(folder.name)
        if match is None:
            return None
        return cls(number=int(match["run"] or 1), attempt=int(match["attempt"]), folder=folder)


class EvidenceStore:
    """The evidence of all orders of one output folder. One writer for each order."""

    def __init__(self, root: Path) -> None:
        """Keep folders below ``root``, which only its owner may enter."""
        self._root = root / EVIDENCE_NAME

    @property
    def directory(self) -> Path:
        """The folder of all evidence."""
        return self._root

    def store(self, staged: Path, task: POTask) -> None:
        """Move the evidence of an attempt, if there is any, to its folder beside that of earlier runs.

        Raises:
            OSError: The disk refuses.
        """
        if not staged.is_dir() or not any(staged.iterdir()):
            return
        make_private_folder(self._root)
        task_folder = make_private_folder(self._task_folder(task))
        for path in staged.rglob("*"):
            path.chmod(PRIVATE_FOLDER_MODE if path.is_dir() else PRIVATE_FILE_MODE)
        staged.chmod(PRIVATE_FOLDER_MODE)
        runs = _runs(task_folder)
        number = 1 + max((run.number for run in runs), default=0)
        name = f"attempt-{task.attempt}"
        staged.rename(task_folder / (name if number == 1 else f"{name} run-{number}"))
        for run in runs[: 1 - RUNS_MAX]:
            shutil.rmtree(run.folder, ignore_errors=True)  # a leftover does no harm, and the next run tries again

    def find(self, record: TaskRecord, name: str) -> Path | None:
        """Return the path of an evidence file that the task's last report names; ``None`` if there is none."""
        if record.report is None or name not in record.report.evidence or Path(name).name != name:
            return None
        return next((path for folder in self._folders(record) if (path := folder / name).is_file()), None)

    def _folders(self, record: TaskRecord) -> Iterator[Path]:
        """Yield the possible folders of the last report's evidence, the most likely first."""
        # a reopened task counts its attempts from 1, and still has the report of its earlier run
        runs = _runs(self._task_folder(record.task))
        yield from (run.folder for run in reversed(runs) if not record.is_over or run.attempt == record.attempt_count)
        yield self._root / safe_folder(record.task.po_number) / f"attempt-{record.attempt_count}"

    def _task_folder(self, task: POTask) -> Path:
        return self._root / f"{safe_folder(task.po_number)} {task_key(task.task_id)[:_KEY_LENGTH]}"


def _runs(folder: Path) -> list[_Run]:
    """Return the runs of one order that have evidence, the last one at the end."""
    runs = [run for path in folder.iterdir() if (run := _Run.at(path)) is not None] if folder.is_dir() else []
    return sorted(runs, key=lambda run: run.number)
