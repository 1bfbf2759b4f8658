"""Does what the plan commands. Decides nothing; what comes of a command is reported as a fact."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import assert_never

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from poolwright.archive.staging import staging_folder_name
from poolwright.concurrency import WaitGroup
from poolwright.domain.events import Level
from poolwright.domain.ids import WorkerRef
from poolwright.domain.ports import Clock
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc import messages
from poolwright.profile.backups import save_refreshed_login
from poolwright.supervisor.chronicle import Chronicle
from poolwright.supervisor.clerk import Clerk
from poolwright.supervisor.codes import OneTimeCodes
from poolwright.supervisor.commands import (
    AdoptLogin,
    AwaitProof,
    Command,
    Discard,
    FailRest,
    File,
    Finish,
    ForetellEnd,
    Forget,
    GiveUp,
    Hold,
    KeepLogin,
    LifeCommand,
    LoginCommand,
    Probe,
    Recycle,
    RefreshLogin,
    Release,
    Requeue,
    Rest,
    Retire,
    Spawn,
    Staged,
    Stop,
    TaskCommand,
    TellRelief,
)
from poolwright.supervisor.dispatch import Dispatch
from poolwright.supervisor.facts import Fact, ProofOverdue
from poolwright.supervisor.filing import Filing
from poolwright.supervisor.holding import told
from poolwright.supervisor.holds import HoldCause
from poolwright.supervisor.pool_facts import HoldOver, LoginAges
from poolwright.supervisor.stops import StopCause
from poolwright.supervisor.worker import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """What a pool counts."""

    #: Facts and filings that are not dealt with yet.
    unsettled: WaitGroup
    #: Generations of workers that are not over yet.
    alive: WaitGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """Executes commands. Slow work goes to the task writer or the pool's task group, so that no event waits for it."""

    chronicle: Chronicle
    dispatch: Dispatch
    filing: Filing
    clerk: Clerk
    workers: Mapping[int, Worker]
    tasks: TaskGroup
    tallies: Tallies
    clock: Clock
    #: For commands that people are to give.
    profile_name: str
    #: For portals that want one; nothing where no secret is given.
    codes: OneTimeCodes | None
    #: Where a slot's worker stages its files.
    staging_path: Callable[[int], Path]
    #: Takes the news that the pool cannot go on.
    note_end: Callable[[Stop], None]
    #: Takes the news that a task has its outcome.
    note_outcome: Callable[[POTask, Report], None]
    report: Callable[[Fact], None]
    #: Set when the pool ends: nobody waits for anything any more.
    ending: anyio.Event

    def perform(self, command: Command) -> None:
        """Carry one command out."""
        match command:
            case Hold() | Release() | TellRelief():
                self._tell(command)
            case Spawn() | Recycle() | Retire() | Rest() | GiveUp():
                self._see_to_life(command)
            case File() | Finish() | Requeue() | Discard() | Forget() | FailRest():
                self._see_to_tasks(command)
            case AwaitProof() | Probe() | RefreshLogin() | AdoptLogin() | KeepLogin() | ForetellEnd():
                self.tasks.start_soon(self._see_to_login, command)
            case Stop():
                self._stop(command)
            case _:
                assert_never(command)

    def _see_to_tasks(self, command: TaskCommand) -> None:
        match command:
            case File() | Finish():
                self.tallies.unsettled.add()
                self.filing.under_way.add(command.task.task_id)
                self.tasks.start_soon(self._file, command)
            case FailRest():
                self.dispatch.end_trials()
                self.clerk.take(command)
            case Requeue():
                self.clerk.take(command)
            case Discard():
                self.tasks.start_soon(self.filing.discard, self._place_of(command.staged))
            case Forget():
                for task_id in command.task_ids:
                    self.dispatch.forget(task_id)

    def start_worker(self, worker: Worker, generation: int, delay_s: float) -> None:
        """Let one generation of a slot live."""
        self.tallies.alive.add()
        self.tasks.start_soon(self._live, worker, generation, delay_s)

    async def _live(self, worker: Worker, generation: int, delay_s: float) -> None:
        with self.tallies.alive.counted():
            await worker.live(generation, delay_s)

    def _stop(self, command: Stop) -> None:
        self.note_end(command)
        if command.cause is StopCause.PROFILE_DAMAGED:  # nothing is fetched any more that a lost login may have spoiled
            for worker in self.workers.values():
                worker.abandon()

    async def _file(self, command: File | Finish) -> None:
        own = Staged(worker=command.worker, task=command.task, report=command.report)
        with self.tallies.unsettled.counted():
            if isinstance(command, File):
                with anyio.move_on_after(command.delay_s):
                    await self.ending.wait()
                is_filed = await self.filing.file(command, self._place_of(command.staged or own))
            else:
                is_filed = await self.filing.finish(command, self._place_of(own))
            self.filing.under_way.discard(command.task.task_id)
            if is_filed:
                self.dispatch.forget(command.task.task_id)
                self.workers[command.worker.slot].count_done()
                self.note_outcome(command.task, command.report)

    def _place_of(self, staged: Staged) -> Path:
        return self.staging_path(staged.worker.slot) / staging_folder_name(staged.task)

    async def _see_to_login(self, command: LoginCommand) -> None:
        match command:
            case AwaitProof():
                await anyio.sleep(command.delay_s)
                self.report(ProofOverdue(worker=command.worker))
            case Probe():
                await self._ask(command.worker, messages.VerifyLogin())
            case RefreshLogin():
                code = await self.codes.next() if self.codes else ""
                await self._ask(command.worker, messages.Refresh(one_time_code=code, is_early=command.is_early))
            case KeepLogin():
                await self._keep_login(command.slot)
            case ForetellEnd():
                await self._foretell(command)
            case AdoptLogin():
                cookies_path = self.workers[command.source_slot].cookies_path
                await self._ask(command.worker, messages.ImportCookies(cookies_path=str(cookies_path)))
            case _:
                assert_never(command)

    async def _keep_login(self, slot: int) -> None:
        worker = self.workers[slot]
        try:
            keep = partial(save_refreshed_login, worker.profile.base_profile_path, worker.cookies_path)
            await anyio.to_thread.run_sync(keep, abandon_on_cancel=True)  # the profile may be on a share that hangs
        except OSError as error:
            problem = f"could not save a backup of the renewed login beside the profile ({error.strerror})"
            self.chronicle.notice(Level.WARNING, problem, worker.ref)

    async def _foretell(self, command: ForetellEnd) -> None:
        ends_at = self.clock.now() + timedelta(seconds=command.ends_in_s)
        self.chronicle.notice(Level.INFO, f"the login is expected to expire at about {ends_at.astimezone():%H:%M}")
        if command.renewal_in_s is not None:
            await anyio.sleep(command.renewal_in_s)
            self.report(LoginAges(number=command.number))

    async def _ask(
        self, worker: WorkerRef, message: messages.VerifyLogin | messages.Refresh | messages.ImportCookies
    ) -> None:
        await self.workers[worker.slot].ask(worker.generation, message)

    def _see_to_life(self, command: LifeCommand) -> None:
        worker = self.workers[command.worker.slot]
        match command:
            case Spawn():
                self.start_worker(worker, command.worker.generation, command.delay_s)
            case Retire():
                told = f"recycling after its current tasks: {command.cause}"
                self.chronicle.notice(Level.INFO, told, command.worker)
                self.tasks.start_soon(worker.retire, command.worker.generation, command.cause)
            case Recycle():
                self.chronicle.notice(Level.WARNING, f"ending it now and restarting: {command.cause}", command.worker)
                worker.recycle(command.cause)
            case Rest():
                told = f"suspended for {command.rest_s / 60:g} minutes before the next restart: {command.cause}"
                self.chronicle.notice(Level.ERROR, told, command.worker)
            case GiveUp():
                level = Level.INFO if command.is_expected else Level.ERROR
                self.chronicle.notice(level, f"stopped for good: {command.cause}", command.worker)
                worker.give_up()

    def _tell(self, command: Hold | Release | TellRelief) -> None:
        """The pool's own state follows from its standing; here people are told, and the time of a hold runs."""
        if isinstance(command, TellRelief):
            self.chronicle.tell(command.relieved)
            return
        is_over = isinstance(command, Release)
        self.chronicle.notice(Level.INFO if is_over else Level.WARNING, told(command, self.profile_name))
        if is_over:
            return
        if command.delay_s is not None:
            self.tasks.start_soon(self._end_hold, command.cause, command.delay_s)

    async def _end_hold(self, cause: HoldCause, delay_s: float) -> None:
        await anyio.sleep(delay_s)
        self.report(HoldOver(cause=cause))
