"""Traces of failures, for the owner's eyes: each attempt's in a folder of its own, under the order that it was for.

``evidence/<number> <task>/attempt-N`` has the number for people, and a part of the task's key because two tasks can
have one number. An order that is taken up again begins with attempt 1 again: what its earlier runs left stays, and the
later one is ``attempt-N run-2`` and so on. A list may be run every day, so only the last runs stay. An earlier
Poolwright filed by number alone, as ``<number>/attempt-N``; such folders are looked into where an order has no others,
and never written.
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
from poolwright.files.disk import PRIVATE_FILE, PRIVATE_FOLDER, make_private_folder
from poolwright.files.names import safe_folder

#: Folder of all traces, in the private one.
EVIDENCE_NAME = "evidence"
#: Of a task's key: enough that no two tasks with one number share it.
_KEY_LENGTH = 12
#: Runs of one order whose traces stay.
RUNS_MAX = 10
_RUN = re.compile(r"attempt-(?P<attempt>\d+)(?: run-(?P<run>\d+))?", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """What one run of an order left: the traces of its last attempt."""

    #: Counts up within one order.
    number: int
    attempt: int
    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Self | None:
        """Parse a folder as one run's evidence; None if its name is not of that form."""
        found = _RUN.fullmatch(folder.name)
        if found is None:
            return None
        return cls(number=int(found["run"] or 1), attempt=int(found["attempt"]), folder=folder)


class EvidenceStore:
    """The traces of every order of one output folder. One writer for each order."""

    def __init__(self, root: Path) -> None:
        """Keep folders below ``root``, which only its owner may enter."""
        self._root = root / EVIDENCE_NAME

    @property
    def directory(self) -> Path:
        """Where they all are."""
        return self._root

    def store(self, staged: Path, task: POTask) -> None:
        """Move the evidence of an attempt, if there is any, to its folder beside that of earlier runs.

        Raises:
            OSError: The disk refuses.
        """
        if not staged.is_dir() or not any(staged.iterdir()):
            return
        make_private_folder(self._root)
        place = make_private_folder(self._place(task))
        for path in staged.rglob("*"):
            path.chmod(PRIVATE_FOLDER if path.is_dir() else PRIVATE_FILE)
        staged.chmod(PRIVATE_FOLDER)
        runs = _runs(place)
        number = 1 + max((run.number for run in runs), default=0)
        name = f"attempt-{task.attempt}"
        staged.rename(place / (name if number == 1 else f"{name} run-{number}"))
        for run in runs[: 1 - RUNS_MAX]:
            shutil.rmtree(run.folder, ignore_errors=True)  # it is in nobody's way, and the next run tries again

    def find(self, record: TaskRecord, name: str) -> Path | None:
        """The path of an evidence file that the task's last report names; None if there is none."""
        if record.report is None or name not in record.report.evidence or Path(name).name != name:
            return None
        return next((path for place in self._places(record) if (path := place / name).is_file()), None)

    def _places(self, record: TaskRecord) -> Iterator[Path]:
        """Where the traces of a task's last report may be, the likeliest first."""
        # one that was taken up again counts its attempts anew, and still shows how its run before ended
        runs = _runs(self._place(record.task))
        yield from (run.folder for run in reversed(runs) if not record.is_over or run.attempt == record.attempt_count)
        yield self._root / safe_folder(record.task.po_number) / f"attempt-{record.attempt_count}"

    def _place(self, task: POTask) -> Path:
        return self._root / f"{safe_folder(task.po_number)} {task_key(task.task_id)[:_KEY_LENGTH]}"


def _runs(place: Path) -> list[_Run]:
    """What the runs of one order left, the last one at the end."""
    found = [run for path in place.iterdir() if (run := _Run.at(path)) is not None] if place.is_dir() else []
    return sorted(found, key=lambda run: run.number)
