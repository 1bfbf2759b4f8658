"""Executes the commands of the policy: those about workers, about tasks and about the login.

Slow work goes to the task writer or the pool's task group, so that no event waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import assert_never

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from poolwright.concurrency import WaitGroup
from poolwright.domain.events import Level
from poolwright.domain.ids import WorkerRef
from poolwright.ipc import messages
from poolwright.profile.backups import save_refreshed_login
from poolwright.supervisor.policy.commands import (
    AnnounceLoginExpiry,
    BackUpLogin,
    Command,
    CopyLogin,
    Discard,
    ExtendPause,
    FailQueued,
    FileReport,
    Forget,
    GiveUp,
    GroupCommand,
    KillAndRestart,
    LoginCommand,
    Pause,
    PauseCommand,
    RecordOutcome,
    Recycle,
    RefreshLogin,
    ReleaseGroup,
    ReopenGroup,
    ReportMemoryRecycle,
    RequestLoginCheck,
    Requeue,
    Resume,
    ScheduleVerification,
    SetAside,
    Spawn,
    Stop,
    StopCause,
    SuspendSlot,
    TaskCommand,
    WithholdGroup,
    WorkerCommand,
    pause_message,
)
from poolwright.supervisor.policy.events import LoginExpiring, PauseEnded, VerificationDue
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import PoolState
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.processes.worker import Worker
from poolwright.supervisor.submissions import Submissions
from poolwright.supervisor.task_queue import TaskFeeder
from poolwright.supervisor.task_writer import TaskFiler, TaskWriter
from poolwright.supervisor.totp import TotpGenerator


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerCommandExecutor:
    """Starts and ends the generations of the slots."""

    context: PoolContext
    tasks: TaskGroup
    workers: Mapping[int, Worker]
    #: Generations of workers that have not ended yet.
    alive: WaitGroup

    def execute(self, command: WorkerCommand) -> None:
        """Execute one command."""
        worker, event_log = self.workers[command.worker.slot], self.context.event_log
        match command:
            case Spawn():
                if command.browser_problem:
                    notice = f"starting its browser once more: {command.browser_problem}"
                    event_log.notice(Level.WARNING, notice, command.worker)
                self.start_worker(worker, command.worker.generation, command.delay_s)
            case Recycle():
                notice = f"recycling after its current tasks: {command.cause}"
                event_log.notice(Level.INFO, notice, command.worker)
                self.tasks.start_soon(worker.recycle, command.worker.generation, command.cause)
            case KillAndRestart():
                event_log.notice(Level.WARNING, f"ending it now and restarting: {command.cause}", command.worker)
                worker.kill_and_restart(command.cause)
            case SuspendSlot():
                notice = f"suspended for {command.rest_s / 60:g} minutes before the next restart: {command.cause}"
                event_log.notice(Level.ERROR, notice, command.worker)
            case GiveUp():
                level = Level.INFO if command.is_expected else Level.ERROR
                event_log.notice(level, f"stopped for good: {command.cause}", command.worker)
                worker.give_up()

    def start_worker(self, worker: Worker, generation: int, delay_s: float) -> None:
        """Start one generation of a slot."""
        self.alive.add()
        self.tasks.start_soon(self._run_generation, worker, generation, delay_s)

    def kill_all(self) -> None:
        """End all generations now."""
        for worker in self.workers.values():
            worker.kill()

    async def _run_generation(self, worker: Worker, generation: int, delay_s: float) -> None:
        with self.alive.counted():
            await worker.run(generation, delay_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCommandExecutor:
    """Files outcomes, and returns tasks to the queue."""

    context: PoolContext
    tasks: TaskGroup
    filer: TaskFiler
    writer: TaskWriter
    feeder: TaskFeeder
    submissions: Submissions
    workers: Mapping[int, Worker]

    def execute(self, command: TaskCommand) -> None:
        """Execute one command."""
        match command:
            case FileReport() | RecordOutcome():
                self.context.inbox.unsettled.add()
                self.filer.under_way.add(command.task.task_id)
                self.tasks.start_soon(self._file, command)
            case FailQueued() | Requeue():
                self.writer.submit(command)
            case Discard():
                self.tasks.start_soon(self.filer.discard, command.staged)
            case Forget():
                self.submissions.forget(command.task_ids)

    def stop(self, command: Stop, state: PoolState) -> None:
        """Let no further task start."""
        self.submissions.stop(command, state.held_task_ids | self.filer.under_way)

    def execute_for_group(self, command: GroupCommand) -> None:
        """Execute one command about a group of tasks."""
        match command:
            case WithholdGroup():
                self.feeder.withhold_group(command.group)
            case ReleaseGroup():
                self.feeder.release_group(command.group)
            case SetAside():
                if command.is_new:
                    self.context.event_log.notice(Level.WARNING, command.cause)
                self.feeder.withhold_group(command.group)
                self.writer.submit(command)
            case ReopenGroup():
                self.writer.submit(command)

    async def _file(self, command: FileReport | RecordOutcome) -> None:
        with self.context.inbox.unsettled.counted():
            if isinstance(command, FileReport):
                with anyio.move_on_after(command.delay_s):
                    await self.context.ending.wait()
                is_filed = await self.filer.finalize(command)
            else:
                is_filed = await self.filer.record_outcome(command)
            self.filer.under_way.discard(command.task.task_id)
            if is_filed:
                self.workers[command.worker.slot].count_done()
                self.submissions.on_outcome(command.task, command.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginCommandExecutor:
    """Lets workers check, renew and share the login, and backs it up."""

    context: PoolContext
    workers: Mapping[int, Worker]
    #: Source of one-time codes; ``None`` if no secret is given.
    totp: TotpGenerator | None

    async def execute(self, command: LoginCommand, state: PoolState) -> None:
        """Execute one command, which the policy returned with this state."""
        match command:
            case ScheduleVerification():
                await anyio.sleep(command.delay_s)
                self.context.post(VerificationDue(worker=command.worker))
            case RequestLoginCheck():
                checked = state.slots[command.worker.slot].unverified.checked_task_ids
                await self._send(command.worker, messages.CheckLogin(task_ids=checked or frozenset()))
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
            save = partial(save_refreshed_login, worker.profile.base_profile_path, worker.cookies_path)
            await anyio.to_thread.run_sync(save, abandon_on_cancel=True)  # the profile may be on a share that hangs
        except OSError as error:
            problem = f"could not save a backup of the renewed login beside the profile ({error.strerror})"
            self.context.event_log.notice(Level.WARNING, problem, worker.ref)

    async def _announce_expiry(self, command: AnnounceLoginExpiry) -> None:
        ends_at = self.context.clock.now() + timedelta(seconds=command.ends_in_s)
        notice = f"the login is expected to expire at about {ends_at.astimezone():%H:%M}"
        self.context.event_log.notice(Level.INFO, notice)
        if command.renewal_in_s is not None:
            await anyio.sleep(command.renewal_in_s)
            self.context.post(LoginExpiring(number=command.number))

    async def _send(
        self, worker: WorkerRef, message: messages.CheckLogin | messages.Refresh | messages.ImportCookies
    ) -> None:
        await self.workers[worker.slot].send(worker.generation, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandExecutor:
    """Executes every command of the policy."""

    context: PoolContext
    tasks: TaskGroup
    #: Name of the profile, for the commands that messages suggest.
    profile_name: str
    worker_commands: WorkerCommandExecutor
    task_commands: TaskCommandExecutor
    login_commands: LoginCommandExecutor

    def execute(self, command: Command, state: PoolState) -> None:
        """Execute one command.

        Args:
            command: The command.
            state: The state that the policy returned with it.
        """
        match command:
            case Pause() | ExtendPause() | Resume() | ReportMemoryRecycle():
                self._announce(command)
            case Spawn() | KillAndRestart() | Recycle() | SuspendSlot() | GiveUp():
                self.worker_commands.execute(command)
            case FileReport() | RecordOutcome() | Requeue() | Discard() | Forget() | FailQueued():
                self.task_commands.execute(command)
            case SetAside() | WithholdGroup() | ReleaseGroup() | ReopenGroup():
                self.task_commands.execute_for_group(command)
            case (
                ScheduleVerification()
                | RequestLoginCheck()
                | RefreshLogin()
                | CopyLogin()
                | BackUpLogin()
                | AnnounceLoginExpiry()
            ):
                self.tasks.start_soon(self.login_commands.execute, command, state)
            case Stop():
                self._stop(command, state)
            case _:
                assert_never(command)

    def _stop(self, command: Stop, state: PoolState) -> None:
        self.task_commands.stop(command, state)
        if command.cause is StopCause.PROFILE_DAMAGED:  # a page loaded without a login looks like a result
            self.worker_commands.kill_all()

    def _announce(self, command: PauseCommand | ReportMemoryRecycle) -> None:
        """Notify people of a pause, its end or a recycling, and time the pause. The controller applies the state."""
        if isinstance(command, ReportMemoryRecycle):
            self.context.event_log.publish(command.relieved)
            return
        is_over = isinstance(command, Resume)
        level = Level.INFO if is_over else Level.WARNING
        self.context.event_log.notice(level, pause_message(command, self.profile_name))
        if is_over:
            return
        if command.delay_s is not None:
            count = command.extension_count if isinstance(command, ExtendPause) else 0
            self.tasks.start_soon(self._expire_pause, command.cause, command.delay_s, count)

    async def _expire_pause(self, cause: PauseReason, delay_s: float, extension_count: int) -> None:
        await anyio.sleep(delay_s)
        self.context.post(PauseEnded(cause=cause, extension_count=extension_count))
