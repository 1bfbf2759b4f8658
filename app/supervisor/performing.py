"""Does what the plan commands. Decides nothing; what comes of a command is reported as a fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from app.domain.events import Level, TaskEnded, TaskReturned
from app.domain.failures import Reason
from app.domain.task import POTask, Report
from app.supervisor.chronicle import Chronicle
from app.supervisor.commands import Command, FailRest, File, GiveUp, Hold, Recycle, Release, Requeue, Spawn, Stop
from app.supervisor.dispatch import Dispatch
from app.supervisor.facts import Fact, HoldOver
from app.supervisor.filing import Filing
from app.supervisor.holds import HoldCause
from app.supervisor.staging import staging_name
from app.supervisor.surroundings import Surroundings
from app.supervisor.tally import Tally
from app.supervisor.worker import Worker

#: Tasks ended in one go when nobody is left to do them.
_BUNCH_COUNT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """What a pool counts."""

    #: Facts and filings that are not dealt with yet.
    unsettled: Tally
    #: Generations of workers that are not over yet.
    alive: Tally
    #: Tasks of the list that have no outcome yet.
    open_tasks: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """The hands of a pool. Long work goes into the pool's task group; the rest is done before the next fact."""

    around: Surroundings
    chronicle: Chronicle
    dispatch: Dispatch
    filing: Filing
    workers: Mapping[int, Worker]
    tasks: TaskGroup
    tallies: Tallies
    #: Where a slot's worker stages its files.
    staging_path: Callable[[int], Path]
    #: Takes the news that the pool cannot go on.
    note_end: Callable[[Stop], None]
    #: Takes the news that a task has its outcome.
    note_outcome: Callable[[POTask, Report], None]
    report: Callable[[Fact], None]
    #: Set when the pool ends: nobody waits for anything any more.
    ending: anyio.Event

    async def perform(self, command: Command) -> None:
        """Carry one command out."""
        match command:
            case Hold() | Release():
                self._tell_hold(command)
            case Recycle() | GiveUp():
                self._end_worker(command)
            case File():
                self.tallies.unsettled.add()
                self.tasks.start_soon(self._file, command)
            case Requeue():
                await self._requeue(command)
            case Spawn():
                self.start_worker(self.workers[command.worker.slot], command.worker.generation, command.delay_s)
            case FailRest():
                await self._fail_rest(command.reason)
            case Stop():
                self.note_end(command)
            case _:
                assert_never(command)

    def start_worker(self, worker: Worker, generation: int, delay_s: float) -> None:
        """Let one generation of a slot live."""
        self.tallies.alive.add()
        self.tasks.start_soon(self._live, worker, generation, delay_s)

    def staged(self, command: File | Requeue) -> Path | None:
        """Where the files of a command's attempt are; nothing when no worker had the task."""
        if command.worker is None:
            return None
        return self.staging_path(command.worker.slot) / staging_name(command.task)

    async def _live(self, worker: Worker, generation: int, delay_s: float) -> None:
        with self.tallies.alive.counted():
            await worker.live(generation, delay_s)

    async def _file(self, command: File) -> None:
        with self.tallies.unsettled.counted():
            with anyio.move_on_after(command.delay_s):
                await self.ending.wait()
            if await self.filing.file(command, self.staged(command)):
                self.dispatch.task_queue.forget(command.task.task_id)
                self.note_outcome(command.task, command.report)

    async def _requeue(self, command: Requeue) -> None:
        if command.is_death:
            await self.around.journal.count_death(command.task.task_id)
        staged = self.staged(command)
        if staged is not None:
            await anyio.to_thread.run_sync(self.around.archive.discard, staged)
        await self.around.journal.give_back(
            command.task.task_id,
            command.why,
            detail=command.detail,
            delay_s=command.delay_s,
            is_attempt_spent=command.is_attempt_spent,
        )
        self.dispatch.note_return()
        event = TaskReturned(
            task_id=command.task.task_id,
            why=command.why,
            detail=command.detail,
            delay_s=command.delay_s,
            worker=command.worker,
        )
        self.chronicle.tell(event)

    async def _fail_rest(self, reason: Reason) -> None:
        """Nobody takes tasks any more: end those that were never claimed, then those in the queue."""
        while tasks := await self.around.journal.fetch(self.around.batch_id, _BUNCH_COUNT):
            for task in tasks:
                await self._fail(task, reason)
        while not self.dispatch.task_queue.empty():
            await self._fail(self.dispatch.task_queue.get_nowait(), reason)

    async def _fail(self, task: POTask, reason: Reason) -> None:
        report = Report(reason=reason)
        await self.around.journal.finish(task.task_id, report, "")
        self.chronicle.tell(TaskEnded(task=task, report=report, folder="", worker=None))
        self.note_outcome(task, report)

    def _end_worker(self, command: Recycle | GiveUp) -> None:
        worker = self.workers[command.worker.slot]
        if isinstance(command, Recycle):
            self.chronicle.notice(Level.WARNING, f"gets a fresh start: {command.cause}", command.worker)
            worker.recycle(command.cause)
            return
        self.chronicle.notice(Level.ERROR, f"is given up: {command.cause}", command.worker)
        worker.give_up()

    def _tell_hold(self, command: Hold | Release) -> None:
        """The pool's own state follows from its standing; here people are told, and the time of a hold runs."""
        if isinstance(command, Release):
            self.chronicle.notice(Level.INFO, f"goes on ({command.cause})")
            return
        until = "until it is resumed" if command.delay_s is None else f"for {command.delay_s:g} s"
        self.chronicle.notice(Level.WARNING, f"no order starts {until}: {command.detail}")
        if command.delay_s is not None:
            self.tasks.start_soon(self._end_hold, command.cause, command.delay_s)

    async def _end_hold(self, cause: HoldCause, delay_s: float) -> None:
        await anyio.sleep(delay_s)
        self.report(HoldOver(cause=cause))
