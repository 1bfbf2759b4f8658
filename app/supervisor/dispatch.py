"""The bounded queue between the journal and the workers. Workers pull from it as their tabs come free."""

from __future__ import annotations

import asyncio

import anyio

from app.domain.failures import GivenBack
from app.domain.ids import BatchId
from app.domain.ports import Journal
from app.domain.task import POTask

#: Tasks claimed ahead, for each tab: enough that no tab waits for the disk, few enough that a crash returns little.
AHEAD_PER_TAB = 2


class Dispatch:
    """Feeds ``task_queue`` from the journal. A task in the queue is ASSIGNED there; what is left goes back."""

    def __init__(self, journal: Journal, batch_id: BatchId, tab_count: int) -> None:
        """Feed the tasks of one list to ``tab_count`` tabs."""
        self._journal = journal
        self._batch_id = batch_id
        self.task_queue: asyncio.Queue[POTask] = asyncio.Queue(maxsize=tab_count * AHEAD_PER_TAB)
        self._changed = anyio.Event()

    def wake(self) -> None:
        """Something may be due now: a task went back, or a place in the queue came free."""
        self._changed.set()

    async def take(self) -> POTask:
        """The next task, in the order of the list. Waits while there is none; safe to cancel."""
        task = await self.task_queue.get()
        self.wake()
        return task

    async def feed(self) -> None:
        """Claim due tasks while there is room, until cancelled."""
        while True:
            self._changed = anyio.Event()
            room = self.task_queue.maxsize - self.task_queue.qsize()
            tasks = await self._claim(room) if room else ()
            if not tasks:
                await self._wait_for_change(has_room=bool(room))

    async def return_rest(self) -> int:
        """Give what was claimed and not taken back to the journal; tells how many. Nobody takes any more."""
        count = 0
        while not self.task_queue.empty():
            task = self.task_queue.get_nowait()
            await self._journal.give_back(
                task.task_id, GivenBack.DRAINING, detail="", delay_s=0.0, is_attempt_spent=False
            )
            count += 1
        return count

    async def _claim(self, room: int) -> tuple[POTask, ...]:
        tasks: tuple[POTask, ...] = ()
        with anyio.CancelScope(shield=True):  # a claimed task must reach the queue
            tasks = tuple(await self._journal.fetch(self._batch_id, room))
            for task in tasks:
                self.task_queue.put_nowait(task)
        return tasks

    async def _wait_for_change(self, *, has_room: bool) -> None:
        """Sleep until something changes, or until a task that waits for its time is due."""
        due_s = await self._journal.next_due_s(self._batch_id) if has_room else None
        with anyio.move_on_after(due_s):
            await self._changed.wait()
