"""Tasks that somebody waits for: each with a handle, from its submission until it has its outcome or is called off."""

from __future__ import annotations

import anyio

from app.domain.failures import GivenBack, PoolError, Reason
from app.domain.ids import BatchId, TaskId
from app.domain.ports import Journal
from app.domain.states import TaskStatus
from app.domain.task import POTask, Report
from app.supervisor.dispatch import Dispatch
from app.supervisor.handle import TaskHandle
from app.supervisor.tally import Tally

_OPEN = frozenset({TaskStatus.QUEUED.name, TaskStatus.ASSIGNED.name, TaskStatus.RUNNING.name})


class Submissions:
    """Owns the handles, and counts the open tasks of the pool's list, submitted or not."""

    def __init__(self, journal: Journal, batch_id: BatchId, dispatch: Dispatch) -> None:
        """Submit to one list."""
        self._journal = journal
        self._batch_id = batch_id
        self._dispatch = dispatch
        self._handles: dict[TaskId, TaskHandle] = {}
        #: Tasks of the list that have no outcome yet.
        self.open_tasks = Tally()

    async def open(self) -> None:
        """Count what the list holds already."""
        counts = await self._journal.counts(self._batch_id)
        for _ in range(sum(counts.get(name, 0) for name in _OPEN)):
            self.open_tasks.add()

    async def submit(self, task: POTask) -> TaskHandle:
        """Put a task at the end of the list; it is in the journal when this returns.

        A task that is known stays as it is: one that is over gives its report at once, one that waits is waited for.

        Raises:
            JournalError: It cannot be written down; nothing was submitted.
        """
        if task.task_id in self._handles:
            return self._handles[task.task_id]
        handle = self._handles[task.task_id] = TaskHandle(task, self._call_off)
        self.open_tasks.add()  # before it can be taken, so that its outcome finds it counted
        try:
            with anyio.CancelScope(shield=True):
                await self._write(task)
        except PoolError:
            self.open_tasks.drop()
            del self._handles[task.task_id]
            raise
        self._dispatch.note_return()
        return handle

    def note_outcome(self, task: POTask, report: Report) -> None:
        """A task of the list has its outcome."""
        self.open_tasks.drop()
        self._resolve(task.task_id, report)

    def close(self) -> None:
        """Nobody works on the list any more: who waits is told so."""
        for handle in self._handles.values():
            handle.resolve(None)

    async def _write(self, task: POTask) -> None:
        if not await self._journal.add(self._batch_id, [task]):
            self.open_tasks.drop()
        known = await self._journal.find(task.task_id)
        if known is not None and known.status not in _OPEN and known.report is not None:
            self._resolve(task.task_id, known.report)

    def _resolve(self, task_id: TaskId, report: Report) -> None:
        handle = self._handles.pop(task_id, None)
        if handle is not None:
            handle.resolve(report)

    async def _call_off(self, task_id: TaskId) -> bool:
        """Cancel a task that no worker has."""
        if self._dispatch.withdraw(task_id):
            await self._journal.give_back(task_id, GivenBack.DRAINING, detail="", delay_s=0.0, is_attempt_spent=False)
        is_off = await self._journal.cancel(task_id)
        if is_off:
            self.open_tasks.drop()
            self._resolve(task_id, Report(reason=Reason.BY_REQUEST))
        return is_off
