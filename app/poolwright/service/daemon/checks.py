"""Looks at the earlier files of lists that came again, one list after another, beside everything else.

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
from poolwright.service.batch import Redo
from poolwright.service.daemon.errors import NotPossibleNowError
from poolwright.service.resuming import Looked, to_reopen

NAME = "checks.json"
#: Lists that may wait to be looked at; each is a line in a small file.
CHECKS_MAX = 200
#: After something stood in the way.
TRY_AGAIN_S = 30.0


@dataclass(slots=True, kw_only=True)
class Check:
    """A list whose files are to be checked."""

    redo: Redo
    #: How many of its orders are looked at, of how many; none of none before it is its turn.
    looked: Looked


class Checks:
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
        self._place = folder / NAME
        self._reopen = reopen
        self._observe = observe
        self._waiting: dict[BatchId, Check] = {}
        self._under_way: tuple[BatchId, anyio.CancelScope] | None = None
        self._changed = anyio.Event()
        self._writing = anyio.Lock()

    def get(self, list_id: BatchId) -> Check | None:
        """How far a list is; nothing when it waits for no look."""
        return self._waiting.get(list_id)

    def require_room(self) -> None:
        """Make sure that one more may wait.

        Raises:
            NotPossibleNowError: Too many do.
        """
        if len(self._waiting) >= CHECKS_MAX:
            told = f"{CHECKS_MAX} lists are waiting for a file check. Send this list again later."
            raise NotPossibleNowError(told)

    async def add(self, list_id: BatchId, redo: Redo) -> None:
        """Have the earlier files of a list looked at; it is written down when this returns."""
        await self.call_off(list_id)  # the latest word counts
        self._waiting[list_id] = Check(redo=redo, looked=Looked())
        await self._keep()
        self._changed.set()

    async def call_off(self, list_id: BatchId) -> bool:
        """Look no further at a list; whether it waited for that. Nothing of it is done again."""
        if self._waiting.pop(list_id, None) is None:
            return False
        if self._under_way is not None and self._under_way[0] == list_id:
            self._under_way[1].cancel()
        await self._keep()
        return True

    async def serve(self) -> None:
        """Look at one list after another, until cancelled; first at those that an earlier daemon left."""
        left = await anyio.to_thread.run_sync(_read, self._place, abandon_on_cancel=True)
        self._waiting = {**left, **self._waiting}
        while True:
            self._changed = anyio.Event()
            for list_id, check in tuple(self._waiting.items()):
                if self._waiting.get(list_id) is check:
                    await self._look(list_id, check)
            with anyio.move_on_after(TRY_AGAIN_S if self._waiting else None):
                await self._changed.wait()

    async def _look(self, list_id: BatchId, check: Check) -> None:
        try:
            with anyio.CancelScope() as scope:
                self._under_way = list_id, scope
                again = await to_reopen(self._journal, self._tree, list_id, check.redo, looked=check.looked)
                count = await self._reopen(again) if again else 0
                self._waiting.pop(list_id, None)
                await self._keep()
                self._note(Level.INFO, _told(list_id, check.looked.total_count, count))
        except (PoolError, OSError) as error:  # of the journal, or of the disk of the files
            self._note(Level.WARNING, f"The file check of list {list_id} is postponed: {error}")
        finally:
            self._under_way = None

    def _note(self, level: Level, text: str) -> None:
        self._observe(Notice(level=level, text=text))

    async def _keep(self) -> None:
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
                raise NotPossibleNowError(told) from error


def _told(list_id: BatchId, total_count: int, count: int) -> str:
    again = f"{count:,} run again" if count else "none runs again"
    return f"Checked the files of {total_count:,} finished orders of list {list_id}: {again}."


def _read(place: Path) -> dict[BatchId, Check]:
    """What an earlier daemon left; nothing where that cannot be read: its lists may be sent again."""
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        return {BatchId(str(one)): Check(redo=Redo(redo), looked=Looked()) for one, redo in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
