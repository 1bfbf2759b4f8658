"""Checks the files of finished orders when a list is sent again, one list after another, in the background.

A list is taken at once. Which of its orders that are done are to be done again shows when their files were read, and
that takes minutes for a large archive. What was not looked at when the daemon ends is looked at by the next one.
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
from poolwright.files.disk import replace_private_text
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import RedoPolicy
from poolwright.service.daemon.errors import ConflictError
from poolwright.service.recovery import CheckProgress, tasks_to_reopen

CHECKS_FILE_NAME = "checks.json"
#: Lists that may wait to be looked at; each is a line in a small file.
CHECKS_MAX = 200
#: After something stood in the way.
RETRY_S = 30.0


@dataclass(slots=True, kw_only=True)
class FileCheck:
    """A list whose files are to be checked."""

    redo: RedoPolicy
    #: How many of its orders are looked at, of how many; none of none before it is its turn.
    progress: CheckProgress


class FileChecks:
    """Those that wait, in their order, and the one under way. ``serve`` does them."""

    def __init__(
        self,
        journal: SqliteJournal,
        tree: OutputTree,
        folder: Path,
        *,
        reopen: Callable[[Collection[TaskId]], Awaitable[int]],
        observe: EventSink,
    ) -> None:
        """Touch nothing before the first is added.

        Args:
            journal: Knows the orders.
            tree: Has their files.
            folder: For the file that keeps what waits over an end of the program.
            reopen: Queues orders again; tells how many.
            observe: Is told what came of each.
        """
        self._journal = journal
        self._tree = tree
        self._place = folder / CHECKS_FILE_NAME
        self._reopen = reopen
        self._observe = observe
        self._waiting: dict[BatchId, FileCheck] = {}
        self._under_way: tuple[BatchId, anyio.CancelScope] | None = None
        self._changed = anyio.Event()
        self._writing = anyio.Lock()

    def get(self, list_id: BatchId) -> FileCheck | None:
        """How far a list is; nothing when it waits for no look."""
        return self._waiting.get(list_id)

    def require_room(self) -> None:
        """Make sure that one more may wait.

        Raises:
            NotPossibleNowError: Too many do.
        """
        if len(self._waiting) >= CHECKS_MAX:
            told = f"{CHECKS_MAX} lists are waiting for a file check. Send this list again later."
            raise ConflictError(told)

    async def add(self, list_id: BatchId, redo: RedoPolicy) -> None:
        """Have the earlier files of a list looked at; it is written down when this returns."""
        await self.cancel(list_id)  # the latest word counts
        self._waiting[list_id] = FileCheck(redo=redo, progress=CheckProgress())
        await self._save()
        self._changed.set()

    async def cancel(self, list_id: BatchId) -> bool:
        """Look no further at a list; whether it waited for that. Nothing of it is done again."""
        if self._waiting.pop(list_id, None) is None:
            return False
        if self._under_way is not None and self._under_way[0] == list_id:
            self._under_way[1].cancel()
        await self._save()
        return True

    async def run(self) -> None:
        """Look at one list after another, until cancelled; first at those that an earlier daemon left."""
        left = await anyio.to_thread.run_sync(_load_waiting, self._place, abandon_on_cancel=True)
        self._waiting = {**left, **self._waiting}
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
                again = await tasks_to_reopen(self._journal, self._tree, list_id, check.redo, looked=check.progress)
                count = await self._reopen(again) if again else 0
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
            NotPossibleNowError: The disk does not take it.
        """
        async with self._writing:
            text = json.dumps({list_id: check.redo.value for list_id, check in self._waiting.items()})
            try:
                await anyio.to_thread.run_sync(partial(replace_private_text, self._place, text), abandon_on_cancel=True)
            except OSError as error:
                told = f"The file checks cannot be written to {self._place} ({error.strerror}). Free some disk space."
                raise ConflictError(told) from error


def _result_sentence(list_id: BatchId, total_count: int, count: int) -> str:
    again = f"{count:,} run again" if count else "none runs again"
    return f"Checked the files of {total_count:,} finished orders of list {list_id}: {again}."


def _load_waiting(place: Path) -> dict[BatchId, FileCheck]:
    """What an earlier daemon left; nothing where that cannot be read: its lists may be sent again."""
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        return {
            BatchId(str(one)): FileCheck(redo=RedoPolicy(redo), progress=CheckProgress()) for one, redo in found.items()
        }
    except (OSError, ValueError, AttributeError):
        return {}
