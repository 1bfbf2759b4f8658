"""The pool's policy, fact by fact: pure, so nothing is started here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.options import RESTART_WINDOW_S, BrowserOptions, PoolOptions, WorkerOptions
from poolwright.domain.outcomes import Outcome, Reason, ReturnReason
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import DEATH_LIMIT, POTask, Report
from poolwright.ipc.messages import Finished, Returned, StartupFailure
from poolwright.supervisor.policy.commands import (
    Command,
    FailQueued,
    FileReport,
    GiveUp,
    KillAndRestart,
    Pause,
    RecordOutcome,
    Recycle,
    Requeue,
    Resume,
    Spawn,
    Stop,
    StopCause,
    SuspendSlot,
)
from poolwright.supervisor.policy.decide import Decision, decide
from poolwright.supervisor.policy.events import (
    FilingFailed,
    JournalFull,
    JournalLocked,
    MemorySampled,
    MessageReceived,
    PauseEnded,
    PauseRequested,
    PoolInput,
    StopRequested,
    TaskAssigned,
    TaskFiled,
    TrialQueued,
    WorkerEnded,
    WorkerLost,
    WorkerReady,
)
from poolwright.supervisor.policy.pauses import FIRST_PAUSE_S, LONGEST_PAUSE_S, RETRY_AFTER_LIMIT_S, PauseReason, Pauses
from poolwright.supervisor.policy.retries import FAILURES_IN_A_ROW, FIRST_RETRY_S, FREE_RETURNS_MAX, OUTAGE_RETURNS_MAX
from poolwright.supervisor.policy.state import (
    RESTART_LIMIT,
    SUSPENSION_S,
    LossKind,
    PoolState,
    Restart,
    RestartBudget,
    WorkerSlot,
    initial_state,
)
from tests.support.policy_states import with_slot
from tests.support.tasks import fetched, missed
from tests.support.worker_messages import received, startup_failed

ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
FAILED = Report(reason=Reason.PORTAL_ERROR)


SPENT = RestartBudget(spent=(Restart(0.0),) * RESTART_LIMIT)


def standing(*slots: int, **changes: int | bool) -> PoolState:
    return replace(PoolState(slots={slot: WorkerSlot() for slot in slots or (1, 2)}), **changes)


def pool_options(*, worker_count: int) -> PoolOptions:
    return PoolOptions(
        worker=WorkerOptions(browser=BrowserOptions()),
        worker_count=worker_count,
        base_profile_path=Path("/base"),
        runs_root=Path("/runs"),
        staging_path=Path("/staging"),
    )


def after(start: PoolState, *facts: PoolInput) -> Decision:
    """The decision about the last fact."""
    decision = Decision(start)
    for fact in facts:
        decision = decide(decision.state, fact)
    return decision


def held(task: POTask = TASK) -> TaskAssigned:
    return TaskAssigned(worker=ONE, task=task)


def only(decision: Decision) -> Command:
    (command,) = decision.commands
    return command


def test_a_good_report_is_filed() -> None:
    report = Report(reason=Reason.ALL_SAVED)

    decision = after(standing(), held(), received(Finished, worker=ONE, task_id=TASK.task_id, report=report))

    assert only(decision) == FileReport(worker=ONE, task=TASK, report=report)
    assert decision.state.slots[1].held == {}


def test_a_passing_failure_is_tried_again_later_each_time() -> None:
    delays: list[float] = []
    for attempt in (1, 2):
        task = replace(TASK, attempt=attempt)
        command = only(
            after(standing(), held(task), received(Finished, worker=ONE, task_id=TASK.task_id, report=FAILED))
        )
        assert isinstance(command, Requeue)
        assert command.is_attempt_spent
        delays.append(command.delay_s)

    assert delays == [FIRST_RETRY_S, 2 * FIRST_RETRY_S]


def reported(reason: Reason, task: POTask = TASK, **changes: float) -> MessageReceived[Finished]:
    report = replace(Report(reason=reason), **changes)
    return received(Finished, worker=ONE, task_id=task.task_id, report=report)


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (Reason.PORTAL_UNREACHABLE, PauseReason.PORTAL_DOWN),
        (Reason.PORTAL_BUSY, PauseReason.PORTAL_BUSY),
        (Reason.DISK_FULL, PauseReason.DISK_FULL),
        (Reason.DISK_AWAY, PauseReason.DISK_AWAY),
        (Reason.DISK_FORBIDDEN, PauseReason.DISK_FORBIDDEN),
    ],
)
def test_what_is_not_the_orders_fault_makes_the_pool_wait_and_costs_nothing(reason: Reason, cause: PauseReason) -> None:
    back, hold = after(standing(), held(), reported(reason)).commands

    assert isinstance(back, Requeue)
    assert (back.is_attempt_spent, back.delay_s) == (False, FIRST_PAUSE_S)
    assert isinstance(hold, Pause)
    assert (hold.cause, hold.delay_s) == (cause, FIRST_PAUSE_S)


CUT_OFF = [
    Reason.PAGE_TOO_SLOW,
    Reason.PORTAL_ERROR,
    Reason.PORTAL_CHANGED,
    Reason.DOWNLOAD_FAILED,
    Reason.SOME_FILES_FAILED,
]


@pytest.mark.parametrize("reason", CUT_OFF)
def test_an_order_that_was_under_way_when_the_portal_went_away_pays_nothing(reason: Reason) -> None:
    other = replace(TASK, task_id=TaskId("demo:7"))

    back = only(after(standing(), held(), held(other), reported(Reason.PORTAL_UNREACHABLE, other), reported(reason)))

    assert isinstance(back, Requeue)
    assert (back.why, back.is_attempt_spent) == (Reason.PORTAL_UNREACHABLE, False)


@pytest.mark.parametrize("reason", CUT_OFF)
def test_an_order_that_was_taken_after_the_outage_pays_for_its_own_failure(reason: Reason) -> None:
    other = replace(TASK, task_id=TaskId("demo:7"))
    outage = (held(other), reported(Reason.PORTAL_UNREACHABLE, other), PauseEnded(cause=PauseReason.PORTAL_DOWN))

    back = only(after(standing(), *outage, held(), reported(reason)))

    assert isinstance(back, Requeue)
    assert (back.why, back.is_attempt_spent) == (reason, True)


def test_an_order_that_each_outage_cuts_off_pays_at_last() -> None:
    other = replace(TASK, task_id=TaskId("demo:7"))
    now = standing()
    backs: list[Command] = []
    for _ in range(FREE_RETURNS_MAX + 1):
        gone = after(now, held(), held(other), reported(Reason.PORTAL_UNREACHABLE, other)).state
        decision = after(gone, reported(Reason.DOWNLOAD_FAILED), PauseEnded(cause=PauseReason.PORTAL_DOWN))
        backs.append(after(gone, reported(Reason.DOWNLOAD_FAILED)).commands[0])
        now = decision.state

    assert [back.is_attempt_spent for back in backs if isinstance(back, Requeue)] == [False] * FREE_RETURNS_MAX + [True]


def test_an_order_whose_file_is_always_busy_ends_with_what_came() -> None:
    files = (fetched("a.pdf"),)
    busy = Report(reason=Reason.PORTAL_BUSY, files=files, missed=(missed("b.pdf"),), detail="b.pdf: busy")
    fact = received(Finished, worker=ONE, task_id=TASK.task_id, report=busy)
    now = standing(max_attempts=1)
    for _ in range(FREE_RETURNS_MAX):
        decision = after(now, held(), fact)
        assert isinstance(decision.commands[0], Requeue)
        now = replace(decision.state, pauses=Pauses())

    end = only(after(now, held(), fact))

    assert isinstance(end, FileReport)
    assert end.report == replace(busy, reason=Reason.SOME_FILES_FAILED)


def test_a_hold_that_is_on_is_not_begun_again() -> None:
    once = after(standing(), held(), reported(Reason.PORTAL_BUSY)).state
    again = after(once, held(), reported(Reason.PORTAL_BUSY))

    assert [type(command) for command in again.commands] == [Requeue]


def test_holds_in_a_row_grow_and_a_success_makes_them_short_again() -> None:
    now, lengths = standing(), list[float | None]()
    for _ in range(6):
        decision = after(now, held(), reported(Reason.PORTAL_UNREACHABLE))
        hold = decision.commands[1]
        assert isinstance(hold, Pause)
        lengths.append(hold.delay_s)
        now = decide(decision.state, PauseEnded(cause=PauseReason.PORTAL_DOWN)).state
    well = after(now, held(), reported(Reason.ALL_SAVED)).state
    short = after(well, held(), reported(Reason.PORTAL_UNREACHABLE)).commands[1]

    assert lengths == [5.0, 10.0, 20.0, 40.0, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert isinstance(short, Pause)
    assert short.delay_s == FIRST_PAUSE_S


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
        now = after(now, held(), reported(Reason.PORTAL_BUSY)).state

    command = only(after(now, held(), reported(Reason.PORTAL_BUSY)))

    assert isinstance(command, Requeue)
    assert command.is_attempt_spent


def test_a_hold_ends_by_its_time_or_by_a_person() -> None:
    paused = decide(standing(), PauseRequested())
    released = decide(paused.state, PauseEnded(cause=PauseReason.OPERATOR))

    assert only(paused) == Pause(cause=PauseReason.OPERATOR, detail="Paused by request.", delay_s=None)
    assert only(released) == Resume(cause=PauseReason.OPERATOR)
    assert released.state.pauses.active == frozenset()


def test_a_journal_without_room_makes_the_pool_wait() -> None:
    command = only(decide(standing(), JournalFull()))

    assert isinstance(command, Pause)
    assert command.cause is PauseReason.DISK_FULL


def test_a_locked_journal_makes_the_pool_wait_until_it_is_free_and_is_told_once() -> None:
    locked = decide(standing(), JournalLocked())
    again = decide(locked.state, JournalLocked())
    free = decide(again.state, PauseEnded(cause=PauseReason.JOURNAL_LOCKED))

    told = only(locked)
    assert isinstance(told, Pause)
    assert (told.cause, told.delay_s) == (PauseReason.JOURNAL_LOCKED, None)
    assert again.commands == ()
    assert only(free) == Resume(cause=PauseReason.JOURNAL_LOCKED)
    assert free.state.pauses.active == frozenset()


def test_files_that_found_no_room_are_filed_again_as_they_are() -> None:
    report = Report(reason=Reason.ALL_SAVED)
    file = FileReport(worker=ONE, task=TASK, report=report)
    fact = FilingFailed(worker=ONE, file=file, problem="full", trouble=StorageTrouble.FULL)

    hold, again = after(standing(), fact).commands

    assert isinstance(hold, Pause)
    assert again == FileReport(worker=ONE, task=TASK, report=report, delay_s=FIRST_PAUSE_S)


def test_files_that_found_no_room_at_the_end_are_fetched_again_by_a_later_run() -> None:
    file = FileReport(worker=ONE, task=TASK, report=Report(reason=Reason.ALL_SAVED))
    fact = FilingFailed(worker=ONE, file=file, problem="full", trouble=StorageTrouble.FULL)

    command = only(after(standing(), StopRequested(cause=StopCause.ASKED), fact))

    assert isinstance(command, Requeue)
    assert not command.is_attempt_spent


def test_a_worker_that_fails_at_everything_gets_one_fresh_start() -> None:
    now = standing()
    for _ in range(FAILURES_IN_A_ROW - 1):
        now = after(now, held(), reported(Reason.PORTAL_ERROR)).state
    other = replace(TASK, task_id=TaskId("demo:2"))

    fifth = after(now, held(other), held(), reported(Reason.PORTAL_ERROR))
    lost = after(fifth.state, WorkerLost(worker=ONE, cause="ended by us"))

    back, recycle = fifth.commands
    assert isinstance(back, Requeue)
    assert (back.why, back.is_attempt_spent) == (ReturnReason.RECYCLED, False)
    assert isinstance(recycle, KillAndRestart)
    beside, spawn = lost.commands
    assert isinstance(beside, Requeue)
    assert (beside.why, beside.is_attempt_spent, beside.is_death) == (ReturnReason.RECYCLED, False, False)
    assert spawn == Spawn(worker=WorkerRef(1, 2), delay_s=0.0)
    assert lost.state.slots[1].budget == RestartBudget(), "no restart is spent on it"


def test_failures_that_go_on_after_a_fresh_start_are_the_orders_own() -> None:
    now = PoolState(slots={1: WorkerSlot(was_recycled=True, failure_count=FAILURES_IN_A_ROW - 1)})

    command = only(after(now, held(), reported(Reason.PORTAL_ERROR)))

    assert isinstance(command, Requeue)
    assert command.is_attempt_spent


def test_a_success_ends_the_row_of_failures() -> None:
    now = PoolState(slots={1: WorkerSlot(was_recycled=True, failure_count=FAILURES_IN_A_ROW - 1)})

    slot = after(now, held(), reported(Reason.PORTAL_SAYS_MISSING)).state.slots[1]

    assert (slot.failure_count, slot.was_recycled) == (0, False)


def test_a_portal_that_never_answered_is_a_matter_of_setup() -> None:
    down = startup_failed(ONE, StartupFailure.PORTAL, "no answer")
    spent = PoolState(slots={1: WorkerSlot(budget=SPENT), 2: WorkerSlot()})

    first = after(standing(), down, WorkerLost(worker=ONE, cause="no answer")).commands
    last = after(spent, down, WorkerLost(worker=ONE, cause="no answer")).commands

    assert first == (Spawn(worker=WorkerRef(1, 2), delay_s=0.5),)
    assert last == (Stop(cause=StopCause.SETUP_FAILED, detail="no answer"), GiveUp(worker=ONE, cause="no answer"))


def test_a_portal_that_was_down_once_excuses_no_later_death() -> None:
    up = after(standing(), WorkerReady(worker=ONE)).state
    again = after(up, startup_failed(ONE, StartupFailure.PORTAL, "x"), WorkerLost(worker=ONE, cause="x")).state

    over = PauseEnded(cause=PauseReason.PORTAL_DOWN)
    commands = after(again, over, WorkerLost(worker=WorkerRef(1, 2), cause="killed")).commands

    assert commands == (Spawn(worker=WorkerRef(1, 3), delay_s=0.5),)


def test_nobody_pays_for_a_worker_that_dies_while_the_portal_is_known_to_be_gone() -> None:
    up = after(standing(), WorkerReady(worker=ONE), held()).state
    down = after(up, startup_failed(TWO, StartupFailure.PORTAL, "x"), WorkerLost(worker=TWO, cause="x")).state
    spent = with_slot(down, ONE, replace(down.slots[1], budget=SPENT))

    back, spawn = after(spent, WorkerLost(worker=ONE, cause="it said nothing for 15 s")).commands

    assert isinstance(back, Requeue)
    assert (back.why, back.is_attempt_spent, back.is_death) == (Reason.PORTAL_UNREACHABLE, False, False)
    assert isinstance(spawn, Spawn)
    assert spawn.delay_s >= FIRST_PAUSE_S


def test_in_an_outage_no_order_pays_for_two_hours() -> None:
    now = standing()
    for _ in range(OUTAGE_RETURNS_MAX):
        decision = after(now, held(), reported(Reason.PORTAL_UNREACHABLE))
        assert not any(isinstance(command, Requeue) and command.is_attempt_spent for command in decision.commands)
        now = after(decision.state, PauseEnded(cause=PauseReason.PORTAL_DOWN)).state

    command = only(after(now, held(), reported(Reason.PORTAL_UNREACHABLE)))

    assert isinstance(command, Requeue)
    assert command.is_attempt_spent


def test_a_browser_that_never_starts_is_a_matter_of_setup() -> None:
    start = PoolState(slots={1: WorkerSlot(budget=SPENT), 2: WorkerSlot(is_given_up=True)})
    unfit = startup_failed(ONE, StartupFailure.BROWSER, "no library")

    commands = after(start, unfit, WorkerLost(worker=ONE, cause="no library")).commands

    give_up = GiveUp(worker=ONE, cause="no library")
    assert commands == (give_up, Stop(cause=StopCause.SETUP_FAILED, detail="no library"))


def test_a_browser_that_takes_all_its_time_is_told_at_once_and_has_two_tries() -> None:
    unfit = startup_failed(ONE, StartupFailure.BROWSER, "it hangs")
    first = after(standing(1), unfit, WorkerLost(worker=ONE, cause="it hangs", at_s=45.0))
    again = startup_failed(WorkerRef(1, 2), StartupFailure.BROWSER, "it hangs")

    second = after(first.state, again, WorkerLost(worker=WorkerRef(1, 2), cause="it hangs", at_s=90.5))

    assert first.commands == (Spawn(worker=WorkerRef(1, 2), delay_s=0.5, browser_problem="it hangs"),)
    assert second.commands[-1] == Stop(cause=StopCause.SETUP_FAILED, detail="it hangs")


@pytest.mark.parametrize(
    ("at_s", "was_ready", "is_over"), [(74.9, False, False), (75.0, False, True), (75.0, True, False)]
)
def test_a_browser_that_ends_at_once_or_started_before_has_all_its_restarts(
    at_s: float, *, was_ready: bool, is_over: bool
) -> None:
    unfit = startup_failed(ONE, StartupFailure.BROWSER, "no library")
    first = after(standing(1), unfit, WorkerLost(worker=ONE, cause="no library", at_s=45.0)).state
    again = startup_failed(WorkerRef(1, 2), StartupFailure.BROWSER, "no library")

    commands = after(
        replace(first, was_ready=was_ready), again, WorkerLost(worker=WorkerRef(1, 2), cause="no library", at_s=at_s)
    ).commands

    assert (Stop(cause=StopCause.SETUP_FAILED, detail="no library") in commands) is is_over
    assert any(isinstance(command, Spawn) for command in commands) is not is_over


def test_a_browser_that_does_not_start_again_ends_its_slot_like_any_death() -> None:
    start = PoolState(slots={1: WorkerSlot(budget=SPENT), 2: WorkerSlot(is_given_up=True)}, was_ready=True)
    unfit = startup_failed(ONE, StartupFailure.BROWSER, "no library")

    commands = after(start, unfit, WorkerLost(worker=ONE, cause="no library")).commands

    assert commands[-1] == FailQueued(reason=Reason.NO_WORKERS)


def test_a_portal_that_went_away_is_waited_for_without_spending_restarts() -> None:
    now = after(standing(1), WorkerReady(worker=ONE)).state

    hold, spawn = after(
        now, startup_failed(ONE, StartupFailure.PORTAL, "x"), WorkerLost(worker=ONE, cause="x")
    ).commands

    assert isinstance(hold, Pause)
    assert hold.cause is PauseReason.PORTAL_DOWN
    assert spawn == Spawn(worker=WorkerRef(1, 2), delay_s=FIRST_PAUSE_S)


def test_an_order_that_is_filed_may_wait_for_free_again() -> None:
    waited = after(standing(), held(), reported(Reason.PORTAL_BUSY)).state

    assert waited.free_returns
    assert after(waited, TaskFiled(worker=ONE, task=TASK)).state.free_returns == {}


def test_the_last_attempt_is_final() -> None:
    task = replace(TASK, attempt=3)

    command = only(after(standing(), held(task), received(Finished, worker=ONE, task_id=TASK.task_id, report=FAILED)))

    assert command == FileReport(worker=ONE, task=task, report=FAILED)


def test_a_final_reason_is_never_tried_again() -> None:
    report = Report(reason=Reason.DOWNLOAD_REFUSED)

    assert isinstance(
        only(after(standing(), held(), received(Finished, worker=ONE, task_id=TASK.task_id, report=report))), FileReport
    )


def test_a_task_given_back_costs_no_attempt_and_no_time() -> None:
    fact = received(Returned, worker=ONE, task_id=TASK.task_id, why=ReturnReason.SESSION_LOST, detail="")

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
        start = decision.state

    assert pauses == [0.5, 1.0, 2.0]


def test_where_a_pool_has_no_end_old_restarts_count_no_more() -> None:
    now = PoolState(slots={1: WorkerSlot(budget=RestartBudget(window_s=3600.0)), 2: WorkerSlot()})
    delays: list[float] = []
    for generation, at_s in enumerate((0.0, 10.0, 20.0), 1):
        decision = after(now, WorkerLost(worker=WorkerRef(1, generation), cause="gone", at_s=at_s))
        delays += [command.delay_s for command in decision.commands if isinstance(command, Spawn)]
        now = decision.state
    fourth = WorkerRef(1, 4)

    within = after(now, WorkerLost(worker=fourth, cause="gone", at_s=3599.0))
    beyond = after(now, WorkerLost(worker=fourth, cause="gone", at_s=3600.0))

    assert delays == [0.5, 1.0, 2.0]
    rest = SuspendSlot(worker=fourth, cause="gone", rest_s=SUSPENSION_S)
    assert within.commands == (rest, Spawn(worker=WorkerRef(1, 5), delay_s=SUSPENSION_S))
    assert beyond.commands == (Spawn(worker=WorkerRef(1, 5), delay_s=2.0),)


def test_a_spent_slot_rests_while_others_live_and_is_tried_again() -> None:
    spent = {1: WorkerSlot(budget=SPENT), 2: WorkerSlot()}

    decision = after(PoolState(slots=spent), WorkerLost(worker=ONE, cause="gone"))
    back = after(decision.state, WorkerReady(worker=WorkerRef(1, 2)))

    assert decision.commands == (
        SuspendSlot(worker=ONE, cause="gone", rest_s=SUSPENSION_S),
        Spawn(worker=WorkerRef(1, 2), delay_s=SUSPENSION_S),
    )
    assert decision.state.slots[1].is_given_up
    assert not back.state.slots[1].is_given_up


def test_restarts_for_one_cause_do_not_spend_those_for_another() -> None:
    spent = {1: WorkerSlot(budget=SPENT), 2: WorkerSlot()}

    silent = after(PoolState(slots=spent), WorkerLost(worker=ONE, cause="gone", kind=LossKind.SILENT))

    assert only(silent) == Spawn(worker=WorkerRef(1, 2), delay_s=0.5)


def test_a_list_of_days_has_its_restarts_anew_each_hour() -> None:
    now = initial_state(pool_options(worker_count=2))
    for hour in range(50):
        for at_s in (0.0, 60.0, 120.0):
            worker = WorkerRef(1, now.slots[1].generation)
            decision = after(now, WorkerLost(worker=worker, cause="killed", at_s=hour * RESTART_WINDOW_S + at_s))
            assert isinstance(only(decision), Spawn)
            now = decision.state


def test_a_pool_says_whether_anybody_can_work() -> None:
    one_left = PoolState(slots={1: WorkerSlot(is_given_up=True), 2: WorkerSlot()})
    none_left = PoolState(slots={1: WorkerSlot(is_given_up=True), 2: WorkerSlot(is_given_up=True)})

    assert one_left.can_work
    assert not none_left.can_work
    assert not replace(one_left, is_stopping=True).can_work


def test_the_last_slot_takes_the_queue_with_it() -> None:
    spent = {1: WorkerSlot(budget=SPENT), 2: WorkerSlot(is_given_up=True)}

    decision = after(PoolState(slots=spent), WorkerLost(worker=ONE, cause="gone"))

    assert decision.commands == (
        GiveUp(worker=ONE, cause="gone"),
        Stop(cause=StopCause.NO_WORKERS, detail="gone"),
        FailQueued(reason=Reason.NO_WORKERS),
    )


def test_a_pool_that_lives_on_keeps_its_queue_when_the_last_slot_goes() -> None:
    spent = {1: WorkerSlot(budget=SPENT), 2: WorkerSlot(is_given_up=True)}

    decision = after(PoolState(slots=spent, keeps_queue=True), WorkerLost(worker=ONE, cause="gone"))

    assert decision.state.is_stopping
    assert decision.commands == (
        GiveUp(worker=ONE, cause="gone"),
        Stop(cause=StopCause.NO_WORKERS, detail="gone", keeps_queue=True),
    )


@pytest.mark.parametrize(("attempt", "is_spent"), [(2, True), (3, False)])
def test_a_task_that_took_down_two_workers_gets_one_last_try(attempt: int, is_spent: bool) -> None:
    task = replace(TASK, death_count=DEATH_LIMIT - 1, attempt=attempt)

    back = after(standing(), held(task), WorkerLost(worker=ONE, cause="gone")).commands[0]

    assert isinstance(back, Requeue)
    assert (back.is_death, back.is_attempt_spent) == (True, is_spent)


def test_a_task_that_kills_the_worker_that_had_nothing_else_is_quarantined() -> None:
    task = replace(TASK, death_count=DEATH_LIMIT, attempt=3)

    file = after(standing(), held(task), WorkerLost(worker=ONE, cause="gone")).commands[0]

    assert isinstance(file, FileReport)
    assert file.report.outcome is Outcome.QUARANTINED
    assert file.report.detail == "3 workers crashed on it, the last one with no other task: gone."


def test_a_task_on_trial_gets_a_fresh_worker_as_soon_as_one_can_go() -> None:
    up = after(standing(), WorkerReady(worker=ONE), WorkerReady(worker=TWO)).state
    seen = MemorySampled(by_worker={}, own_bytes=0, total_bytes=100, is_exact=False, at_s=10.0)
    on_trial = replace(TASK, death_count=DEATH_LIMIT)

    waits = after(up, TrialQueued(task_id=TASK.task_id))
    fresh = after(waits.state, seen)
    calm = after(waits.state, held(on_trial), seen)
    away = after(up, WorkerLost(worker=TWO, cause="gone"), TrialQueued(task_id=TASK.task_id), seen)

    assert waits.commands == ()
    why = "an order that crashed workers gets its last attempt alone, in a fresh browser"
    assert fresh.commands == (Recycle(worker=ONE, cause=why),)
    assert calm.commands == ()
    assert away.commands == (), "the one that comes up is fresh"


def test_several_tasks_may_be_on_trial() -> None:
    first = after(standing(), TrialQueued(task_id=TaskId("demo:1")))

    second = after(first.state, TrialQueued(task_id=TaskId("demo:2")))

    assert second.state.on_trial == {"demo:1", "demo:2"}


def test_a_death_while_stopping_is_no_fault_of_the_task() -> None:
    decision = after(
        standing(), held(), StopRequested(cause=StopCause.ASKED), WorkerLost(worker=ONE, cause="ended by us")
    )

    command, give_up = decision.commands
    assert isinstance(command, Requeue)
    assert (command.is_attempt_spent, command.is_death, command.why) == (False, False, ReturnReason.DRAINING)
    assert give_up == GiveUp(worker=ONE, cause="ended by us", is_expected=True), "else it would stay CRASHED"


def test_a_worker_that_ends_in_order_with_a_task_in_hand_gives_it_back() -> None:
    command = only(after(standing(), held(), StopRequested(cause=StopCause.ASKED), WorkerEnded(worker=ONE)))

    assert isinstance(command, Requeue)
    assert not command.is_attempt_spent


def test_the_first_cause_of_a_stop_counts() -> None:
    first = after(standing(), StopRequested(cause=StopCause.LOGIN_REQUIRED, detail="log in"))

    assert only(first) == Stop(cause=StopCause.LOGIN_REQUIRED, detail="log in")
    assert decide(first.state, StopRequested(cause=StopCause.ASKED)).commands == ()


def test_facts_of_a_generation_that_is_gone_change_nothing() -> None:
    start = after(standing(), WorkerLost(worker=ONE, cause="gone")).state
    late = received(Finished, worker=ONE, task_id=TASK.task_id, report=FAILED)

    assert decide(start, late) == Decision(start)
    assert decide(start, WorkerLost(worker=ONE, cause="again")) == Decision(start)


def test_a_worker_is_not_believed_about_a_task_it_does_not_hold() -> None:
    assert after(standing(), received(Finished, worker=TWO, task_id=TASK.task_id, report=FAILED)).commands == ()


def test_files_that_cannot_be_put_in_place_are_tried_again_and_then_told() -> None:
    report = Report(reason=Reason.ALL_SAVED, page_evidence=fetched("order page.pdf"))

    def about(attempt: int) -> Command:
        task = replace(TASK, attempt=attempt)
        file = FileReport(worker=ONE, task=task, report=report)
        return only(after(standing(), FilingFailed(worker=ONE, file=file, problem="full")))

    again, told = about(1), about(3)
    assert isinstance(again, Requeue)
    assert isinstance(told, RecordOutcome)
    assert (told.report.reason, told.report.files, told.report.page_evidence) == (Reason.FILING_FAILED, (), None)
