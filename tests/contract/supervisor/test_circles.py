"""No chain of facts makes the same command twice without time in between, whatever the world answers for ever."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import LoginCheck, Reason, ReturnReason
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished, LoginChecked, LoginRequired, LoginResult, Returned, StartupFailure
from poolwright.supervisor.policy.commands import (
    AnnounceLoginExpiry,
    Command,
    CopyLogin,
    ExtendPause,
    FailQueued,
    FileReport,
    KillAndRestart,
    Pause,
    RecordOutcome,
    Recycle,
    RefreshLogin,
    RequestLoginCheck,
    Requeue,
    ScheduleVerification,
    Spawn,
    Stop,
)
from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.events import (
    FilingFailed,
    LoginExpiring,
    PauseEnded,
    PoolInput,
    TaskAssigned,
    TaskFiled,
    TaskStuck,
    VerificationDue,
    WorkerEnded,
    WorkerFolderFailed,
    WorkerLost,
    WorkerReady,
)
from poolwright.supervisor.policy.state import LossKind, PoolState, WorkerSlot
from tests.support.worker_messages import received, startup_failed

TASKS = tuple(POTask(task_id=TaskId(f"demo:{n}"), po_number=f"PO{n}", portal_number=f"{n}") for n in range(3))
#: What an order takes at least, and a browser that comes up. All else is answered at once, as by the worst disk.
ORDER_S, START_S = 1.0, 0.5
#: So much is never commanded within a minute; a circle needs more than any number.
COMMANDS_MAX, MINUTE_S = 500, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedAnswers:
    """How the world answers, each time alike."""

    start: LossKind | StorageTrouble | Literal["ready", "logged out", "portal gone"] = "ready"
    task: Reason | ReturnReason | LossKind | Literal["stuck"] = Reason.ALL_SAVED
    #: Why the disk refuses files, and whether the folder as a whole takes some; nothing where it takes all.
    filing: tuple[StorageTrouble, bool] | None = None
    login_check: LoginCheck = LoginCheck.LOGGED_IN
    is_login_good: bool = True


class SimulatedPool:
    """Two slots and a short list, in a time of their own."""

    def __init__(self, mood: ScriptedAnswers, standing: PoolState) -> None:
        self.mood, self.state = mood, standing
        self.queue = deque(TASKS)
        self.now_s = 0.0
        self.said = set[tuple[float, str]]()
        self.is_over = False
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        for slot in standing.slots:
            self.start(WorkerRef(slot, 1))

    def run(self) -> None:
        while self._agenda and not self.is_over and (len(self.said) < COMMANDS_MAX or self.now_s < MINUTE_S):
            self.now_s, _, act = heapq.heappop(self._agenda)
            act()
            assert len(self.said) < 10 * COMMANDS_MAX, "it runs in circles"

    def later(self, delay_s: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.now_s + delay_s, next(self._numbers), act))

    def answer(self, *facts: PoolInput, delay_s: float = 0.0) -> None:
        for fact in facts:
            self.later(delay_s, partial(self.tell, fact))

    def tell(self, fact: PoolInput) -> None:
        decision = decide(self.state, fact)
        self.state = decision.state
        for command in decision.commands:
            said = (self.now_s, repr(_of_any_generation(command)))
            assert said not in self.said, f"twice at {self.now_s} s: {command}"
            self.said.add(said)
            self.obey(command)
        self.later(0.0, self.hand_out)

    def hand_out(self) -> None:
        for number, slot in self.state.slots.items():
            is_closed = self.state.pauses.active or self.state.is_stopping
            if slot.is_up and not slot.held and not slot.is_being_recycled and self.queue and not is_closed:
                worker, task = WorkerRef(number, slot.generation), self.queue.popleft()
                self.tell(TaskAssigned(worker=worker, task=task))
                self.later(ORDER_S, partial(self.end_task, worker, task))

    def end_task(self, worker: WorkerRef, task: POTask) -> None:
        slot = self.state.slots[worker.slot]
        if slot.generation != worker.generation or task.task_id not in slot.held:
            return
        match self.mood.task:
            case Reason():
                report = Report(reason=self.mood.task)
                self.answer(received(Finished, worker=worker, task_id=task.task_id, report=report))
            case ReturnReason():
                self.answer(received(Returned, worker=worker, task_id=task.task_id, why=self.mood.task, detail=""))
                if self.mood.task is ReturnReason.SESSION_LOST:
                    self.answer(received(LoginRequired, worker=worker, detail="", at_s=self.now_s))
            case LossKind():
                self.lose(worker, self.mood.task)
            case "stuck":
                self.answer(TaskStuck(worker=worker, task_id=task.task_id))
                self.lose(worker, LossKind.DIED)

    def lose(self, worker: WorkerRef, kind: LossKind) -> None:
        self.answer(WorkerLost(worker=worker, cause="gone", kind=kind, at_s=self.now_s))

    def start(self, worker: WorkerRef) -> None:
        match self.mood.start:
            case LossKind():
                self.lose(worker, self.mood.start)
            case StorageTrouble():
                self.answer(WorkerFolderFailed(worker=worker, trouble=self.mood.start, detail=""))
                self.lose(worker, LossKind.NOT_STARTED)
            case "portal gone":
                self.answer(startup_failed(worker, StartupFailure.PORTAL))
                self.lose(worker, LossKind.UNABLE)
            case "logged out":
                self.answer(received(LoginRequired, worker=worker, detail="", at_s=self.now_s), delay_s=START_S)
            case "ready":
                self.answer(WorkerReady(worker=worker, at_s=self.now_s), delay_s=START_S)

    def obey(self, command: Command) -> None:
        match command:
            case Spawn():
                self.later(command.delay_s, partial(self.start, command.worker))
            case KillAndRestart():
                self.lose(command.worker, LossKind.DIED)
            case Recycle():
                self.answer(WorkerEnded(worker=command.worker))
            case Pause(delay_s=float(delay_s)) | ExtendPause(delay_s=delay_s):
                count = command.extension_count if isinstance(command, ExtendPause) else 0
                self.answer(PauseEnded(cause=command.cause, extension_count=count), delay_s=delay_s)
            case FileReport() | RecordOutcome() | Requeue() | FailQueued():
                self.obey_about_tasks(command)
            case RequestLoginCheck() | ScheduleVerification() | RefreshLogin() | CopyLogin() | AnnounceLoginExpiry():
                self.obey_about_logins(command)
            case Stop():
                self.is_over = True
            case _:
                pass

    def obey_about_tasks(self, command: FileReport | RecordOutcome | Requeue | FailQueued) -> None:
        match command:
            case FileReport() if self.mood.filing is not None:
                trouble, is_fine = self.mood.filing
                refusal = FilingFailed(
                    worker=command.worker, file=command, problem="", trouble=trouble, is_place_fine=is_fine
                )
                self.answer(refusal, delay_s=command.delay_s)
            case FileReport() | RecordOutcome():
                self.answer(TaskFiled(worker=command.worker, task=command.task))
            case Requeue():
                attempt = command.task.attempt + command.is_attempt_spent
                deaths = command.task.death_count + command.is_death
                again = replace(command.task, attempt=attempt, death_count=deaths)
                self.later(command.delay_s, partial(self.queue.appendleft, again))
                self.later(command.delay_s, self.hand_out)
            case FailQueued():
                self.queue.clear()

    def obey_about_logins(
        self, command: RequestLoginCheck | ScheduleVerification | RefreshLogin | CopyLogin | AnnounceLoginExpiry
    ) -> None:
        match command:
            case RequestLoginCheck():
                self.answer(received(LoginChecked, worker=command.worker, result=self.mood.login_check))
            case ScheduleVerification():
                self.answer(VerificationDue(worker=command.worker), delay_s=command.delay_s)
            case RefreshLogin() | CopyLogin():
                is_in = self.mood.is_login_good
                told = received(LoginResult, worker=command.worker, is_logged_in=is_in, detail="", at_s=self.now_s)
                self.answer(told, *([WorkerReady(worker=command.worker, at_s=self.now_s)] if is_in else []))
            case AnnounceLoginExpiry(renewal_in_s=float(renewal_in_s)):
                self.answer(LoginExpiring(number=command.number), delay_s=renewal_in_s)
            case _:
                pass


def _of_any_generation(command: Command) -> Command:
    """The same, whichever process of its slot is to begin: one that comes up in vain does so each time as another."""
    return replace(command, worker=WorkerRef(command.worker.slot, 0)) if isinstance(command, Spawn) else command


MOODS = [
    *(ScriptedAnswers(start=kind) for kind in LossKind),
    *(ScriptedAnswers(start=trouble) for trouble in StorageTrouble if trouble.is_temporary),
    ScriptedAnswers(start="portal gone"),
    *(ScriptedAnswers(start="logged out", is_login_good=is_good) for is_good in (True, False)),
    *(ScriptedAnswers(task=reason) for reason in Reason),
    *(
        ScriptedAnswers(task=reason, login_check=login_check)
        for reason in (Reason.PORTAL_SAYS_MISSING, Reason.NO_PERMISSION)
        for login_check in LoginCheck
    ),
    *(ScriptedAnswers(task=why, is_login_good=is_good) for why in ReturnReason for is_good in (True, False)),
    *(ScriptedAnswers(task=kind) for kind in LossKind),
    ScriptedAnswers(task="stuck"),
    *(ScriptedAnswers(filing=(trouble, is_fine)) for trouble in StorageTrouble for is_fine in (True, False)),
]


def _name(mood: ScriptedAnswers) -> str:
    return "-".join(
        str(part) for part in (mood.start, mood.task, mood.filing or "", mood.login_check, mood.is_login_good)
    )


@pytest.mark.parametrize("was_ready", [True, False])
@pytest.mark.parametrize("mood", MOODS, ids=_name)
def test_nothing_is_commanded_again_at_once(mood: ScriptedAnswers, *, was_ready: bool) -> None:
    standing = PoolState(
        slots={1: WorkerSlot(), 2: WorkerSlot()}, was_ready=was_ready, waits_for_login=was_ready, renews_early=True
    )

    world = SimulatedPool(mood, standing)
    world.run()

    assert len(world.said) < COMMANDS_MAX or world.now_s >= MINUTE_S
