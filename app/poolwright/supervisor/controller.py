"""Passes events to the policy one by one and executes the commands that it returns.

Events are dealt with one after another, each at once. Nobody else moves the pool's machine or opens the queue.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, assert_never

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from poolwright.archive.staging import staging_folder_name
from poolwright.concurrency import WaitGroup
from poolwright.domain.events import Level
from poolwright.domain.ids import WorkerRef
from poolwright.domain.ports import Clock
from poolwright.domain.state_machine import StateMachine
from poolwright.domain.states import PoolEvent, PoolStatus
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc import messages
from poolwright.profile.backups import save_refreshed_login
from poolwright.supervisor.observation import EventLog
from poolwright.supervisor.policy.commands import (
    AnnounceLoginExpiry,
    BackUpLogin,
    CheckLogin,
    Command,
    CopyLogin,
    Discard,
    FailQueued,
    FileReport,
    Forget,
    GiveUp,
    KillAndRestart,
    LoginCommand,
    Pause,
    RecordOutcome,
    Recycle,
    RefreshLogin,
    ReportMemoryRecycle,
    Requeue,
    Resume,
    ScheduleVerification,
    Spawn,
    StagedAttempt,
    Stop,
    StopCause,
    SuspendSlot,
    TaskCommand,
    WorkerCommand,
    pause_message,
)
from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.events import LoginExpiring, PauseEnded, PoolInput, VerificationDue, WorkerReady
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import PoolState
from poolwright.supervisor.processes.worker import Worker
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.task_writer import TaskFiler, TaskWriter
from poolwright.supervisor.totp import TotpGenerator


@dataclass(frozen=True, slots=True, kw_only=True)
class Outstanding:
    """What a pool counts."""

    #: Events and filings that are not dealt with yet.
    unsettled: WaitGroup
    #: Generations of workers that are not over yet.
    alive: WaitGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandExecutor:
    """Executes commands. Slow work goes to the task writer or the pool's task group, so that no event waits for it."""

    event_log: EventLog
    feeder: TaskFeeder
    filer: TaskFiler
    writer: TaskWriter
    workers: Mapping[int, Worker]
    tasks: TaskGroup
    outstanding: Outstanding
    clock: Clock
    #: For commands that people are to give.
    profile_name: str
    #: For portals that want one; nothing where no secret is given.
    totp: TotpGenerator | None
    #: Where a slot's worker stages its files.
    staging_path: Callable[[int], Path]
    #: Takes the news that the pool cannot go on.
    on_stop: Callable[[Stop], None]
    #: Takes the news that a task has its outcome.
    on_outcome: Callable[[POTask, Report], None]
    report: Callable[[PoolInput], None]
    #: Set when the pool ends: nobody waits for anything any more.
    ending: anyio.Event

    def execute(self, command: Command) -> None:
        """Carry one command out."""
        match command:
            case Pause() | Resume() | ReportMemoryRecycle():
                self._announce(command)
            case Spawn() | KillAndRestart() | Recycle() | SuspendSlot() | GiveUp():
                self._execute_worker_command(command)
            case FileReport() | RecordOutcome() | Requeue() | Discard() | Forget() | FailQueued():
                self._execute_task_command(command)
            case (
                ScheduleVerification()
                | CheckLogin()
                | RefreshLogin()
                | CopyLogin()
                | BackUpLogin()
                | AnnounceLoginExpiry()
            ):
                self.tasks.start_soon(self._execute_login_command, command)
            case Stop():
                self._stop(command)
            case _:
                assert_never(command)

    def _execute_task_command(self, command: TaskCommand) -> None:
        match command:
            case FileReport() | RecordOutcome():
                self.outstanding.unsettled.add()
                self.filer.under_way.add(command.task.task_id)
                self.tasks.start_soon(self._file, command)
            case FailQueued():
                self.feeder.end_trials()
                self.writer.submit(command)
            case Requeue():
                self.writer.submit(command)
            case Discard():
                self.tasks.start_soon(self.filer.discard, self._staging_folder(command.staged))
            case Forget():
                for task_id in command.task_ids:
                    self.feeder.forget(task_id)

    def start_worker(self, worker: Worker, generation: int, delay_s: float) -> None:
        """Let one generation of a slot live."""
        self.outstanding.alive.add()
        self.tasks.start_soon(self._run_generation, worker, generation, delay_s)

    async def _run_generation(self, worker: Worker, generation: int, delay_s: float) -> None:
        with self.outstanding.alive.counted():
            await worker.run(generation, delay_s)

    def _stop(self, command: Stop) -> None:
        self.on_stop(command)
        if command.cause is StopCause.PROFILE_DAMAGED:  # nothing is fetched any more that a lost login may have spoiled
            for worker in self.workers.values():
                worker.kill()

    async def _file(self, command: FileReport | RecordOutcome) -> None:
        own = StagedAttempt(worker=command.worker, task=command.task, report=command.report)
        with self.outstanding.unsettled.counted():
            if isinstance(command, FileReport):
                with anyio.move_on_after(command.delay_s):
                    await self.ending.wait()
                is_filed = await self.filer.finalize(command, self._staging_folder(command.staged or own))
            else:
                is_filed = await self.filer.record_outcome(command, self._staging_folder(own))
            self.filer.under_way.discard(command.task.task_id)
            if is_filed:
                self.feeder.forget(command.task.task_id)
                self.workers[command.worker.slot].count_done()
                self.on_outcome(command.task, command.report)

    def _staging_folder(self, staged: StagedAttempt) -> Path:
        return self.staging_path(staged.worker.slot) / staging_folder_name(staged.task)

    async def _execute_login_command(self, command: LoginCommand) -> None:
        match command:
            case ScheduleVerification():
                await anyio.sleep(command.delay_s)
                self.report(VerificationDue(worker=command.worker))
            case CheckLogin():
                await self._send(command.worker, messages.VerifyLogin())
            case RefreshLogin():
                code = await self.totp.next_code() if self.totp else ""
                await self._send(command.worker, messages.Refresh(one_time_code=code, is_early=command.is_early))
            case BackUpLogin():
                await self._back_up_login(command.slot)
            case AnnounceLoginExpiry():
                await self._announce_expiry(command)
            case CopyLogin():
                cookies_path = self.workers[command.source_slot].cookies_path
                await self._send(command.worker, messages.ImportCookies(cookies_path=str(cookies_path)))
            case _:
                assert_never(command)

    async def _back_up_login(self, slot: int) -> None:
        worker = self.workers[slot]
        try:
            keep = partial(save_refreshed_login, worker.profile.base_profile_path, worker.cookies_path)
            await anyio.to_thread.run_sync(keep, abandon_on_cancel=True)  # the profile may be on a share that hangs
        except OSError as error:
            problem = f"could not save a backup of the renewed login beside the profile ({error.strerror})"
            self.event_log.notice(Level.WARNING, problem, worker.ref)

    async def _announce_expiry(self, command: AnnounceLoginExpiry) -> None:
        ends_at = self.clock.now() + timedelta(seconds=command.ends_in_s)
        self.event_log.notice(Level.INFO, f"the login is expected to expire at about {ends_at.astimezone():%H:%M}")
        if command.renewal_in_s is not None:
            await anyio.sleep(command.renewal_in_s)
            self.report(LoginExpiring(number=command.number))

    async def _send(
        self, worker: WorkerRef, message: messages.VerifyLogin | messages.Refresh | messages.ImportCookies
    ) -> None:
        await self.workers[worker.slot].send(worker.generation, message)

    def _execute_worker_command(self, command: WorkerCommand) -> None:
        worker = self.workers[command.worker.slot]
        match command:
            case Spawn():
                self.start_worker(worker, command.worker.generation, command.delay_s)
            case Recycle():
                told = f"recycling after its current tasks: {command.cause}"
                self.event_log.notice(Level.INFO, told, command.worker)
                self.tasks.start_soon(worker.recycle, command.worker.generation, command.cause)
            case KillAndRestart():
                self.event_log.notice(Level.WARNING, f"ending it now and restarting: {command.cause}", command.worker)
                worker.kill_and_restart(command.cause)
            case SuspendSlot():
                told = f"suspended for {command.rest_s / 60:g} minutes before the next restart: {command.cause}"
                self.event_log.notice(Level.ERROR, told, command.worker)
            case GiveUp():
                level = Level.INFO if command.is_expected else Level.ERROR
                self.event_log.notice(level, f"stopped for good: {command.cause}", command.worker)
                worker.give_up()

    def _announce(self, command: Pause | Resume | ReportMemoryRecycle) -> None:
        """The pool's own state follows from the policy's; here people are told, and the time of a hold runs."""
        if isinstance(command, ReportMemoryRecycle):
            self.event_log.publish(command.relieved)
            return
        is_over = isinstance(command, Resume)
        self.event_log.notice(Level.INFO if is_over else Level.WARNING, pause_message(command, self.profile_name))
        if is_over:
            return
        if command.delay_s is not None:
            self.tasks.start_soon(self._expire_pause, command.cause, command.delay_s)

    async def _expire_pause(self, cause: PauseReason, delay_s: float) -> None:
        await anyio.sleep(delay_s)
        self.report(PauseEnded(cause=cause))


class Controller:
    """Receives events through ``post``, asks the policy about each, and has its commands executed."""

    def __init__(
        self,
        state: PoolState,
        machine: StateMachine[PoolStatus, PoolEvent],
        dispatch: TaskFeeder,
        open_tasks: WaitGroup,
    ) -> None:
        """Start with a state in which no event has happened yet."""
        self.state = state
        self.machine = machine
        #: Events and filings that are not dealt with yet.
        self.unsettled = WaitGroup()
        #: When the last event was dealt with, in seconds of ``anyio.current_time``.
        self.last_event_at_s = anyio.current_time()
        self._feeder = dispatch
        self._unfinished = open_tasks
        self._events, self._inbox = anyio.create_memory_object_stream[PoolInput](math.inf)

    def __enter__(self) -> Self:
        """Open the inbox."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the inbox."""
        self._events.close()
        self._inbox.close()

    def post(self, event: PoolInput) -> None:
        """Queue an event and return at once; events after the end are ignored."""
        with contextlib.suppress(anyio.ClosedResourceError):
            self._events.send_nowait(event)
            self.unsettled.add()

    async def run(self, performance: CommandExecutor) -> None:
        """Decide and act until cancelled."""
        try:
            async for event in self._inbox:
                with self.unsettled.counted():
                    decision = decide(self.state, event)
                    self.state = decision.state
                    self._apply_state(event)
                    for command in decision.commands:
                        performance.execute(command)
                self.last_event_at_s = anyio.current_time()
        finally:
            self.unsettled.release_all()

    def _apply_state(self, event: PoolInput) -> None:
        """Move the pool's machine, and open or close the queue, as the state says."""
        holds = self.state.pauses.active
        self._feeder.set_open(is_open=not holds and not self.state.is_stopping)
        if isinstance(event, WorkerReady):
            self._try_to_move(PoolEvent.STAFF)
        if holds:
            self._try_to_move(PoolEvent.PAUSE)
            return
        self._try_to_move(PoolEvent.RESUME)
        if any(slot.held for slot in self.state.slots.values()):
            self._try_to_move(PoolEvent.WORK)
        elif self._unfinished.count == 0:
            self._try_to_move(PoolEvent.REST)

    def _try_to_move(self, event: PoolEvent) -> None:
        if self.machine.can(event):
            self.machine.fire(event)
