"""One login for all workers: who brings it back, who takes it over, and when only a person can. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import LoginCheck, Outcome, Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import (
    Finished,
    LoginChecked,
    LoginRefreshed,
    LoginRequired,
    LoginResult,
    Returned,
    StartupFailure,
)
from poolwright.supervisor.policy.commands import (
    AnnounceLoginExpiry,
    BackUpLogin,
    Command,
    CopyLogin,
    FileReport,
    KillAndRestart,
    Pause,
    RefreshLogin,
    Requeue,
    Resume,
    Spawn,
    Stop,
    StopCause,
)
from poolwright.supervisor.policy.decide import Decision, decide
from poolwright.supervisor.policy.events import (
    LoginExpiring,
    MessageReceived,
    PauseEnded,
    PoolInput,
    StopRequested,
    TaskAssigned,
    VerificationDue,
    WorkerEnded,
    WorkerLost,
    WorkerReady,
)
from poolwright.supervisor.policy.login_recovery import FAILED_LOGINS_MAX
from poolwright.supervisor.policy.login_state import (
    EARLY_SHARE,
    LIFETIME_MIN_S,
    LIFETIMES_MAX,
    LONE_LOGOUTS_MAX,
    LoginLifetime,
    LoginRecovery,
    LoginStatus,
)
from poolwright.supervisor.policy.pauses import PauseReason, Pauses
from poolwright.supervisor.policy.state import PoolState, WorkerSlot
from tests.support.policy_states import with_slot
from tests.support.worker_messages import received, startup_failed

ONE, TWO, THREE = (WorkerRef(slot, 1) for slot in (1, 2, 3))
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")


class DecidedPool:
    """A plan of three workers that is told facts, and what it commanded since it was last looked at."""

    def __init__(self, *facts: PoolInput, waits_for_login: bool = False) -> None:
        self.state = PoolState(slots={slot: WorkerSlot() for slot in (1, 2, 3)}, waits_for_login=waits_for_login)
        self.tell(*facts)

    def tell(self, *facts: PoolInput) -> list[Command]:
        commands: list[Command] = []
        for fact in facts:
            decision = decide(self.state, fact)
            self.state = decision.state
            commands += decision.commands
        return commands

    @property
    def holds(self) -> frozenset[PauseReason]:
        return self.state.pauses.active


def ready(*workers: WorkerRef) -> list[WorkerReady]:
    return [WorkerReady(worker=worker) for worker in workers]


def lost(worker: WorkerRef) -> MessageReceived[LoginRequired]:
    return received(LoginRequired, worker=worker, detail="asked for a login")


def settled(worker: WorkerRef, *, well: bool = True) -> MessageReceived[LoginResult]:
    return received(LoginResult, worker=worker, is_logged_in=well, detail="form")


def refreshes(commands: list[Command]) -> list[WorkerRef]:
    return [command.worker for command in commands if isinstance(command, RefreshLogin)]


def adopters(commands: list[Command]) -> list[tuple[WorkerRef, int]]:
    return [(command.worker, command.source_slot) for command in commands if isinstance(command, CopyLogin)]


def test_the_first_that_loses_the_login_brings_it_back_while_no_order_starts() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE))

    first = plan.tell(lost(TWO))
    later = plan.tell(lost(ONE), lost(THREE))

    assert refreshes(first) == [TWO]
    assert [command.cause for command in first if isinstance(command, Pause)] == [PauseReason.LOGIN_LOST]
    assert later == []
    assert plan.holds == {PauseReason.LOGIN_LOST}


def test_the_others_take_its_cookies_over_and_then_orders_start_again() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO), lost(ONE))

    spread = plan.tell(settled(TWO))
    one = plan.tell(settled(ONE))
    three = plan.tell(settled(THREE))

    assert adopters(spread) == [(ONE, 2), (THREE, 2)]
    assert one == []
    assert three == [Resume(cause=PauseReason.LOGIN_LOST)]
    assert plan.holds == frozenset()
    assert {slot.login_status for slot in plan.state.slots.values()} == {LoginStatus.LOGGED_IN}


def test_a_login_that_is_no_good_to_another_worker_is_brought_back_there_too() -> None:
    """A portal may bind its sessions to more than cookies."""
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(ONE), settled(ONE), settled(TWO))

    again = plan.tell(settled(THREE, well=False))

    assert refreshes(again) == [THREE]
    assert plan.holds == {PauseReason.LOGIN_LOST}


def test_a_worker_that_comes_up_logged_out_takes_the_login_of_another_and_nobody_waits() -> None:
    plan = DecidedPool(*ready(ONE, TWO))

    commands = plan.tell(lost(THREE))

    assert commands == [CopyLogin(worker=THREE, source_slot=1)]
    assert plan.holds == frozenset()
    assert plan.tell(settled(THREE), *ready(THREE)) == []


def test_a_base_that_nobody_is_logged_in_to_costs_one_login() -> None:
    plan = DecidedPool()

    begun = plan.tell(lost(THREE), lost(ONE))
    spread = plan.tell(settled(THREE), *ready(THREE))
    late = plan.tell(lost(TWO))

    assert refreshes(begun) == [THREE]
    assert adopters(spread) == [(ONE, 3)]
    assert adopters(late) == [(TWO, 3)]


def test_a_worker_that_cannot_log_in_is_started_anew_and_tries_once_more() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO), lost(ONE))
    again = WorkerRef(2, 2)

    failed = plan.tell(settled(TWO, well=False))
    restarted = plan.tell(WorkerLost(worker=TWO, cause="no login"))
    asked = plan.tell(lost(again))
    spread = plan.tell(settled(again), *ready(again))

    assert [type(command) for command in failed] == [KillAndRestart]
    assert restarted == [Spawn(worker=again, delay_s=0.0)]
    assert refreshes(asked) == [again]
    assert adopters(spread) == [(ONE, 2), (THREE, 2)]
    assert plan.state.slots[2].budget.spent == (), "it is no crash"


def test_a_worker_that_is_logged_in_after_its_fresh_start_has_brought_the_login_back() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO), settled(TWO, well=False), WorkerLost(worker=TWO, cause=""))

    commands = plan.tell(*ready(WorkerRef(2, 2)))

    assert adopters(commands) == [(ONE, 2), (THREE, 2)]


def test_where_the_second_try_fails_too_a_batch_ends() -> None:
    again = WorkerRef(2, 2)
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO), settled(TWO, well=False), WorkerLost(worker=TWO, cause=""))

    commands = plan.tell(lost(again), settled(again, well=False))

    assert commands[-1] == Stop(cause=StopCause.LOGIN_REQUIRED, detail="form")


def test_a_first_login_that_fails_is_not_tried_twice() -> None:
    """Portals lock accounts after a few wrong passwords."""
    commands = DecidedPool(lost(ONE)).tell(settled(ONE, well=False))

    assert commands == [Stop(cause=StopCause.LOGIN_REQUIRED, detail="form")]


def test_a_pool_that_waits_for_a_person_tries_again_when_told() -> None:
    plan = DecidedPool(lost(ONE), lost(TWO), waits_for_login=True)

    failed = plan.tell(settled(ONE, well=False))
    during = plan.tell(lost(THREE))
    resumed = plan.tell(PauseEnded(cause=PauseReason.LOGIN_REQUIRED))
    spread = plan.tell(settled(ONE), *ready(ONE))

    assert [(type(command), command.cause) for command in failed if isinstance(command, Pause | Resume)] == [
        (Resume, PauseReason.LOGIN_LOST),
        (Pause, PauseReason.LOGIN_REQUIRED),
    ]
    assert during == []
    assert refreshes(resumed) == [ONE]
    assert adopters(spread) == [(TWO, 1), (THREE, 1)]
    assert not plan.state.is_stopping


def test_if_the_one_that_was_to_log_in_dies_another_does() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO), lost(THREE))

    commands = plan.tell(WorkerLost(worker=TWO, cause="killed"))

    assert refreshes(commands) == [THREE]


def test_a_worker_that_dies_before_it_took_the_login_over_holds_nobody_up() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO), settled(TWO), settled(ONE))

    commands = plan.tell(WorkerLost(worker=THREE, cause="killed"))

    assert Resume(cause=PauseReason.LOGIN_LOST) in commands


def test_a_portal_that_is_gone_while_somebody_logs_in_is_waited_for() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(ONE))
    again = WorkerRef(1, 2)

    gone = plan.tell(startup_failed(ONE, StartupFailure.PORTAL, "no answer"), WorkerLost(worker=ONE, cause="no answer"))

    assert [command.cause for command in gone if isinstance(command, Pause)] == [PauseReason.PORTAL_DOWN]
    assert not plan.state.is_stopping
    assert adopters(plan.tell(lost(again))) == [(again, 2)]


def test_a_portal_that_is_gone_while_somebody_logs_in_costs_the_orders_in_flight_nothing() -> None:
    for mended in ([], [settled(TWO)]):  # while it logs in, and while it takes a login over
        plan = DecidedPool(
            *ready(ONE, TWO, THREE), TaskAssigned(worker=ONE, task=TASK), lost(ONE if not mended else TWO)
        )
        plan.tell(*mended)

        gone = plan.tell(
            startup_failed(ONE, StartupFailure.PORTAL, "no answer"), WorkerLost(worker=ONE, cause="no answer")
        )

        (back,) = (command for command in gone if isinstance(command, Requeue))
        assert (back.is_attempt_spent, back.is_death) == (False, False)


def test_logins_that_do_not_last_for_one_order_come_to_an_end() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE))

    commands: list[Command] = []
    for _ in range(FAILED_LOGINS_MAX):
        commands = plan.tell(lost(ONE), settled(ONE), settled(TWO), settled(THREE))
        assert Resume(cause=PauseReason.LOGIN_LOST) in commands
    commands = plan.tell(lost(ONE))

    assert [command.cause for command in commands if isinstance(command, Stop)] == [StopCause.LOGIN_REQUIRED]


def test_an_order_that_was_done_in_between_proves_the_login() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE))
    done = (
        TaskAssigned(worker=ONE, task=TASK),
        received(Finished, worker=ONE, task_id=TASK.task_id, report=Report(reason=Reason.ALL_SAVED)),
    )

    for _ in range(FAILED_LOGINS_MAX * 2):
        plan.tell(*done, lost(ONE), settled(ONE), settled(TWO), settled(THREE))

    assert not plan.state.is_stopping


def test_one_page_that_always_asks_for_a_login_does_not_keep_the_pool_busy_for_ever() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE))
    back = received(Returned, worker=ONE, task_id=TASK.task_id, why=ReturnReason.SESSION_LOST, detail="the login page")

    for _ in range(LONE_LOGOUTS_MAX - 1):
        (command,) = plan.tell(TaskAssigned(worker=ONE, task=TASK), back)
        assert isinstance(command, Requeue)
        assert not command.is_attempt_spent
    (command,) = plan.tell(TaskAssigned(worker=ONE, task=TASK), back)

    assert isinstance(command, FileReport)
    assert (command.report.outcome, command.report.reason) == (Outcome.FAILED, Reason.ASKS_FOR_LOGIN)


def test_an_order_whose_worker_had_no_login_yet_does_not_count_as_asked() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE))
    back = received(Returned, worker=ONE, task_id=TASK.task_id, why=ReturnReason.LOGGED_OUT, detail="")

    for _ in range(LONE_LOGOUTS_MAX * 2):
        (command,) = plan.tell(TaskAssigned(worker=ONE, task=TASK), back)
        assert isinstance(command, Requeue)


def test_a_pool_that_is_ending_brings_no_login_back() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), StopRequested(cause=StopCause.ASKED))

    assert plan.tell(lost(ONE)) == []


def test_a_wish_of_the_operator_to_wait_outlives_the_login() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE))
    plan.state = replace(plan.state, pauses=plan.state.pauses.begin(PauseReason.OPERATOR))

    plan.tell(lost(ONE), settled(ONE), settled(TWO), settled(THREE))

    assert plan.holds == {PauseReason.OPERATOR}


def missed(worker: WorkerRef, number: int) -> list[PoolInput]:
    """An order that a worker looked for in vain."""
    task = POTask(task_id=TaskId(f"demo:{number}"), po_number=f"PO{number}", portal_number=str(number))
    report = Report(reason=Reason.PORTAL_SAYS_MISSING)
    return [
        TaskAssigned(worker=worker, task=task),
        received(Finished, worker=worker, task_id=task.task_id, report=report),
    ]


def test_what_a_worker_did_not_find_with_the_old_login_is_not_proven_by_the_new_one() -> None:
    """The trap: the portal's log-out looks like a missing order to one worker, and another one notices it."""
    plan = DecidedPool(*ready(ONE, TWO, THREE), *missed(TWO, 7))

    spread = plan.tell(lost(ONE), settled(ONE))

    (back,) = (command for command in spread if isinstance(command, Requeue))
    assert (back.task.task_id, back.why, back.is_attempt_spent) == ("demo:7", ReturnReason.SESSION_LOST, False)
    assert plan.tell(settled(TWO), received(LoginChecked, worker=TWO, result=LoginCheck.LOGGED_IN)) == []


def test_what_was_in_flight_while_the_login_was_taken_over_and_is_not_found_goes_back_once() -> None:
    taken, told = missed(TWO, 7)
    plan = DecidedPool(*ready(ONE, TWO, THREE), taken, lost(ONE), settled(ONE))

    (command,) = plan.tell(settled(TWO), told)

    assert isinstance(command, Requeue)
    assert not command.is_attempt_spent


def test_a_session_that_single_sign_on_brought_back_proves_nothing_about_what_it_read_before() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), *missed(ONE, 7))
    shown = Report(reason=Reason.ALL_SAVED)

    (back,) = plan.tell(TaskAssigned(worker=ONE, task=TASK), received(LoginRefreshed, worker=ONE))
    (filed,) = plan.tell(received(Finished, worker=ONE, task_id=TASK.task_id, report=shown))

    assert isinstance(back, Requeue)
    assert (back.task.task_id, back.why, back.is_attempt_spent) == ("demo:7", ReturnReason.SESSION_LOST, False)
    assert isinstance(filed, FileReport)
    assert filed.task == TASK


class TestLifespan:
    """A login whose end can be foretold is renewed before it, where the portal lets it be."""

    def aged(self, *, renews_early: bool = True, lived_s: float = 600.0) -> DecidedPool:
        """Three workers, and the second login that was made; the first one lasted for ten minutes."""
        plan = DecidedPool(*ready(ONE, TWO, THREE))
        plan.state = replace(plan.state, renews_early=renews_early)
        plan.tell(lost(ONE), received(LoginResult, worker=ONE, is_logged_in=True, detail="", at_s=100.0), settled(TWO))
        plan.tell(settled(THREE), received(LoginRequired, worker=TWO, detail="", at_s=100.0 + lived_s))
        self.told = plan.tell(received(LoginResult, worker=TWO, is_logged_in=True, detail="", at_s=800.0))
        plan.tell(settled(ONE), settled(THREE))
        return plan

    def test_the_end_is_foretold_from_the_life_of_the_login_before(self) -> None:
        self.aged()

        (told,) = (command for command in self.told if isinstance(command, AnnounceLoginExpiry))

        assert told == AnnounceLoginExpiry(number=2, ends_in_s=600.0, renewal_in_s=600.0 * EARLY_SHARE)

    def test_a_login_is_renewed_early_only_where_the_pack_allows_it(self) -> None:
        self.aged(renews_early=False)

        (told,) = (command for command in self.told if isinstance(command, AnnounceLoginExpiry))

        assert told.renewal_in_s is None

    def test_a_short_life_foretells_nothing(self) -> None:
        self.aged(lived_s=LIFETIME_MIN_S - 1)

        assert not [command for command in self.told if isinstance(command, AnnounceLoginExpiry)]

    def test_the_shortest_of_the_last_lives_counts(self) -> None:
        lifespan = LoginLifetime()
        for begin_s, end_s in ((0.0, 70.0), (100.0, 500.0), (600.0, 900.0), (1000.0, 1500.0)):
            lifespan = lifespan.begin(begin_s).end(end_s).end(end_s + 1)

        assert lifespan.lives_s == (400.0, 300.0, 500.0)
        assert lifespan.expected_s == 300.0

    def test_it_is_renewed_between_orders(self) -> None:
        plan = self.aged()
        plan.tell(TaskAssigned(worker=ONE, task=TASK))

        due = plan.tell(LoginExpiring(number=2))
        done = plan.tell(received(Finished, worker=ONE, task_id=TASK.task_id, report=Report(reason=Reason.ALL_SAVED)))

        assert [type(command) for command in due] == [Pause]
        assert plan.holds == {PauseReason.LOGIN_LOST}
        assert [command for command in done if isinstance(command, RefreshLogin)] == [
            RefreshLogin(worker=ONE, is_early=True)
        ]
        plan.tell(settled(ONE), settled(TWO), settled(THREE))
        assert plan.holds == frozenset()

    def test_what_was_foretold_of_an_older_login_is_old_news(self) -> None:
        assert self.aged().tell(LoginExpiring(number=1)) == []

    def test_a_login_that_is_lost_while_it_was_due_is_brought_back_at_once(self) -> None:
        plan = self.aged()
        plan.tell(TaskAssigned(worker=ONE, task=TASK), LoginExpiring(number=2))

        assert refreshes(plan.tell(lost(THREE))) == [THREE]

    def test_what_was_not_found_with_the_old_login_is_not_proven_by_the_renewed_one(self) -> None:
        """Nobody knows whether the old login was good still when that page was read."""
        plan = self.aged()
        plan.tell(*missed(ONE, 7), LoginExpiring(number=2), VerificationDue(worker=ONE))

        renewed = plan.tell(settled(ONE))

        (back,) = (command for command in renewed if isinstance(command, Requeue))
        assert (back.task.task_id, back.is_attempt_spent) == ("demo:7", False)
        assert plan.tell(received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_IN)) == []

    def test_logins_that_were_renewed_in_time_were_not_made_in_vain_although_no_order_came(self) -> None:
        """A pool that waits for orders through the night."""
        plan = self.aged()
        for number in range(2, 2 + FAILED_LOGINS_MAX):
            plan.tell(LoginExpiring(number=number), settled(ONE), settled(TWO), settled(THREE))

        commands = plan.tell(lost(TWO))

        assert refreshes(commands) == [TWO]
        assert not plan.state.is_stopping


def test_the_figures_are_those_of_the_design() -> None:
    assert (FAILED_LOGINS_MAX, LIFETIME_MIN_S, EARLY_SHARE, LIFETIMES_MAX) == (4, 60.0, 0.9, 3)


def test_a_life_of_a_minute_counts() -> None:
    assert LoginLifetime().begin(10.0).end(10.0 + LIFETIME_MIN_S).lives_s == (LIFETIME_MIN_S,)


def test_where_no_life_was_measured_nothing_is_foretold() -> None:
    assert (LoginLifetime().begin(10.0).expected_s, LoginLifetime().begin(10.0).renewal_s) == (None, None)


def wants_login(words: str) -> Pause:
    return Pause(cause=PauseReason.LOGIN_LOST, detail=f"The portal asks for a login ({words}).", delay_s=None)


def test_why_somebody_has_to_log_in_is_told() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE))

    assert plan.tell(lost(TWO)) == [wants_login("asked for a login"), RefreshLogin(worker=TWO)]
    assert plan.state.login_recovery == LoginRecovery(refresher=2)


def test_a_login_that_was_lost_while_another_took_it_over_is_brought_back_afterwards() -> None:
    well = DecidedPool(*ready(ONE, TWO), lost(THREE), lost(TWO))
    ill = DecidedPool(*ready(ONE, TWO), lost(THREE))

    assert well.state.login_recovery == LoginRecovery(adopting=frozenset({3}))
    assert well.tell(settled(THREE)) == [wants_login("form"), RefreshLogin(worker=TWO)]
    assert ill.tell(settled(THREE, well=False)) == [wants_login("form"), RefreshLogin(worker=THREE)]


def test_two_may_take_a_login_over_at_a_time() -> None:
    plan = DecidedPool(*ready(ONE), lost(TWO), lost(THREE))

    assert plan.state.login_recovery == LoginRecovery(adopting=frozenset({2, 3}))


def test_a_login_that_is_there_is_kept_beside_the_profile_and_spread() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO))
    plan.state = replace(plan.state, login_recovery=replace(plan.state.login_recovery, was_restarted=True))

    assert plan.tell(settled(TWO)) == [
        BackUpLogin(slot=2),
        CopyLogin(worker=ONE, source_slot=2),
        CopyLogin(worker=THREE, source_slot=2),
    ]
    assert plan.state.login_recovery == LoginRecovery(adopting=frozenset({1, 3}), vain_count=1)


def test_a_worker_that_goes_takes_no_login_over() -> None:
    for going in ({"is_being_killed": True}, {"is_being_recycled": True}):
        plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO))
        plan.state = with_slot(plan.state, THREE, replace(plan.state.slots[3], **going))

        assert adopters(plan.tell(settled(TWO))) == [(ONE, 2)]


def test_what_the_one_that_logged_in_did_not_find_goes_back_with_its_reason() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), *missed(TWO, 7))
    # Its session asks for a login only after it was told to log in.
    plan.state = replace(plan.state, login_recovery=LoginRecovery(refresher=2))

    (back,) = (command for command in plan.tell(settled(TWO)) if isinstance(command, Requeue))

    assert (back.worker, back.task.task_id, back.why) == (TWO, "demo:7", ReturnReason.SESSION_LOST)


def restarted() -> DecidedPool:
    """The one that was to log in could not, and was started anew to try once more."""
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO), settled(TWO, well=False))
    plan.tell(WorkerLost(worker=TWO, cause="no login"), lost(WorkerRef(2, 2)))
    return plan


def test_if_the_fresh_start_of_the_one_that_was_to_log_in_dies_too_nobody_waits_for_it() -> None:
    crash = WorkerLost(worker=WorkerRef(2, 2), cause="killed")

    assert Resume(cause=PauseReason.LOGIN_LOST) in restarted().tell(crash)
    other = restarted()
    other.tell(lost(ONE))
    assert refreshes(other.tell(crash)) == [ONE]


def test_a_worker_that_is_ended_while_it_takes_a_login_over_holds_nobody_up() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO), settled(TWO), settled(ONE))
    plan.state = with_slot(plan.state, THREE, replace(plan.state.slots[3], is_being_killed=True))

    assert Resume(cause=PauseReason.LOGIN_LOST) in plan.tell(WorkerLost(worker=THREE, cause="ended by us"))


def test_another_has_to_log_in_where_the_first_one_ended() -> None:
    """The hold was for something else meanwhile, so that this one is told."""
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO), lost(THREE))
    plan.state = replace(plan.state, pauses=Pauses())

    commands = plan.tell(WorkerLost(worker=TWO, cause="killed"))

    assert commands[1:] == [wants_login("the worker that was to log in exited"), RefreshLogin(worker=THREE)]


def test_a_person_that_says_go_on_is_told_who_logs_in_and_nothing_is_held_against_it() -> None:
    start = PoolState(
        slots={1: WorkerSlot(is_up=True, login_status=LoginStatus.LOGGED_OUT)},
        login_recovery=LoginRecovery(vain_count=FAILED_LOGINS_MAX, was_restarted=True),
        pauses=Pauses().begin(PauseReason.LOGIN_REQUIRED),
        waits_for_login=True,
    )

    decision = decide(start, PauseEnded(cause=PauseReason.LOGIN_REQUIRED))

    assert decision.commands == (
        Resume(cause=PauseReason.LOGIN_REQUIRED),
        wants_login("a retry was requested"),
        RefreshLogin(worker=ONE),
    )
    assert decision.state.login_recovery == LoginRecovery(refresher=1)


def test_a_batch_that_needs_a_person_ends_and_knows_it() -> None:
    plan = DecidedPool(lost(ONE))

    assert plan.tell(settled(ONE, well=False)) == [Stop(cause=StopCause.LOGIN_REQUIRED, detail="form")]
    assert plan.state.is_stopping


def test_a_pool_that_waits_for_a_person_tells_why() -> None:
    plan = DecidedPool(lost(ONE), waits_for_login=True)

    assert plan.tell(settled(ONE, well=False)) == [
        Resume(cause=PauseReason.LOGIN_LOST),
        Pause(cause=PauseReason.LOGIN_REQUIRED, detail="form", delay_s=None),
    ]
    assert plan.state.login_recovery == LoginRecovery()


def test_a_pool_that_is_ending_asks_no_person() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(ONE), StopRequested(cause=StopCause.ASKED))

    assert plan.tell(settled(ONE, well=False)) == []
    assert plan.state.is_stopping


def test_a_login_that_is_due_is_told_and_waits_for_nothing_else() -> None:
    lifespan = LoginLifetime().begin(0.0)
    start = PoolState(slots={1: WorkerSlot(is_up=True, login_status=LoginStatus.LOGGED_IN)}, login_lifetime=lifespan)
    due = Pause(cause=PauseReason.LOGIN_LOST, detail="The login is renewed before it expires.", delay_s=None)

    assert decide(start, LoginExpiring(number=1)) == Decision(
        replace(start, login_recovery=LoginRecovery(refresher=1), pauses=Pauses().begin(PauseReason.LOGIN_LOST)),
        (due, RefreshLogin(worker=ONE, is_early=True)),
    )
    for busy in (replace(start, is_stopping=True), replace(start, pauses=Pauses().begin(PauseReason.OPERATOR))):
        assert decide(busy, LoginExpiring(number=1)) == Decision(busy)


def test_an_order_that_is_done_ends_the_count_of_logins_in_vain() -> None:
    assert LoginRecovery(vain_count=3, adopting=frozenset({2})).mark_verified() == LoginRecovery(
        adopting=frozenset({2})
    )


def test_a_login_that_is_begun_is_due_no_more() -> None:
    assert LoginRecovery().mark_due().begin(2) == LoginRecovery(refresher=2)


def test_what_a_worker_did_not_find_before_it_lost_its_login_goes_back_with_its_reason() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), *missed(TWO, 7))

    back, *_ = plan.tell(lost(TWO))

    assert isinstance(back, Requeue)
    assert (back.worker, back.task.task_id, back.why) == (TWO, "demo:7", ReturnReason.SESSION_LOST)


def test_a_worker_that_comes_up_without_a_login_says_nothing_of_how_long_one_lasts() -> None:
    plan = DecidedPool(*ready(ONE, TWO))
    plan.state = replace(plan.state, login_lifetime=LoginLifetime().begin(0.0))

    plan.tell(received(LoginRequired, worker=THREE, detail="", at_s=500.0))
    assert plan.state.login_lifetime == LoginLifetime().begin(0.0)
    plan.tell(received(LoginRequired, worker=TWO, detail="", at_s=500.0))
    assert plan.state.login_lifetime == LoginLifetime().begin(0.0).end(500.0)


def test_why_a_worker_that_cannot_log_in_is_started_anew_is_told() -> None:
    plan = DecidedPool(*ready(ONE, TWO, THREE), lost(TWO))

    assert plan.tell(settled(TWO, well=False)) == [KillAndRestart(worker=TWO, cause="it could not log in (form)")]


def test_a_worker_that_is_ready_has_taken_the_login_over() -> None:
    plan = DecidedPool(*ready(ONE), lost(TWO), *ready(TWO))

    assert plan.state.login_recovery == LoginRecovery()


def test_one_that_was_to_log_in_and_ended_in_order_is_not_waited_for() -> None:
    start = PoolState(
        slots={
            1: WorkerSlot(is_up=True, login_status=LoginStatus.LOGGED_IN),
            2: WorkerSlot(login_status=LoginStatus.LOGGED_OUT, is_being_recycled=True),
        },
        login_recovery=LoginRecovery(refresher=2, was_restarted=True),
        pauses=Pauses().begin(PauseReason.LOGIN_LOST),
    )

    to_return = decide(start, WorkerEnded(worker=TWO))
    with_pool = decide(replace(start, is_stopping=True), WorkerEnded(worker=TWO))

    assert to_return.commands[-1] == Resume(cause=PauseReason.LOGIN_LOST)
    assert to_return.state.login_recovery.refresher is None
    assert with_pool.state.login_recovery.refresher is None


def test_a_slot_that_takes_the_login_over_is_not_the_one_that_logs_in() -> None:
    assert LoginRecovery(refresher=2, adopting=frozenset({1, 3})).forget_slot(3) == LoginRecovery(
        refresher=2, adopting=frozenset({1})
    )
    assert LoginRecovery(refresher=2, adopting=frozenset({1})).forget_slot(2) == LoginRecovery(adopting=frozenset({1}))


UP = WorkerSlot(is_up=True, login_status=LoginStatus.LOGGED_IN)


def test_a_login_that_is_due_waits_for_those_that_still_take_it_over() -> None:
    plan = DecidedPool(*ready(ONE, TWO))
    plan.state = replace(plan.state, login_lifetime=LoginLifetime().begin(0.0))

    assert [type(command) for command in plan.tell(lost(THREE), LoginExpiring(number=1))] == [CopyLogin, Pause]
    assert plan.tell(settled(THREE)) == [RefreshLogin(worker=ONE, is_early=True)]


def test_a_login_that_is_due_is_renewed_by_no_pool_that_ends() -> None:
    start = PoolState(slots={1: UP}, login_recovery=LoginRecovery(is_due=True), is_stopping=True)

    assert decide(start, PauseEnded(cause=PauseReason.OPERATOR)) == Decision(start)


def test_a_login_that_is_due_holds_orders_whoever_comes_up_meanwhile() -> None:
    plan = DecidedPool(*ready(ONE, TWO), TaskAssigned(worker=ONE, task=TASK))
    plan.state = replace(plan.state, login_lifetime=LoginLifetime().begin(0.0))
    plan.tell(LoginExpiring(number=1))

    assert plan.tell(*ready(THREE)) == []
    assert plan.holds == {PauseReason.LOGIN_LOST}


def test_while_all_of_them_come_up_orders_wait_on() -> None:
    start = PoolState(slots={1: WorkerSlot(), 2: WorkerSlot()}, pauses=Pauses().begin(PauseReason.LOGIN_LOST))

    decision = decide(start, WorkerLost(worker=ONE, cause="killed"))

    assert [type(command) for command in decision.commands] == [Spawn]
    assert decision.state.pauses == start.pauses


def test_a_login_that_never_lasts_is_told_in_a_sentence() -> None:
    start = PoolState(slots={1: UP}, login_recovery=LoginRecovery(vain_count=FAILED_LOGINS_MAX), was_ready=True)

    assert decide(start, lost(ONE)).commands == (
        Stop(cause=StopCause.LOGIN_REQUIRED, detail="The portal ends the session right after every login."),
    )


@pytest.mark.parametrize("other", [replace(UP, login_status=LoginStatus.LOGGED_OUT), replace(UP, is_up=False)])
def test_a_login_is_taken_over_from_one_that_is_up_and_has_it(other: WorkerSlot) -> None:
    start = PoolState(slots={1: other, 2: UP, 3: WorkerSlot()})

    assert decide(start, lost(THREE)).commands == (CopyLogin(worker=THREE, source_slot=2),)
