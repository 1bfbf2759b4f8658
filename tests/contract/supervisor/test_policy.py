"""What holds of the pool's policy whatever happens, by the thousand: pure, so nothing is started here."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.options import Limits
from poolwright.domain.outcomes import LoginCheck, Reason, ReturnReason
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import DEATH_LIMIT, POTask, Report
from poolwright.ipc.messages import Finished, LoginChecked, LoginRequired, LoginResult, Returned
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
    KillAndRestart,
    LoginCommand,
    Pause,
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
)
from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.events import (
    FilingFailed,
    LimitsChanged,
    LoginExpiring,
    MemorySampled,
    PauseEnded,
    PoolInput,
    RestartRequested,
    StopRequested,
    TaskAssigned,
    TaskFiled,
    VerificationDue,
    WorkerEnded,
    WorkerLost,
    WorkerReady,
)
from poolwright.supervisor.policy.login_state import LIFETIME_MIN_S, LoginStatus
from poolwright.supervisor.policy.pauses import STORAGE_PAUSES, PauseReason
from poolwright.supervisor.policy.state import RESTART_LIMIT, PoolState, RecyclePolicy, WorkerSlot
from tests.support.pace import LONG_WALKS
from tests.support.worker_messages import received

#: Holds whose causes take workers with them.
EXCUSING = {*STORAGE_PAUSES.values(), PauseReason.PLACE_GONE, PauseReason.PORTAL_DOWN}
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")


def standing(*slots: int, **changes: int | bool) -> PoolState:
    return replace(PoolState(slots={slot: WorkerSlot() for slot in slots or (1, 2)}), **changes)


class Policy(RuleBasedStateMachine):
    """A model of queue and workers that obeys every command; the laws of design section 12 hold after each step."""

    @initialize(slot_count=st.integers(1, 4), task_count=st.integers(1, 12), waits_for_login=st.booleans())
    def open(self, slot_count: int, task_count: int, *, waits_for_login: bool) -> None:
        opened = standing(*range(1, slot_count + 1))
        self.state = replace(
            opened,
            waits_for_login=waits_for_login,
            renews_early=True,
            recycle_policy=RecyclePolicy(tasks=4, age_s=300.0),
        )
        self.queue = [replace(TASK, task_id=TaskId(f"demo:{number}")) for number in range(task_count)]
        self.task_count = task_count
        self.in_hand: dict[TaskId, tuple[WorkerRef, POTask]] = {}
        self.outcomes = Counter[TaskId]()
        self.alive = {WorkerRef(slot, 1) for slot in range(1, slot_count + 1)}
        self.lost = Counter[int]()
        self.held_causes = set[PauseReason]()
        self.due = set[WorkerRef]()
        self.asked = set[WorkerRef]()
        self.now_s, self.login_number = 0.0, 0
        self.logged_out, self.logging_in = set[WorkerRef](), set[WorkerRef]()
        self.is_stopped = False
        self.retiring = set[WorkerRef]()
        self.bereft = set[int]()
        self.filing: dict[TaskId, FileReport] = {}
        self.refused: dict[TaskId, FileReport] = {}
        self.last_discard: Command | None = None
        self.is_excused = False

    def tell(self, fact: PoolInput) -> None:
        decision = decide(self.state, fact)
        self.state = decision.state
        for command in decision.commands:
            self.obey(command)

    def obey(self, command: Command) -> None:
        match command:
            case FileReport() | RecordOutcome() | Requeue() | FailQueued() | Discard() | Forget():
                self.obey_about_tasks(command)
            case (
                RefreshLogin()
                | CopyLogin()
                | ScheduleVerification()
                | RequestLoginCheck()
                | BackUpLogin()
                | AnnounceLoginExpiry()
            ):
                self.obey_about_logins(command)
            case Spawn() | KillAndRestart() | Recycle() | SuspendSlot() | GiveUp():
                self.obey_about_lives(command)
            case Stop():
                self.is_stopped = True
            case ReportMemoryRecycle():
                assert command.relieved.worker in self.up()
            case Pause() | Resume() | ExtendPause():
                assert isinstance(command, Pause) == (command.cause not in self.held_causes)
                self.held_causes -= {command.cause}
                self.held_causes |= set() if isinstance(command, Resume) else {command.cause}
            case WithholdGroup() | ReleaseGroup() | SetAside() | ReopenGroup():
                msg = "no order has a group here"
                raise AssertionError(msg)

    def obey_about_lives(self, command: WorkerCommand) -> None:
        match command:
            case Spawn():
                assert command.delay_s > 0 or not self.is_excused, "back at once while nothing can work"
                self.bereft.discard(command.worker.slot)
                self.alive.add(command.worker)
            case KillAndRestart():
                self.forget(command.worker)
                self.bereft.add(command.worker.slot)
                self.tell(WorkerLost(worker=command.worker, cause=command.cause))
            case Recycle():
                assert command.worker in self.up()
                assert command.worker not in self.retiring
                self.retiring.add(command.worker)
            case SuspendSlot():
                assert command.worker not in self.alive
                self.lost[command.worker.slot] = RESTART_LIMIT  # it is tried once more, after a while
            case GiveUp():
                assert command.worker not in self.alive
                self.bereft.discard(command.worker.slot)

    def forget(self, worker: WorkerRef) -> None:
        for those in (self.alive, self.logged_out, self.logging_in, self.retiring):
            those.discard(worker)

    def obey_about_logins(self, command: LoginCommand) -> None:
        match command:
            case BackUpLogin():
                assert self.state.slots[command.slot].login_status is LoginStatus.LOGGED_IN
            case AnnounceLoginExpiry():
                self.login_number = command.number
            case ScheduleVerification():
                self.due.add(command.worker)
            case RequestLoginCheck():
                self.asked.add(command.worker)
            case RefreshLogin() | CopyLogin():
                assert command.worker in self.alive
                self.logging_in.add(command.worker)

    def obey_about_tasks(self, command: TaskCommand) -> None:
        match command:
            case FileReport() | RecordOutcome():
                self.in_hand.pop(command.task.task_id, None)
                self.filing.pop(command.task.task_id, None)
                self.take_to_be_filed(command)
            case Requeue():
                self.in_hand.pop(command.task.task_id, None)
                self.filing.pop(command.task.task_id, None)
                task = command.task
                attempt = task.attempt + int(command.is_attempt_spent)
                deaths = task.death_count + int(command.is_death)
                self.queue.insert(0, replace(task, attempt=attempt, death_count=deaths))
            case FailQueued():
                self.outcomes.update(task.task_id for task in self.queue)
                self.queue.clear()
            case Discard() | Forget():
                assert command != self.last_discard, "removed twice"
                self.last_discard = command

    def take_to_be_filed(self, command: FileReport | RecordOutcome) -> None:
        """What is to be filed waits for the disk, which may refuse it; the journal alone refuses nothing."""
        task_id = command.task.task_id
        if isinstance(command, RecordOutcome):
            self.outcomes[task_id] += 1
            self.tell(TaskFiled(worker=command.worker, task=command.task))
            return
        assert command.delay_s > 0 or command != self.refused.get(task_id), "filed again at once, as it was"
        self.filing[task_id] = command

    @precondition(lambda self: self.filing)
    @rule(data=st.data())
    def file(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.filing)))
        command = self.filing.pop(task_id)
        self.outcomes[task_id] += 1
        self.tell(TaskFiled(worker=command.worker, task=command.task))

    @precondition(lambda self: self.filing)
    @rule(data=st.data(), trouble=st.sampled_from(StorageTrouble), is_place_fine=st.booleans())
    def refuse_to_file(self, data: st.DataObject, trouble: StorageTrouble, *, is_place_fine: bool) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.filing)))
        command = self.refused[task_id] = self.filing[task_id]
        told = FilingFailed(
            worker=command.worker, file=command, problem="no", trouble=trouble, is_place_fine=is_place_fine
        )
        self.tell(told)

    def any_alive(self, data: st.DataObject) -> WorkerRef:
        return data.draw(st.sampled_from(sorted(self.alive)))

    @precondition(lambda self: self.alive and self.queue and not self.is_stopped)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        worker, task = self.any_alive(data), self.queue.pop(0)
        self.in_hand[task.task_id] = (worker, task)
        self.tell(TaskAssigned(worker=worker, task=task))

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data(), reason=st.sampled_from(Reason))
    def report(self, data: st.DataObject, reason: Reason) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.in_hand)))
        self.tell(received(Finished, worker=self.in_hand[task_id][0], task_id=task_id, report=Report(reason=reason)))

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.in_hand)))
        why = ReturnReason.SESSION_LOST
        self.tell(received(Returned, worker=self.in_hand[task_id][0], task_id=task_id, why=why, detail=""))

    @precondition(lambda self: self.due)
    @rule(data=st.data())
    def check_is_overdue(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(sorted(self.due)))
        self.due.discard(worker)
        self.tell(VerificationDue(worker=worker))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), result=st.sampled_from(LoginCheck))
    def answer_probe(self, data: st.DataObject, result: LoginCheck) -> None:
        worker = data.draw(st.sampled_from(sorted(self.asked)))
        self.asked.discard(worker)
        self.tell(received(LoginChecked, worker=worker, result=result))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), is_in_order=st.booleans())
    def end_worker(self, data: st.DataObject, *, is_in_order: bool) -> None:
        worker = self.any_alive(data)
        in_order = is_in_order and (self.is_stopped or worker in self.retiring)
        # One that has nothing left and hangs while it goes is ended for it, which is no crash.
        is_done = worker in self.retiring and not any(worker == holder for holder, _ in self.in_hand.values())
        # A disk that takes nothing and a portal that is away cost no restart: the slot comes back when they are over.
        self.is_excused = not in_order and not self.held_causes.isdisjoint(EXCUSING)
        self.lost[worker.slot] += not (in_order or is_done or self.is_excused)
        if not in_order or worker in self.retiring:  # its slot is CRASHED or RESTARTING now
            self.bereft.add(worker.slot)
        self.forget(worker)
        self.tell(WorkerEnded(worker=worker) if in_order else WorkerLost(worker=worker, cause="gone"))
        self.is_excused = False

    @rule(data=st.data())
    def come_up(self, data: st.DataObject) -> None:
        if ready := sorted(self.alive - self.logged_out):
            self.tell(WorkerReady(worker=data.draw(st.sampled_from(ready))))

    @rule()
    def age_login(self) -> None:
        self.tell(LoginExpiring(number=self.login_number))

    @rule(data=st.data())
    def lose_login(self, data: st.DataObject) -> None:
        if logged_in := sorted(self.alive - self.logged_out):
            worker = data.draw(st.sampled_from(logged_in))
            self.logged_out.add(worker)
            self.now_s += LIFETIME_MIN_S
            self.tell(received(LoginRequired, worker=worker, detail="", at_s=self.now_s))

    @precondition(lambda self: self.logging_in)
    @rule(data=st.data(), is_logged_in=st.booleans())
    def settle_login(self, data: st.DataObject, *, is_logged_in: bool) -> None:
        worker = data.draw(st.sampled_from(sorted(self.logging_in)))
        self.logging_in.discard(worker)
        (self.logged_out.discard if is_logged_in else self.logged_out.add)(worker)
        self.tell(received(LoginResult, worker=worker, is_logged_in=is_logged_in, detail="", at_s=self.now_s))

    @rule(slot=st.integers(1, 4), attempts=st.integers(3, 5))
    def ask_for_a_restart_and_other_limits(self, slot: int, attempts: int) -> None:
        if slot in self.state.slots:
            self.tell(RestartRequested(slot=slot))
        told = Limits(
            max_attempts=max(self.state.max_attempts, attempts),
            task_timeout_s=1.0,
            memory_threshold=0.75,
            recycle_after_tasks=4,
            recycle_after_s=None,
        )
        self.tell(LimitsChanged(limits=told))

    @rule(
        sizes=st.dictionaries(st.integers(1, 4), st.integers(1, 40), min_size=1),
        pause_s=st.sampled_from([2.0, 70.0]),
        is_exact=st.booleans(),
    )
    def look_at_memory(self, sizes: dict[int, int], pause_s: float, *, is_exact: bool) -> None:
        self.now_s += pause_s
        by_worker = {worker: sizes.get(worker.slot, 1) for worker in self.alive}
        away = len(self.retiring)
        self.tell(MemorySampled(by_worker=by_worker, own_bytes=1, total_bytes=80, is_exact=is_exact, at_s=self.now_s))
        assert len(self.retiring) <= max(1, away)

    @precondition(lambda self: self.held_causes)
    @rule(data=st.data())
    def hold_over(self, data: st.DataObject) -> None:
        cause = data.draw(st.sampled_from(sorted(self.held_causes)))
        self.tell(PauseEnded(cause=cause, extension_count=self.state.pauses.extension_count(cause)))

    @rule(cause=st.sampled_from(StopCause))
    def stop(self, cause: StopCause) -> None:
        self.tell(StopRequested(cause=cause))

    @invariant()
    def every_task_is_in_one_place(self) -> None:
        places = [*(task.task_id for task in self.queue), *self.in_hand, *self.filing]
        where = Counter(places) + self.outcomes
        assert len(where) == self.task_count
        assert set(where.values()) == {1}

    @invariant()
    def the_plan_knows_who_holds_what(self) -> None:
        slots = self.state.slots.items()
        known = {task_id: slot for slot, one in slots for task_id in (*one.held, *one.unverified.task_ids)}
        assert known == {task_id: worker.slot for task_id, (worker, _) in self.in_hand.items()}

    @invariant()
    def what_is_kept_back_is_proven_or_given_back_some_time(self) -> None:
        for number, slot in self.state.slots.items():
            worker = WorkerRef(number, slot.generation)
            assert not slot.unverified.row or worker in (self.alive if self.is_stopped else self.due | self.asked)
            assert slot.unverified.is_checking <= (worker in self.asked)

    @invariant()
    def no_slot_is_left_on_its_way(self) -> None:
        assert not self.bereft

    @invariant()
    def holds_are_told(self) -> None:
        assert self.state.pauses.active == self.held_causes

    @invariant()
    def whoever_is_logged_out_is_seen_to(self) -> None:
        if not self.is_stopped and PauseReason.LOGIN_REQUIRED not in self.held_causes:
            assert not self.logged_out or self.state.login_recovery.is_active
            renewal = self.state.login_recovery
            assert not renewal.is_due or renewal.is_active or self.in_hand or not any(self.up())
            assert not self.state.login_recovery.adopting - {worker.slot for worker in self.logging_in}

    def up(self) -> list[WorkerRef]:
        slots = self.state.slots.items()
        return [WorkerRef(number, slot.generation) for number, slot in slots if slot.is_up]

    @invariant()
    def limits_hold(self) -> None:
        assert all(count <= RESTART_LIMIT + 1 for count in self.lost.values() if not self.is_stopped)
        for task in [*self.queue, *(task for _, task in self.in_hand.values())]:
            assert task.attempt <= self.state.max_attempts
            assert task.death_count <= DEATH_LIMIT

    @invariant()
    def a_dead_pool_has_no_open_task_unless_it_was_stopped(self) -> None:
        if not self.alive and not self.is_stopped:
            raise AssertionError("no worker lives, and nobody was told")


Policy.TestCase.settings = LONG_WALKS
TestPolicy = Policy.TestCase
