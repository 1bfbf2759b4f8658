"""The pool's policy, by the thousand: pure, so nothing is started here."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from app.domain.failures import GivenBack, Outcome, Proof, Reason
from app.domain.ids import TaskId, WorkerRef
from app.domain.options import Limits
from app.domain.task import POTask, Report
from app.supervisor.commands import (
    AdoptLogin,
    AwaitProof,
    Command,
    FailRest,
    File,
    ForetellEnd,
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
    Retire,
    Spawn,
    Stop,
    TellRelief,
)
from app.supervisor.facts import (
    BrowserUnfit,
    Fact,
    FilingFailed,
    HoldOver,
    JournalFull,
    JournalLocked,
    LimitsChanged,
    LoginAges,
    LoginLost,
    LoginSettled,
    MemorySeen,
    PauseAsked,
    PortalDown,
    Probed,
    ProofOverdue,
    RestartAsked,
    StopCause,
    StopNeeded,
    TaskFiled,
    TaskReported,
    TaskReturned,
    TaskTaken,
    WorkerEnded,
    WorkerLost,
    WorkerReady,
)
from app.supervisor.holds import FIRST_HOLD_S, LONGEST_HOLD_S, RETRY_AFTER_LIMIT_S, HoldCause, Holds
from app.supervisor.judging import FAILURES_IN_A_ROW, FREE_RETURNS_MAX, OUTAGE_RETURNS_MAX
from app.supervisor.lifespan import LEAST_LIFE_S
from app.supervisor.plan import DEATH_LIMIT, react
from app.supervisor.renewal import Access
from app.supervisor.restarts import RESTART_LIMIT, RestartBudget
from app.supervisor.standing import Decision, Slot, Standing, Wear
from tests.support.tasks import fetched, missed

ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
FAILED = Report(reason=Reason.PORTAL_ERROR)


SPENT = RestartBudget(spent_at_s=(0.0,) * RESTART_LIMIT)


def standing(*slots: int, **changes: int | bool) -> Standing:
    return replace(Standing(slots={slot: Slot() for slot in slots or (1, 2)}), **changes)


def after(start: Standing, *facts: Fact) -> Decision:
    """The decision about the last fact."""
    decision = Decision(start)
    for fact in facts:
        decision = react(decision.standing, fact)
    return decision


def held(task: POTask = TASK) -> TaskTaken:
    return TaskTaken(worker=ONE, task=task)


def only(decision: Decision) -> Command:
    (command,) = decision.commands
    return command


def test_a_good_report_is_filed() -> None:
    report = Report(reason=Reason.ALL_SAVED)

    decision = after(standing(), held(), TaskReported(worker=ONE, task_id=TASK.task_id, report=report))

    assert only(decision) == File(worker=ONE, task=TASK, report=report)
    assert decision.standing.slots[1].held == {}


def test_a_passing_failure_is_tried_again_later_each_time() -> None:
    delays: list[float] = []
    for attempt in (1, 2):
        task = replace(TASK, attempt=attempt)
        command = only(after(standing(), held(task), TaskReported(worker=ONE, task_id=TASK.task_id, report=FAILED)))
        assert isinstance(command, Requeue)
        assert command.is_attempt_spent
        delays.append(command.delay_s)

    assert 0 < delays[0] < delays[1]


def reported(reason: Reason, task: POTask = TASK, **changes: float) -> TaskReported:
    report = replace(Report(reason=reason), **changes)
    return TaskReported(worker=ONE, task_id=task.task_id, report=report)


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (Reason.PORTAL_UNREACHABLE, HoldCause.PORTAL_DOWN),
        (Reason.PORTAL_BUSY, HoldCause.PORTAL_BUSY),
        (Reason.DISK_FULL, HoldCause.DISK_FULL),
    ],
)
def test_what_is_not_the_orders_fault_makes_the_pool_wait_and_costs_nothing(reason: Reason, cause: HoldCause) -> None:
    back, hold = after(standing(), held(), reported(reason)).commands

    assert isinstance(back, Requeue)
    assert (back.is_attempt_spent, back.delay_s) == (False, FIRST_HOLD_S)
    assert isinstance(hold, Hold)
    assert (hold.cause, hold.delay_s) == (cause, FIRST_HOLD_S)


def test_an_order_whose_file_is_always_busy_ends_with_what_came() -> None:
    files = (fetched("a.pdf"),)
    fact = reported(Reason.PORTAL_BUSY)
    fact = replace(fact, report=replace(fact.report, files=files, missed=(missed("b.pdf"),), detail="b.pdf: busy"))
    now = standing(max_attempts=1)
    for _ in range(FREE_RETURNS_MAX):
        decision = after(now, held(), fact)
        assert isinstance(decision.commands[0], Requeue)
        now = replace(decision.standing, holds=Holds())

    end = only(after(now, held(), fact))

    assert isinstance(end, File)
    assert end.report == replace(fact.report, reason=Reason.SOME_FILES_FAILED)


def test_a_hold_that_is_on_is_not_begun_again() -> None:
    once = after(standing(), held(), reported(Reason.PORTAL_BUSY)).standing
    again = after(once, held(), reported(Reason.PORTAL_BUSY))

    assert [type(command) for command in again.commands] == [Requeue]


def test_holds_in_a_row_grow_and_a_success_makes_them_short_again() -> None:
    now, lengths = standing(), list[float | None]()
    for _ in range(6):
        decision = after(now, held(), reported(Reason.PORTAL_UNREACHABLE))
        hold = decision.commands[1]
        assert isinstance(hold, Hold)
        lengths.append(hold.delay_s)
        now = react(decision.standing, HoldOver(cause=HoldCause.PORTAL_DOWN)).standing
    well = after(now, held(), reported(Reason.ALL_SAVED)).standing
    short = after(well, held(), reported(Reason.PORTAL_UNREACHABLE)).commands[1]

    assert lengths == [5.0, 10.0, 20.0, 40.0, LONGEST_HOLD_S, LONGEST_HOLD_S]
    assert isinstance(short, Hold)
    assert short.delay_s == FIRST_HOLD_S


def test_a_portal_that_names_a_time_is_given_it_within_reason() -> None:
    def delay_s(wish_s: float) -> float:
        command = after(standing(), held(), reported(Reason.PORTAL_BUSY, retry_after_s=wish_s)).commands[0]
        assert isinstance(command, Requeue)
        return command.delay_s

    assert delay_s(7) == 7
    assert delay_s(86_400) == RETRY_AFTER_LIMIT_S


def test_a_page_that_alone_is_always_busy_comes_to_an_end() -> None:
    now = standing()
    for _ in range(FREE_RETURNS_MAX):
        now = after(now, held(), reported(Reason.PORTAL_BUSY)).standing

    command = only(after(now, held(), reported(Reason.PORTAL_BUSY)))

    assert isinstance(command, Requeue)
    assert command.is_attempt_spent


def test_a_hold_ends_by_its_time_or_by_a_person() -> None:
    paused = react(standing(), PauseAsked())
    released = react(paused.standing, HoldOver(cause=HoldCause.OPERATOR))

    assert only(paused) == Hold(cause=HoldCause.OPERATOR, detail="Paused by request.", delay_s=None)
    assert only(released) == Release(cause=HoldCause.OPERATOR)
    assert released.standing.holds.active == frozenset()


def test_a_journal_without_room_makes_the_pool_wait() -> None:
    command = only(react(standing(), JournalFull()))

    assert isinstance(command, Hold)
    assert command.cause is HoldCause.DISK_FULL


def test_a_locked_journal_makes_the_pool_wait_until_it_is_free_and_is_told_once() -> None:
    locked = react(standing(), JournalLocked())
    again = react(locked.standing, JournalLocked())
    free = react(again.standing, HoldOver(cause=HoldCause.JOURNAL_LOCKED))

    told = only(locked)
    assert isinstance(told, Hold)
    assert (told.cause, told.delay_s) == (HoldCause.JOURNAL_LOCKED, None)
    assert again.commands == ()
    assert only(free) == Release(cause=HoldCause.JOURNAL_LOCKED)
    assert free.standing.holds.active == frozenset()


def test_files_that_found_no_room_are_filed_again_as_they_are() -> None:
    report = Report(reason=Reason.ALL_SAVED)
    fact = FilingFailed(worker=ONE, task=TASK, report=report, problem="full", is_disk_full=True)

    hold, again = after(standing(), fact).commands

    assert isinstance(hold, Hold)
    assert again == File(worker=ONE, task=TASK, report=report, delay_s=FIRST_HOLD_S)


def test_files_that_found_no_room_at_the_end_are_fetched_again_by_a_later_run() -> None:
    fact = FilingFailed(
        worker=ONE, task=TASK, report=Report(reason=Reason.ALL_SAVED), problem="full", is_disk_full=True
    )

    command = only(after(standing(), StopNeeded(cause=StopCause.ASKED), fact))

    assert isinstance(command, Requeue)
    assert not command.is_attempt_spent


def test_a_worker_that_fails_at_everything_gets_one_fresh_start() -> None:
    now = standing()
    for _ in range(FAILURES_IN_A_ROW - 1):
        now = after(now, held(), reported(Reason.PORTAL_ERROR)).standing
    other = replace(TASK, task_id=TaskId("demo:2"))

    fifth = after(now, held(other), held(), reported(Reason.PORTAL_ERROR))
    lost = after(fifth.standing, WorkerLost(worker=ONE, cause="ended by us"))

    back, recycle = fifth.commands
    assert isinstance(back, Requeue)
    assert (back.why, back.is_attempt_spent) == (GivenBack.RECYCLED, False)
    assert isinstance(recycle, Recycle)
    beside, spawn = lost.commands
    assert isinstance(beside, Requeue)
    assert (beside.why, beside.is_attempt_spent, beside.is_death) == (GivenBack.RECYCLED, False, False)
    assert spawn == Spawn(worker=WorkerRef(1, 2), delay_s=0.0)
    assert lost.standing.slots[1].budget == RestartBudget(), "no restart is spent on it"


def test_failures_that_go_on_after_a_fresh_start_are_the_orders_own() -> None:
    now = Standing(slots={1: Slot(was_recycled=True, failure_count=FAILURES_IN_A_ROW - 1)})

    command = only(after(now, held(), reported(Reason.PORTAL_ERROR)))

    assert isinstance(command, Requeue)
    assert command.is_attempt_spent


def test_a_success_ends_the_row_of_failures() -> None:
    now = Standing(slots={1: Slot(was_recycled=True, failure_count=FAILURES_IN_A_ROW - 1)})

    slot = after(now, held(), reported(Reason.PORTAL_SAYS_MISSING)).standing.slots[1]

    assert (slot.failure_count, slot.was_recycled) == (0, False)


def test_a_portal_that_never_answered_is_a_matter_of_setup() -> None:
    down = PortalDown(worker=ONE, detail="no answer")
    spent = Standing(slots={1: Slot(budget=SPENT), 2: Slot()})

    first = after(standing(), down, WorkerLost(worker=ONE, cause="no answer")).commands
    last = after(spent, down, WorkerLost(worker=ONE, cause="no answer")).commands

    assert first == (Spawn(worker=WorkerRef(1, 2), delay_s=0.5),)
    assert last == (Stop(cause=StopCause.SETUP_FAILED, detail="no answer"),)


def test_a_portal_that_was_down_once_excuses_no_later_death() -> None:
    up = after(standing(), WorkerReady(worker=ONE)).standing
    again = after(up, PortalDown(worker=ONE, detail="x"), WorkerLost(worker=ONE, cause="x")).standing

    commands = after(again, WorkerLost(worker=WorkerRef(1, 2), cause="killed")).commands

    assert commands == (Spawn(worker=WorkerRef(1, 3), delay_s=0.5),)


def test_in_an_outage_no_order_pays_for_two_hours() -> None:
    now = standing()
    for _ in range(OUTAGE_RETURNS_MAX):
        decision = after(now, held(), reported(Reason.PORTAL_UNREACHABLE))
        assert not any(isinstance(command, Requeue) and command.is_attempt_spent for command in decision.commands)
        now = after(decision.standing, HoldOver(cause=HoldCause.PORTAL_DOWN)).standing

    command = only(after(now, held(), reported(Reason.PORTAL_UNREACHABLE)))

    assert isinstance(command, Requeue)
    assert command.is_attempt_spent


def test_a_browser_that_never_starts_is_a_matter_of_setup() -> None:
    start = Standing(slots={1: Slot(budget=SPENT), 2: Slot(is_given_up=True)})
    unfit = BrowserUnfit(worker=ONE, detail="no library")

    commands = after(start, unfit, WorkerLost(worker=ONE, cause="no library")).commands

    give_up = GiveUp(worker=ONE, cause="no library")
    assert commands == (give_up, Stop(cause=StopCause.SETUP_FAILED, detail="no library"))


def test_a_browser_that_does_not_start_again_ends_its_slot_like_any_death() -> None:
    start = Standing(slots={1: Slot(budget=SPENT), 2: Slot(is_given_up=True)}, was_ready=True)
    unfit = BrowserUnfit(worker=ONE, detail="no library")

    commands = after(start, unfit, WorkerLost(worker=ONE, cause="no library")).commands

    assert commands[-1] == FailRest(reason=Reason.NO_WORKERS)


def test_a_portal_that_went_away_is_waited_for_without_spending_restarts() -> None:
    now = after(standing(1), WorkerReady(worker=ONE)).standing

    hold, spawn = after(now, PortalDown(worker=ONE, detail="x"), WorkerLost(worker=ONE, cause="x")).commands

    assert isinstance(hold, Hold)
    assert hold.cause is HoldCause.PORTAL_DOWN
    assert spawn == Spawn(worker=WorkerRef(1, 2), delay_s=FIRST_HOLD_S)


def test_an_order_that_is_filed_may_wait_for_free_again() -> None:
    waited = after(standing(), held(), reported(Reason.PORTAL_BUSY)).standing

    assert waited.free_returns
    assert after(waited, TaskFiled(worker=ONE, task=TASK)).standing.free_returns == {}


def test_the_last_attempt_is_final() -> None:
    task = replace(TASK, attempt=3)

    command = only(after(standing(), held(task), TaskReported(worker=ONE, task_id=TASK.task_id, report=FAILED)))

    assert command == File(worker=ONE, task=task, report=FAILED)


def test_a_final_reason_is_never_tried_again() -> None:
    report = Report(reason=Reason.NO_PERMISSION)

    assert isinstance(
        only(after(standing(), held(), TaskReported(worker=ONE, task_id=TASK.task_id, report=report))), File
    )


def test_a_task_given_back_costs_no_attempt_and_no_time() -> None:
    fact = TaskReturned(worker=ONE, task_id=TASK.task_id, why=GivenBack.SESSION_LOST, detail="")

    command = only(after(standing(), held(), fact))

    assert isinstance(command, Requeue)
    assert (command.is_attempt_spent, command.delay_s) == (False, 0.0)


def test_a_lost_worker_gives_its_tasks_back_and_restarts_with_a_growing_pause() -> None:
    start, pauses = standing(1), list[float]()
    for generation in range(1, RESTART_LIMIT + 1):
        decision = after(start, WorkerLost(worker=WorkerRef(1, generation), cause="gone"))
        spawn = only(decision)
        assert isinstance(spawn, Spawn)
        assert spawn.worker == WorkerRef(1, generation + 1)
        pauses.append(spawn.delay_s)
        start = decision.standing

    assert pauses == [0.5, 1.0, 2.0]


def test_where_a_pool_has_no_end_old_restarts_count_no_more() -> None:
    now = Standing(slots={1: Slot(budget=RestartBudget(window_s=3600.0)), 2: Slot()})
    delays: list[float] = []
    for generation, at_s in enumerate((0.0, 10.0, 20.0), 1):
        decision = after(now, WorkerLost(worker=WorkerRef(1, generation), cause="gone", at_s=at_s))
        delays += [command.delay_s for command in decision.commands if isinstance(command, Spawn)]
        now = decision.standing
    fourth = WorkerRef(1, 4)

    within = after(now, WorkerLost(worker=fourth, cause="gone", at_s=3599.0))
    beyond = after(now, WorkerLost(worker=fourth, cause="gone", at_s=3600.0))

    assert delays == [0.5, 1.0, 2.0]
    assert within.commands == (GiveUp(worker=fourth, cause="gone"),)
    assert beyond.commands == (Spawn(worker=WorkerRef(1, 5), delay_s=2.0),)


def test_a_spent_slot_is_given_up_while_others_live() -> None:
    spent = {1: Slot(budget=SPENT), 2: Slot()}

    decision = after(Standing(slots=spent), WorkerLost(worker=ONE, cause="gone"))

    assert decision.commands == (GiveUp(worker=ONE, cause="gone"),)


def test_the_last_slot_takes_the_queue_with_it() -> None:
    spent = {1: Slot(budget=SPENT), 2: Slot(is_given_up=True)}

    decision = after(Standing(slots=spent), WorkerLost(worker=ONE, cause="gone"))

    assert decision.commands == (
        GiveUp(worker=ONE, cause="gone"),
        Stop(cause=StopCause.NO_WORKERS, detail="gone"),
        FailRest(reason=Reason.NO_WORKERS),
    )


def test_a_pool_that_lives_on_keeps_its_queue_when_the_last_slot_goes() -> None:
    spent = {1: Slot(budget=SPENT), 2: Slot(is_given_up=True)}

    decision = after(Standing(slots=spent, keeps_queue=True), WorkerLost(worker=ONE, cause="gone"))

    assert decision.standing.is_stopping
    assert decision.commands == (
        GiveUp(worker=ONE, cause="gone"),
        Stop(cause=StopCause.NO_WORKERS, detail="gone", keeps_queue=True),
    )


def test_a_task_that_takes_down_its_second_worker_is_quarantined() -> None:
    task = replace(TASK, death_count=DEATH_LIMIT - 1, attempt=2)

    commands = after(standing(), held(task), WorkerLost(worker=ONE, cause="gone")).commands

    assert isinstance(commands[0], File)
    assert commands[0].report.outcome is Outcome.QUARANTINED


def test_a_death_while_stopping_is_no_fault_of_the_task() -> None:
    decision = after(standing(), held(), StopNeeded(cause=StopCause.ASKED), WorkerLost(worker=ONE, cause="ended by us"))

    command = only(decision)
    assert isinstance(command, Requeue)
    assert (command.is_attempt_spent, command.is_death, command.why) == (False, False, GivenBack.DRAINING)


def test_a_worker_that_ends_in_order_with_a_task_in_hand_gives_it_back() -> None:
    command = only(after(standing(), held(), StopNeeded(cause=StopCause.ASKED), WorkerEnded(worker=ONE)))

    assert isinstance(command, Requeue)
    assert not command.is_attempt_spent


def test_the_first_cause_of_a_stop_counts() -> None:
    first = after(standing(), StopNeeded(cause=StopCause.LOGIN_REQUIRED, detail="log in"))

    assert only(first) == Stop(cause=StopCause.LOGIN_REQUIRED, detail="log in")
    assert react(first.standing, StopNeeded(cause=StopCause.ASKED)).commands == ()


def test_facts_of_a_generation_that_is_gone_change_nothing() -> None:
    start = after(standing(), WorkerLost(worker=ONE, cause="gone")).standing
    late = TaskReported(worker=ONE, task_id=TASK.task_id, report=FAILED)

    assert react(start, late) == Decision(start)
    assert react(start, WorkerLost(worker=ONE, cause="again")) == Decision(start)


def test_a_worker_is_not_believed_about_a_task_it_does_not_hold() -> None:
    assert after(standing(), TaskReported(worker=TWO, task_id=TASK.task_id, report=FAILED)).commands == ()


def test_files_that_cannot_be_put_in_place_are_tried_again_and_then_told() -> None:
    report = Report(reason=Reason.ALL_SAVED)

    def about(attempt: int) -> Command:
        task = replace(TASK, attempt=attempt)
        return only(after(standing(), FilingFailed(worker=ONE, task=task, report=report, problem="full")))

    again, told = about(1), about(3)
    assert isinstance(again, Requeue)
    assert isinstance(told, File)
    assert (told.report.reason, told.report.files) == (Reason.FILING_FAILED, ())


class Policy(RuleBasedStateMachine):
    """A model of queue and workers that obeys every command; the laws of design section 12 hold after each step."""

    @initialize(slot_count=st.integers(1, 4), task_count=st.integers(1, 12), waits_for_login=st.booleans())
    def open(self, slot_count: int, task_count: int, *, waits_for_login: bool) -> None:
        opened = standing(*range(1, slot_count + 1))
        self.standing = replace(
            opened, waits_for_login=waits_for_login, renews_early=True, wear=Wear(tasks=4, age_s=300.0)
        )
        self.queue = [replace(TASK, task_id=TaskId(f"demo:{number}")) for number in range(task_count)]
        self.task_count = task_count
        self.in_hand: dict[TaskId, tuple[WorkerRef, POTask]] = {}
        self.outcomes = Counter[TaskId]()
        self.alive = {WorkerRef(slot, 1) for slot in range(1, slot_count + 1)}
        self.lost = Counter[int]()
        self.held_causes = set[HoldCause]()
        self.due = set[WorkerRef]()
        self.asked = set[WorkerRef]()
        self.now_s, self.login_number = 0.0, 0
        self.logged_out, self.logging_in = set[WorkerRef](), set[WorkerRef]()
        self.is_stopped = False
        self.retiring = set[WorkerRef]()

    def tell(self, fact: Fact) -> None:
        decision = react(self.standing, fact)
        self.standing = decision.standing
        for command in decision.commands:
            self.obey(command)

    def obey(self, command: Command) -> None:
        match command:
            case File() | Requeue() | FailRest():
                self.obey_about_tasks(command)
            case RefreshLogin() | AdoptLogin() | AwaitProof() | Probe() | KeepLogin() | ForetellEnd():
                self.obey_about_logins(command)
            case Spawn() | Recycle() | Retire() | GiveUp():
                self.obey_about_lives(command)
            case Stop():
                self.is_stopped = True
            case TellRelief():
                assert command.relieved.worker in self.up()
            case Hold() | Release():
                self.held_causes ^= {command.cause}

    def obey_about_lives(self, command: LifeCommand) -> None:
        match command:
            case Spawn():
                self.alive.add(command.worker)
            case Recycle():
                self.forget(command.worker)
                self.tell(WorkerLost(worker=command.worker, cause=command.cause))
            case Retire():
                assert command.worker in self.up()
                assert command.worker not in self.retiring
                self.retiring.add(command.worker)
            case GiveUp():
                assert command.worker not in self.alive

    def forget(self, worker: WorkerRef) -> None:
        for those in (self.alive, self.logged_out, self.logging_in, self.retiring):
            those.discard(worker)

    def obey_about_logins(self, command: LoginCommand) -> None:
        match command:
            case KeepLogin():
                assert self.standing.slots[command.slot].access is Access.LOGGED_IN
            case ForetellEnd():
                self.login_number = command.number
            case AwaitProof():
                self.due.add(command.worker)
            case Probe():
                self.asked.add(command.worker)
            case RefreshLogin() | AdoptLogin():
                assert command.worker in self.alive
                self.logging_in.add(command.worker)

    def obey_about_tasks(self, command: File | Requeue | FailRest) -> None:
        match command:
            case File():
                self.in_hand.pop(command.task.task_id)
                self.outcomes[command.task.task_id] += 1
            case Requeue():
                self.in_hand.pop(command.task.task_id)
                task = command.task
                attempt = task.attempt + int(command.is_attempt_spent)
                deaths = task.death_count + int(command.is_death)
                self.queue.insert(0, replace(task, attempt=attempt, death_count=deaths))
            case FailRest():
                self.outcomes.update(task.task_id for task in self.queue)
                self.queue.clear()

    def any_alive(self, data: st.DataObject) -> WorkerRef:
        return data.draw(st.sampled_from(sorted(self.alive)))

    @precondition(lambda self: self.alive and self.queue and not self.is_stopped)
    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        worker, task = self.any_alive(data), self.queue.pop(0)
        self.in_hand[task.task_id] = (worker, task)
        self.tell(TaskTaken(worker=worker, task=task))

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data(), reason=st.sampled_from(Reason))
    def report(self, data: st.DataObject, reason: Reason) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.in_hand)))
        self.tell(TaskReported(worker=self.in_hand[task_id][0], task_id=task_id, report=Report(reason=reason)))

    @precondition(lambda self: self.in_hand)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        task_id = data.draw(st.sampled_from(sorted(self.in_hand)))
        why = GivenBack.SESSION_LOST
        self.tell(TaskReturned(worker=self.in_hand[task_id][0], task_id=task_id, why=why, detail=""))

    @precondition(lambda self: self.due)
    @rule(data=st.data())
    def proof_is_overdue(self, data: st.DataObject) -> None:
        worker = data.draw(st.sampled_from(sorted(self.due)))
        self.due.discard(worker)
        self.tell(ProofOverdue(worker=worker))

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), proof=st.sampled_from(Proof))
    def answer_probe(self, data: st.DataObject, proof: Proof) -> None:
        worker = data.draw(st.sampled_from(sorted(self.asked)))
        self.asked.discard(worker)
        self.tell(Probed(worker=worker, proof=proof))

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), is_in_order=st.booleans())
    def end_worker(self, data: st.DataObject, *, is_in_order: bool) -> None:
        worker = self.any_alive(data)
        in_order = is_in_order and (self.is_stopped or worker in self.retiring)
        # One that has nothing left and hangs while it goes is ended for it, which is no crash.
        is_done = worker in self.retiring and not any(worker == holder for holder, _ in self.in_hand.values())
        self.lost[worker.slot] += not (in_order or is_done)
        self.forget(worker)
        self.tell(WorkerEnded(worker=worker) if in_order else WorkerLost(worker=worker, cause="gone"))

    @rule(data=st.data())
    def come_up(self, data: st.DataObject) -> None:
        if ready := sorted(self.alive - self.logged_out):
            self.tell(WorkerReady(worker=data.draw(st.sampled_from(ready))))

    @rule()
    def age_login(self) -> None:
        self.tell(LoginAges(number=self.login_number))

    @rule(data=st.data())
    def lose_login(self, data: st.DataObject) -> None:
        if logged_in := sorted(self.alive - self.logged_out):
            worker = data.draw(st.sampled_from(logged_in))
            self.logged_out.add(worker)
            self.now_s += LEAST_LIFE_S
            self.tell(LoginLost(worker=worker, detail="", at_s=self.now_s))

    @precondition(lambda self: self.logging_in)
    @rule(data=st.data(), is_logged_in=st.booleans())
    def settle_login(self, data: st.DataObject, *, is_logged_in: bool) -> None:
        worker = data.draw(st.sampled_from(sorted(self.logging_in)))
        self.logging_in.discard(worker)
        (self.logged_out.discard if is_logged_in else self.logged_out.add)(worker)
        self.tell(LoginSettled(worker=worker, is_logged_in=is_logged_in, detail="", at_s=self.now_s))

    @rule(slot=st.integers(1, 4), attempts=st.integers(3, 5))
    def ask_for_a_restart_and_other_limits(self, slot: int, attempts: int) -> None:
        if slot in self.standing.slots:
            self.tell(RestartAsked(slot=slot))
        told = Limits(
            max_attempts=max(self.standing.max_attempts, attempts),
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
        self.tell(MemorySeen(by_worker=by_worker, own_bytes=1, total_bytes=80, is_exact=is_exact, at_s=self.now_s))
        assert len(self.retiring) <= max(1, away)

    @precondition(lambda self: self.held_causes)
    @rule(data=st.data())
    def hold_over(self, data: st.DataObject) -> None:
        self.tell(HoldOver(cause=data.draw(st.sampled_from(sorted(self.held_causes)))))

    @rule(cause=st.sampled_from(StopCause))
    def stop(self, cause: StopCause) -> None:
        self.tell(StopNeeded(cause=cause))

    @invariant()
    def every_task_is_in_one_place(self) -> None:
        where = Counter([task.task_id for task in self.queue]) + Counter(list(self.in_hand)) + self.outcomes
        assert len(where) == self.task_count
        assert set(where.values()) == {1}

    @invariant()
    def the_plan_knows_who_holds_what(self) -> None:
        slots = self.standing.slots.items()
        known = {task_id: slot for slot, one in slots for task_id in (*one.held, *one.doubt.task_ids)}
        assert known == {task_id: worker.slot for task_id, (worker, _) in self.in_hand.items()}

    @invariant()
    def what_is_kept_back_is_proven_or_given_back_some_time(self) -> None:
        for number, slot in self.standing.slots.items():
            worker = WorkerRef(number, slot.generation)
            assert not slot.doubt.row or worker in (self.alive if self.is_stopped else self.due | self.asked)
            assert slot.doubt.is_probing <= (worker in self.asked)

    @invariant()
    def holds_are_told(self) -> None:
        assert self.standing.holds.active == self.held_causes

    @invariant()
    def whoever_is_logged_out_is_seen_to(self) -> None:
        if not self.is_stopped and HoldCause.LOGIN_REQUIRED not in self.held_causes:
            assert not self.logged_out or self.standing.renewal.is_under_way
            renewal = self.standing.renewal
            assert not renewal.is_due or renewal.is_under_way or self.in_hand or not any(self.up())
            assert not self.standing.renewal.adopting - {worker.slot for worker in self.logging_in}

    def up(self) -> list[WorkerRef]:
        slots = self.standing.slots.items()
        return [WorkerRef(number, slot.generation) for number, slot in slots if slot.is_up]

    @invariant()
    def limits_hold(self) -> None:
        assert all(count <= RESTART_LIMIT + 1 for count in self.lost.values() if not self.is_stopped)
        for task in [*self.queue, *(task for _, task in self.in_hand.values())]:
            assert task.attempt <= self.standing.max_attempts
            assert task.death_count < DEATH_LIMIT

    @invariant()
    def a_dead_pool_has_no_open_task_unless_it_was_stopped(self) -> None:
        if not self.alive and not self.is_stopped:
            raise AssertionError("no worker lives, and nobody was told")


Policy.TestCase.settings = settings(max_examples=300, stateful_step_count=60, deadline=None)
TestPolicy = Policy.TestCase
