"""Writes to the journal what the plan decided about tasks, in the order in which it was decided.

While the journal is full or locked the clerk waits; the plan goes on, or nobody would learn what is waited for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio
import anyio.to_thread

from poolwright.archive.staging import staging_folder_name
from poolwright.concurrency import WaitGroup
from poolwright.domain.events import TaskEnded, TaskReturned
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor.chronicle import Chronicle
from poolwright.supervisor.commands import FailRest, Requeue
from poolwright.supervisor.dispatch import Dispatch
from poolwright.supervisor.surroundings import Surroundings

#: Tasks that are ended in one step, which takes some hundredths of a second.
AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Writings:
    """Dependencies of a task writer."""

    around: Surroundings
    chronicle: Chronicle
    dispatch: Dispatch
    #: Where a slot's worker stages its files.
    staging_path: Callable[[int], Path]
    #: Takes the news that a task has its outcome.
    note_outcome: Callable[[POTask, Report], None]
    #: Takes the news that a task is in the queue again.
    note_return: Callable[[TaskId], None]
    #: Facts, filings and writings that are not dealt with yet.
    unsettled: WaitGroup
    #: Whether nobody wants to wait any longer.
    is_hurried: Callable[[], bool]


class Clerk:
    """Takes commands through ``take`` and carries them out one after another."""

    def __init__(self, writings: Writings) -> None:
        """Start with nothing to write."""
        self._writings = writings
        #: Why nobody takes tasks any more, once that is so.
        self._rest_reason: Reason | None = None
        self._commands, self._inbox = anyio.create_memory_object_stream[Requeue | FailRest](math.inf)

    def __enter__(self) -> Self:
        """Open the inbox."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the inbox."""
        self._commands.close()
        self._inbox.close()

    def take(self, command: Requeue | FailRest) -> None:
        """Have a command carried out; returns at once."""
        self._writings.unsettled.add()
        self._commands.send_nowait(command)

    async def write(self) -> None:
        """Carry out what was taken, until cancelled."""
        async for command in self._inbox:
            with self._writings.unsettled.counted():
                await self._carry_out(command)

    async def _carry_out(self, command: Requeue | FailRest) -> None:
        if isinstance(command, FailRest):
            self._rest_reason = command.reason
            await self._fail_rest(command.reason)
        elif self._rest_reason is None:
            await self._requeue(command)
        else:
            await self._fail(command.task, self._rest_reason)

    async def _requeue(self, command: Requeue) -> None:
        task, around = command.task, self._writings.around
        if command.is_death:
            await around.journal.count_death(task.task_id)
        staged = self._writings.staging_path(command.worker.slot) / staging_folder_name(task)
        if not command.keeps_files:
            await anyio.to_thread.run_sync(around.archive.discard, staged, abandon_on_cancel=True)
        await around.journal.give_back(
            task.task_id,
            command.why,
            detail=command.detail,
            delay_s=command.delay_s,
            is_attempt_spent=command.is_attempt_spent,
        )
        self._writings.dispatch.note_return()
        event = TaskReturned(
            task_id=task.task_id,
            why=command.why,
            detail=command.detail,
            delay_s=command.delay_s,
            worker=command.worker,
        )
        self._writings.chronicle.tell(event)
        self._writings.note_return(task.task_id)

    async def _fail_rest(self, reason: Reason) -> None:
        """Nobody takes tasks any more: end those that wait, also for another try later, then those in the queue."""
        around, queue = self._writings.around, self._writings.dispatch.task_queue
        report = Report(reason=reason)
        while not self._writings.is_hurried():  # what waits still then is taken up by the next start
            failed = await around.journal.finish_waiting(around.batch_id, report, AT_ONCE)
            for task in failed:
                self._tell_end(task, report)
            if not failed:
                break
        while not queue.empty():
            await self._fail(queue.get_nowait(), reason)

    async def _fail(self, task: POTask, reason: Reason) -> None:
        report = Report(reason=reason)
        await self._writings.around.journal.finish(task.task_id, report, "")
        self._tell_end(task, report)

    def _tell_end(self, task: POTask, report: Report) -> None:
        self._writings.chronicle.tell(TaskEnded(task=task, report=report, folder="", worker=None))
        self._writings.note_outcome(task, report)
