"""The tabs of one worker, counted: a task that may have killed a worker has the next one for itself."""

from __future__ import annotations

import anyio

from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import POTask
from poolwright.supervisor.dispatch import Dispatch


class Tabs:
    """Counts the free tabs of one generation."""

    def __init__(self, count: int) -> None:
        """All of them are free."""
        self._count = count
        self._free = anyio.Semaphore(count)
        self._alone: TaskId | None = None

    async def take_one(self) -> None:
        """Wait for a free tab and take it."""
        await self._free.acquire()

    async def take_the_others(self, task_id: TaskId) -> None:
        """Wait until every other tab is free and take them too; ``free`` gives all back."""
        taken_count = 0
        try:
            for _ in range(self._count - 1):
                await self._free.acquire()
                taken_count += 1
        except BaseException:
            self._release(taken_count)
            raise
        self._alone = task_id

    def free(self, task_id: TaskId) -> None:
        """A task is done."""
        is_alone = task_id == self._alone
        self._alone = None if is_alone else self._alone
        self._release(self._count if is_alone else 1)

    def _release(self, count: int) -> None:
        for _ in range(count):
            self._free.release()


async def next_task(dispatch: Dispatch, tabs: Tabs, *, is_fresh: bool = False) -> POTask:
    """Wait for a free tab and a task; one that a worker died on runs alone: only its own doing shall count against it.

    Safe to cancel: a task that was not begun stands at its old place again.
    """
    await tabs.take_one()
    task = await dispatch.take(is_fresh=is_fresh)
    try:
        if task.death_count:
            await tabs.take_the_others(task.task_id)
    except BaseException:
        dispatch.put_back(task)
        raise
    return task
