"""Checks the files of finished orders when a list is sent again, one list after another, in the background.

A list is accepted at once. Which of its finished orders run again is known only when their files have been read, which
takes minutes for a large archive. Checks that are left when the daemon ends are done by the next daemon.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from poolwright.archive.output_tree import OutputTree
from poolwright.domain.errors import PoolError
from poolwright.domain.events import Level, Notice
from poolwright.domain.ids import BatchId, TaskId
from poolwright.domain.ports import EventSink
from poolwright.files.disk import replace_private_file
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import RedoPolicy
from poolwright.service.daemon.errors import ConflictError
from poolwright.service.recovery import CheckProgress, tasks_to_reopen

CHECKS_FILE_NAME = "checks.json"
#: Lists that may wait for a check; each is one entry of a small file.
CHECKS_MAX = 200
#: Pause before a check that failed is tried again.
RETRY_S = 30.0


@dataclass(slots=True, kw_only=True)
class FileCheck:
    """A list whose files are to be checked."""

    redo: RedoPolicy
    #: Checked orders and their total; 0 of 0 before the check starts.
    progress: CheckProgress


class FileChecks:
    """The waiting checks in their order, and the current one. ``run`` performs them."""

    def __init__(
        self,
        journal: SqliteJournal,
        tree: OutputTree,
        folder: Path,
        *,
        reopen: Callable[[Collection[TaskId]], Awaitable[int]],
        observe: EventSink,
    ) -> None:
        """Start without checks; ``run`` loads those of an earlier daemon.

        Args:
            journal: Contains the orders.
            tree: Contains their files.
            folder: For the file with the waiting checks, which the next daemon reads.
            reopen: Queues orders again; returns how many.
            observe: Receives the result of each check as a notice.
        """
        self._journal = journal
        self._tree = tree
        self._path = folder / CHECKS_FILE_NAME
        self._reopen = reopen
        self._observe = observe
        self._waiting: dict[BatchId, FileCheck] = {}
        self._under_way: tuple[BatchId, anyio.CancelScope] | None = None
        self._changed = anyio.Event()
        self._writing = anyio.Lock()

    def get(self, list_id: BatchId) -> FileCheck | None:
        """Return the check of a list; ``None`` if there is none."""
        return self._waiting.get(list_id)

    def require_room(self) -> None:
        """Check that one more list may wait.

        Raises:
            ConflictError: Too many lists are waiting.
        """
        if len(self._waiting) >= CHECKS_MAX:
            raise ConflictError(f"{CHECKS_MAX} lists are waiting for a file check. Send this list again later.")

    async def add(self, list_id: BatchId, redo: RedoPolicy) -> None:
        """Add a check of the earlier files of a list; it is saved when this returns."""
        await self.cancel(list_id)  # the latest request counts
        self._waiting[list_id] = FileCheck(redo=redo, progress=CheckProgress())
        await self._save()
        self._changed.set()

    async def cancel(self, list_id: BatchId) -> bool:
        """Cancel the check of a list, so that none of its orders run again; return whether there was one."""
        if self._waiting.pop(list_id, None) is None:
            return False
        if self._under_way is not None and self._under_way[0] == list_id:
            self._under_way[1].cancel()
        await self._save()
        return True

    async def run(self) -> None:
        """Check one list after another until cancelled, first those that an earlier daemon saved."""
        saved = await anyio.to_thread.run_sync(_load_waiting, self._path, abandon_on_cancel=True)
        self._waiting = {**saved, **self._waiting}
        while True:
            self._changed = anyio.Event()
            for list_id, check in tuple(self._waiting.items()):
                if self._waiting.get(list_id) is check:
                    await self._check_list(list_id, check)
            with anyio.move_on_after(RETRY_S if self._waiting else None):
                await self._changed.wait()

    async def _check_list(self, list_id: BatchId, check: FileCheck) -> None:
        try:
            with anyio.CancelScope() as scope:
                self._under_way = list_id, scope
                task_ids = await tasks_to_reopen(
                    self._journal, self._tree, list_id, check.redo, progress=check.progress
                )
                count = await self._reopen(task_ids) if task_ids else 0
                self._waiting.pop(list_id, None)
                await self._save()
                self._publish(Level.INFO, _result_sentence(list_id, check.progress.total_count, count))
        except (PoolError, OSError) as error:  # of the journal, or of the disk of the files
            self._publish(Level.WARNING, f"The file check of list {list_id} is postponed: {error}")
        finally:
            self._under_way = None

    def _publish(self, level: Level, text: str) -> None:
        self._observe(Notice(level=level, text=text))

    async def _save(self) -> None:
        """Save the waiting checks.

        Raises:
            ConflictError: The file cannot be written.
        """
        async with self._writing:
            text = json.dumps({list_id: check.redo.value for list_id, check in self._waiting.items()})
            try:
                await anyio.to_thread.run_sync(
                    partial(replace_private_file, self._path, text.encode(), is_sole_writer=True),
                    abandon_on_cancel=True,
                )
            except OSError as error:
                message = f"The file checks cannot be written to {self._path} ({error.strerror}). Free some disk space."
                raise ConflictError(message) from error


def _result_sentence(list_id: BatchId, total_count: int, count: int) -> str:
    rerun_text = f"{count:,} will run again" if count else "none will run again"
    return f"Checked the files of {total_count:,} finished orders of list {list_id}: {rerun_text}."


def _load_waiting(path: Path) -> dict[BatchId, FileCheck]:
    """Return the checks that an earlier daemon left; empty if the file is not readable: lists can be sent again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {
            BatchId(str(list_id)): FileCheck(redo=RedoPolicy(redo), progress=CheckProgress())
            for list_id, redo in content.items()
        }
    except (OSError, ValueError, AttributeError):
        return {}
