"""The guard against log-outs that look like missing orders. Pure, so nothing is started here."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import LoginCheck, Outcome, Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished, LoginChecked, Returned
from poolwright.supervisor.policy.commands import (
    Command,
    FileReport,
    Pause,
    RequestLoginCheck,
    Requeue,
    ScheduleVerification,
    StopCause,
)
from poolwright.supervisor.policy.decide import Decision, decide
from poolwright.supervisor.policy.events import (
    MessageReceived,
    PoolInput,
    StopRequested,
    TaskAssigned,
    VerificationDue,
    WorkerEnded,
    WorkerLost,
)
from poolwright.supervisor.policy.login_state import LONE_LOGOUTS_MAX, Logouts
from poolwright.supervisor.policy.pauses import FIRST_PAUSE_S, PauseReason, Pauses
from poolwright.supervisor.policy.state import PoolState, UnverifiedResult, UnverifiedResults, WorkerSlot
from poolwright.supervisor.policy.verification import STREAK_LIMIT, VERIFICATION_WAIT_S, vain_waits
from tests.support.pace import LONG_WALKS
from tests.support.policy_states import with_slot
from tests.support.worker_messages import received

ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
MISSING = Report(reason=Reason.PORTAL_SAYS_MISSING)
SAVED = Report(reason=Reason.ALL_SAVED)


def task(number: int) -> POTask:
    return POTask(task_id=TaskId(f"demo:{number}"), po_number=f"PO{number}", portal_number=str(number))


def taken(number: int, worker: WorkerRef = ONE) -> TaskAssigned:
    return TaskAssigned(worker=worker, task=task(number))


def told(number: int, report: Report = MISSING, worker: WorkerRef = ONE) -> MessageReceived[Finished]:
    return received(Finished, worker=worker, task_id=task(number).task_id, report=report)


def missed(*numbers: int) -> list[PoolInput]:
    """Orders that one worker looked for one after the other, in vain."""
    return [fact for number in numbers for fact in (taken(number), told(number))]


class DecidedPool:
    """A plan that is told facts, and what it commanded."""

    def __init__(self, *facts: PoolInput) -> None:
        self.state = PoolState(slots={1: WorkerSlot(), 2: WorkerSlot()}, was_ready=True)
        self.commands: list[Command] = []
        self.tell(*facts)

    def tell(self, *facts: PoolInput) -> list[Command]:
        """The commands that follow."""
        before = len(self.commands)
        for fact in facts:
            decision = decide(self.state, fact)
            self.state = decision.state
            self.commands += decision.commands
        return self.commands[before:]


def filed(commands: list[Command]) -> list[str]:
    return [command.task.portal_number for command in commands if isinstance(command, FileReport)]


def returned(commands: list[Command]) -> dict[str, tuple[str, bool]]:
    return {
        command.task.portal_number: (str(command.why), command.is_attempt_spent)
        for command in commands
        if isinstance(command, Requeue)
    }


def test_a_missing_order_is_not_filed_before_its_session_is_proven() -> None:
    plan = DecidedPool(*missed(1, 2, 3))

    assert plan.commands == [ScheduleVerification(worker=ONE, delay_s=VERIFICATION_WAIT_S)]


@pytest.mark.parametrize("reason", [Reason.PORTAL_SAYS_MISSING, Reason.NO_PERMISSION, Reason.NONE_LISTED])
def test_whatever_a_lost_session_can_look_like_is_kept_back_and_proves_nothing(reason: Reason) -> None:
    plan = DecidedPool()
    assert filed(plan.tell(taken(1), told(1, Report(reason=reason)))) == []
    assert filed(plan.tell(taken(2), told(2, Report(reason=Reason.NONE_LISTED)))) == []


@pytest.mark.parametrize("reason", [Reason.ALL_SAVED, Reason.SOME_FILES_REFUSED])
def test_an_order_that_was_shown_later_proves_the_session(reason: Reason) -> None:
    plan = DecidedPool(*missed(1, 2))

    assert filed(plan.tell(taken(3), told(3, Report(reason=reason)))) == ["3", "1", "2"]


@pytest.mark.parametrize("reason", [Reason.NO_PERMISSION, Reason.PORTAL_ERROR, Reason.PORTAL_SAYS_MISSING])
def test_a_page_that_is_no_order_proves_nothing(reason: Reason) -> None:
    plan = DecidedPool(*missed(1))

    assert "1" not in filed(plan.tell(taken(2), told(2, Report(reason=reason))))


def test_an_order_that_was_begun_before_proves_nothing() -> None:
    """Its page was perhaps read while the session still lived, and its files took long."""
    plan = DecidedPool(taken(9), *missed(1))

    assert filed(plan.tell(told(9, SAVED))) == ["9"]
    assert filed(plan.tell(taken(2), told(2, SAVED))) == ["2", "1"]


def test_another_worker_proves_nothing() -> None:
    """Each browser has cookies of its own."""
    plan = DecidedPool(*missed(1))

    assert filed(plan.tell(taken(2, TWO), told(2, SAVED, TWO))) == ["2"]


def test_a_streak_is_reason_to_ask_at_once_and_a_yes_files_all_of_it() -> None:
    streak = range(1, STREAK_LIMIT + 1)
    plan = DecidedPool(*missed(*streak[:-1]))

    assert plan.tell(*missed(STREAK_LIMIT)) == [RequestLoginCheck(worker=ONE)]
    assert filed(plan.tell(received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_IN))) == [
        str(one) for one in streak
    ]


def test_a_no_gives_all_of_it_back_with_no_attempt_spent() -> None:
    streak = range(1, STREAK_LIMIT + 1)
    plan = DecidedPool(*missed(*streak))

    commands = plan.tell(received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_OUT))

    assert returned(commands) == {str(one): (ReturnReason.SESSION_LOST, False) for one in streak}
    assert len(commands) == STREAK_LIMIT


def test_the_end_of_a_list_asks_too() -> None:
    plan = DecidedPool(*missed(1))

    assert plan.tell(VerificationDue(worker=ONE)) == [RequestLoginCheck(worker=ONE)]
    assert plan.tell(VerificationDue(worker=ONE)) == [], "the question is on its way"
    assert filed(plan.tell(received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_IN))) == ["1"]
    assert plan.tell(VerificationDue(worker=ONE)) == [], "nothing is left to ask for"


def test_results_wait_in_vain_when_no_other_order_is_left() -> None:
    plan = DecidedPool(*missed(1, 2), taken(3, TWO))

    assert vain_waits(plan.state, unfinished_count=3) == (), "the third may succeed, or fail and be tried again"
    plan.tell(told(3, worker=TWO))
    assert vain_waits(plan.state, unfinished_count=4) == (), "one waits in the queue"
    assert vain_waits(plan.state, unfinished_count=3) == (ONE, TWO), "no success comes any more"


def test_a_result_waits_in_vain_only_until_its_check_begins() -> None:
    plan = DecidedPool(*missed(1))

    plan.tell(VerificationDue(worker=ONE))
    assert vain_waits(plan.state, unfinished_count=1) == ()
    plan.tell(received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_IN))
    assert vain_waits(plan.state, unfinished_count=0) == ()


def test_what_is_asked_for_a_vain_wait_is_asked_of_the_generation_that_runs() -> None:
    plan = DecidedPool()
    worker = WorkerRef(2, 4)
    plan.state = with_slot(plan.state, worker, WorkerSlot(generation=4))

    plan.tell(taken(1, worker), told(1, worker=worker))

    assert vain_waits(plan.state, unfinished_count=1) == (worker,)


def test_nothing_is_asked_at_once_in_a_pool_that_is_paused_or_ends() -> None:
    paused = DecidedPool(*missed(1), VerificationDue(worker=ONE))
    paused.tell(received(LoginChecked, worker=ONE, result=LoginCheck.UNCLEAR))
    ending = DecidedPool(*missed(1), StopRequested(cause=StopCause.ASKED))

    assert vain_waits(paused.state, unfinished_count=1) == ()
    assert vain_waits(ending.state, unfinished_count=1) == ()


def test_a_probe_tells_nothing_of_what_came_after_it() -> None:
    plan = DecidedPool(*missed(1), VerificationDue(worker=ONE), *missed(2))

    commands = plan.tell(received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_IN))

    assert filed(commands) == ["1"]
    assert commands[-1] == ScheduleVerification(worker=ONE, delay_s=VERIFICATION_WAIT_S)


def test_a_portal_that_does_not_tell_is_waited_for_and_asked_again() -> None:
    plan = DecidedPool(*missed(1), VerificationDue(worker=ONE))

    hold, wait = plan.tell(received(LoginChecked, worker=ONE, result=LoginCheck.UNCLEAR))

    assert isinstance(hold, Pause)
    assert wait == ScheduleVerification(worker=ONE, delay_s=hold.delay_s or 0.0)
    assert plan.tell(VerificationDue(worker=ONE)) == [RequestLoginCheck(worker=ONE)]


def test_a_session_that_was_lost_takes_with_it_what_it_did_not_find() -> None:
    plan = DecidedPool(*missed(1), taken(2), taken(3))
    lost = received(Returned, worker=ONE, task_id=task(2).task_id, why=ReturnReason.SESSION_LOST, detail="")

    assert returned(plan.tell(lost)).keys() == {"1", "2"}
    assert returned(plan.tell(told(3))) == {"3": (ReturnReason.SESSION_LOST, False)}, "looked for beside it"
    assert returned(plan.tell(taken(3), told(3))) == {}, "but only once"


@pytest.mark.parametrize("end", [WorkerLost(worker=ONE, cause="gone"), WorkerEnded(worker=ONE)])
def test_what_cannot_be_proven_any_more_is_done_again(end: PoolInput) -> None:
    plan = DecidedPool(*missed(1))

    assert returned(plan.tell(end)) == {"1": (ReturnReason.UNPROVEN, False)}
    assert plan.tell(VerificationDue(worker=ONE), received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_IN)) == []


@pytest.mark.parametrize("result", LoginCheck)
def test_a_pool_that_is_ending_asks_nothing_and_hears_what_its_workers_say_at_last(result: LoginCheck) -> None:
    plan = DecidedPool(
        *missed(1), VerificationDue(worker=ONE), taken(2), StopRequested(cause=StopCause.ASKED), *missed(3)
    )
    asked = received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_IN)

    assert filed(plan.tell(told(2), VerificationDue(worker=ONE), asked)) == ["1"]
    assert plan.state.held_task_ids == {task(2).task_id, task(3).task_id}
    commands = plan.tell(received(LoginChecked, worker=ONE, result=result, is_last=True), WorkerEnded(worker=ONE))
    assert set(filed(commands)) == ({"2", "3"} if result is LoginCheck.LOGGED_IN else set())
    assert returned(commands).keys() == (set() if result is LoginCheck.LOGGED_IN else {"2", "3"})
    assert len(commands) == 2


class Portal(RuleBasedStateMachine):
    """A worker with several tabs on a portal that answers a lost session with the page of a missing order.

    All orders exist. The worker, its tabs and the portal do whatever they can; not one order may end as not found.
    """

    @initialize(count=st.integers(1, 15))
    def open(self, count: int) -> None:
        self.state = PoolState(slots={1: WorkerSlot()}, was_ready=True)
        self.queue = [task(number) for number in range(count)]
        self.pages: dict[TaskId, bool | None] = {}
        self.is_logged_in = True
        self.is_refreshing = False
        self.answers: list[bool | None] = []
        self.is_due = False
        self.outcomes: list[FileReport] = []

    def tell(self, fact: PoolInput) -> None:
        decision = decide(self.state, fact)
        self.state = decision.state
        for command in decision.commands:
            match command:
                case FileReport():
                    self.outcomes.append(command)
                case Requeue():
                    assert not command.is_attempt_spent
                    self.queue.insert(0, command.task)
                case RequestLoginCheck():
                    self.answers.append(None)
                case _:
                    self.is_due |= isinstance(command, ScheduleVerification)

    @precondition(lambda self: self.queue and not self.is_refreshing)
    @rule()
    def take(self) -> None:
        """No tab opens while the login is brought back."""
        one = self.queue.pop(0)
        self.pages[one.task_id] = None
        self.tell(TaskAssigned(worker=ONE, task=one))

    @precondition(lambda self: None in self.pages.values())
    @rule(data=st.data())
    def read_page(self, data: st.DataObject) -> None:
        """The page is read at one time, and told of at another."""
        unread = sorted(task_id for task_id, is_shown in self.pages.items() if is_shown is None)
        self.pages[data.draw(st.sampled_from(unread))] = self.is_logged_in

    @precondition(lambda self: any(is_shown is not None for is_shown in self.pages.values()))
    @rule(data=st.data(), is_seen=st.booleans())
    def report(self, data: st.DataObject, *, is_seen: bool) -> None:
        """What the worker makes of the page: a lost session may be seen as one, or not."""
        task_id = data.draw(
            st.sampled_from(sorted(one for one, is_shown in self.pages.items() if is_shown is not None))
        )
        if self.pages.pop(task_id):
            self.tell(received(Finished, worker=ONE, task_id=task_id, report=SAVED))
        elif is_seen:
            self.tell(received(Returned, worker=ONE, task_id=task_id, why=ReturnReason.SESSION_LOST, detail=""))
            self.is_refreshing = True
        else:
            self.tell(received(Finished, worker=ONE, task_id=task_id, report=MISSING))

    @rule()
    def expire(self) -> None:
        self.is_logged_in = False

    @precondition(lambda self: self.is_refreshing)
    @rule()
    def refresh(self) -> None:
        self.is_logged_in, self.is_refreshing = True, False

    @precondition(lambda self: self.is_due)
    @rule()
    def check_is_overdue(self) -> None:
        self.is_due = False
        self.tell(VerificationDue(worker=ONE))

    @precondition(lambda self: None in self.answers)
    @rule()
    def read_probe(self) -> None:
        self.answers = [self.is_logged_in]

    @precondition(lambda self: self.answers and None not in self.answers)
    @rule()
    def answer(self) -> None:
        is_in = self.answers.pop()
        self.tell(received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_IN if is_in else LoginCheck.LOGGED_OUT))
        self.is_refreshing |= not is_in

    @invariant()
    def no_order_is_filed_as_missing(self) -> None:
        assert [one for one in self.outcomes if one.report.outcome is Outcome.NOT_FOUND] == []

    @invariant()
    def one_probe_at_a_time(self) -> None:
        assert len(self.answers) <= 1

    @invariant()
    def nothing_waits_for_ever(self) -> None:
        assert not self.state.slots[1].unverified.row or self.is_due or self.answers


Portal.TestCase.settings = LONG_WALKS
TestPortal = Portal.TestCase


def test_a_task_that_is_kept_back_keeps_its_attempts() -> None:
    third = replace(task(1), attempt=3)
    plan = DecidedPool(TaskAssigned(worker=ONE, task=third), told(1), VerificationDue(worker=ONE))

    (back,) = plan.tell(received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_OUT))

    assert isinstance(back, Requeue)
    assert back.task.attempt == third.attempt


def test_the_figures_are_those_of_the_design() -> None:
    assert (STREAK_LIMIT, VERIFICATION_WAIT_S, LONE_LOGOUTS_MAX) == (10, 2.0, 4)


UNPROVEN = "not found, refused or empty in a session that was not verified to be logged in"
#: One order that was looked for in vain and is kept back, one in hand.
KEPT = UnverifiedResult(task=task(1), report=MISSING, concurrent_tasks=frozenset())
DOUBTING = PoolState(
    slots={
        1: WorkerSlot(unverified=UnverifiedResults(row=(KEPT,)), held={task(2).task_id: task(2)}, outages_before={}),
        2: WorkerSlot(),
    },
    was_ready=True,
)


def back(number: int, why: ReturnReason, detail: str) -> Requeue:
    return Requeue(worker=ONE, task=task(number), why=why, detail=detail, delay_s=0.0, is_attempt_spent=False)


def gives_back(number: int, why: ReturnReason) -> MessageReceived[Returned]:
    return received(Returned, worker=ONE, task_id=task(number).task_id, why=why, detail="the login page")


def test_an_order_whose_page_asks_for_a_login_goes_back_and_that_is_counted() -> None:
    start = replace(DOUBTING, logouts=Logouts(alone_counts={task(3).task_id: 2}))

    decision = decide(start, gives_back(2, ReturnReason.SESSION_LOST))

    assert decision == Decision(
        replace(start, slots={1: WorkerSlot(), 2: WorkerSlot()}, logouts=start.logouts.record(task(2).task_id, ())),
        (
            back(1, ReturnReason.SESSION_LOST, UNPROVEN),
            back(2, ReturnReason.SESSION_LOST, "the login page"),
        ),
    )


def test_an_order_whose_page_always_asks_for_a_login_ends_with_what_it_said() -> None:
    start = replace(DOUBTING, logouts=Logouts(alone_counts={task(2).task_id: LONE_LOGOUTS_MAX - 1}))

    _, end = decide(start, gives_back(2, ReturnReason.SESSION_LOST)).commands

    asks = Report(reason=Reason.ASKS_FOR_LOGIN, detail="the login page")
    assert end == FileReport(worker=ONE, task=task(2), report=asks)


def test_at_the_end_of_the_pool_no_order_pays_for_a_page_that_asks_for_a_login() -> None:
    start = replace(DOUBTING, logouts=Logouts(alone_counts={task(2).task_id: LONE_LOGOUTS_MAX - 1}), is_stopping=True)

    decision = decide(start, gives_back(2, ReturnReason.SESSION_LOST))

    assert decision.commands[1] == back(2, ReturnReason.SESSION_LOST, "the login page")
    assert decision.state.logouts == start.logouts


def test_an_order_that_was_not_begun_goes_back_and_nothing_else() -> None:
    decision = decide(DOUBTING, gives_back(2, ReturnReason.LOGGED_OUT))

    assert decision == Decision(
        with_slot(DOUBTING, ONE, WorkerSlot(unverified=UnverifiedResults(row=(KEPT,)))),
        (back(2, ReturnReason.LOGGED_OUT, "the login page"),),
    )


def test_a_session_that_was_lost_is_believed_although_its_order_is_not_in_hand() -> None:
    decision = decide(DOUBTING, gives_back(9, ReturnReason.SESSION_LOST))

    held = DOUBTING.slots[1].held
    assert decision == Decision(
        with_slot(DOUBTING, ONE, WorkerSlot(held=held, unverified=UnverifiedResults(tainted=frozenset(held)))),
        (back(1, ReturnReason.SESSION_LOST, UNPROVEN),),
    )


def test_what_was_in_hand_when_the_session_was_lost_goes_back_with_its_reason() -> None:
    tainted = replace(
        DOUBTING.slots[1], unverified=UnverifiedResults(tainted=frozenset({task(2).task_id, task(3).task_id}))
    )

    decision = decide(with_slot(DOUBTING, ONE, tainted), told(2))

    assert decision.commands == (back(2, ReturnReason.SESSION_LOST, UNPROVEN),)
    assert decision.state.slots[1].unverified == UnverifiedResults(tainted=frozenset({task(3).task_id}))


def test_a_portal_that_does_not_tell_is_told_as_busy() -> None:
    asking = with_slot(DOUBTING, ONE, replace(DOUBTING.slots[1], unverified=DOUBTING.slots[1].unverified.begin_check()))

    decision = decide(asking, received(LoginChecked, worker=ONE, result=LoginCheck.UNCLEAR))

    detail = "The portal did not show whether the session is logged in."
    assert decision == Decision(
        replace(DOUBTING, pauses=Pauses().begin(PauseReason.PORTAL_BUSY, FIRST_PAUSE_S)),
        (
            Pause(cause=PauseReason.PORTAL_BUSY, detail=detail, delay_s=FIRST_PAUSE_S),
            ScheduleVerification(worker=ONE, delay_s=FIRST_PAUSE_S),
        ),
    )


@pytest.mark.parametrize(
    ("start", "waits"),
    [
        (replace(DOUBTING, is_stopping=True), False),
        (PoolState(slots={1: WorkerSlot(), 2: WorkerSlot()}), False),
        (DOUBTING, True),
    ],
)
def test_an_unclear_answer_matters_only_to_what_waits_for_it(start: PoolState, waits: bool) -> None:
    assert bool(decide(start, received(LoginChecked, worker=ONE, result=LoginCheck.UNCLEAR)).commands) is waits


def test_a_streak_that_grows_while_the_question_is_on_its_way_is_not_asked_about_twice() -> None:
    plan = DecidedPool(*missed(1), VerificationDue(worker=ONE))

    assert plan.tell(*missed(*range(2, STREAK_LIMIT + 2))) == []


def test_a_question_that_is_on_its_way_when_the_session_is_lost_proves_nothing_and_is_waited_for() -> None:
    plan = DecidedPool(*missed(1), VerificationDue(worker=ONE), taken(2), gives_back(2, ReturnReason.SESSION_LOST))

    assert plan.state.slots[1].unverified == UnverifiedResults(checked_task_ids=frozenset())
    assert plan.tell(*missed(3)) == [], "it is not asked twice"
    assert plan.tell(received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_IN)) == [
        ScheduleVerification(worker=ONE, delay_s=VERIFICATION_WAIT_S)
    ]


def test_a_session_that_is_lost_while_nothing_is_asked_waits_for_no_answer() -> None:
    assert not UnverifiedResults(row=(KEPT,)).without_results([task(2).task_id]).is_checking


def test_what_was_kept_back_is_filed_as_it_was_told() -> None:
    plan = DecidedPool(*missed(1), taken(2))

    assert plan.tell(told(2, SAVED)) == [
        FileReport(worker=ONE, task=task(2), report=SAVED),
        FileReport(worker=ONE, task=task(1), report=MISSING),
    ]
