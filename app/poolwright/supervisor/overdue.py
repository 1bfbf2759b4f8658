"""The last word on the time of a task: its worker ends it by itself, unless what it runs cannot be stopped."""

from __future__ import annotations

import math
from collections.abc import Callable

import anyio

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.tasks import POTask
from poolwright.supervisor.facts import Fact, TaskStuck
from poolwright.supervisor.talk import LostError

#: A worker that keeps its time reports within this: evidence of a page takes some seconds, closing a tab up to five.
GRACE_S = 30.0
#: Who finds a task overdue for so long already did not run when it became so.
LATE_S = 5.0


class Deadlines:
    """When each task that a generation has must be over at the latest."""

    def __init__(self, task_timeout_s: float) -> None:
        """Take ``task_timeout_s`` where a task names no time of its own."""
        self._task_timeout_s = task_timeout_s
        self._due_s: dict[TaskId, float] = {}
        self._changed = anyio.Event()

    def begin(self, task: POTask) -> None:
        """The task is in a worker's hand from now on."""
        limit_s = self._task_timeout_s if task.timeout_s is None else task.timeout_s
        self._due_s[task.task_id] = anyio.current_time() + limit_s + GRACE_S
        self._changed.set()

    def end(self, task_id: TaskId) -> None:
        """It is over."""
        self._due_s.pop(task_id, None)

    async def enforce(self, worker: WorkerRef, report: Callable[[Fact], None]) -> None:
        """Wait until a task is overdue. It has had its time; its neighbours go back unspent as their worker ends.

        Raises:
            LostError: A task is overdue, so its generation must end.
        """
        task_id = await self._first_overdue()
        report(TaskStuck(worker=worker, task_id=task_id))
        msg = "a task could not be stopped after its timeout"
        raise LostError(msg)

    async def _first_overdue(self) -> TaskId:
        while True:
            self._changed = anyio.Event()
            now_s = anyio.current_time()
            for task_id, due_s in self._due_s.items():
                if due_s + LATE_S < now_s:
                    # We stood still ourselves, and so did its worker: that keeps its time now, and has to report.
                    self._due_s[task_id] = now_s + GRACE_S
                elif due_s <= now_s:
                    return task_id
            with anyio.move_on_after(min(self._due_s.values(), default=math.inf) - now_s):
                await self._changed.wait()
