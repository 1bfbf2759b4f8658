"""Each decision whole: who is meant, in which words, and all that the plan remembers afterwards. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished, StartupFailure
from poolwright.supervisor.policy.commands import (
    Command,
    FailQueued,
    FileReport,
    GiveUp,
    KillAndRestart,
    Pause,
    RecordOutcome,
    Requeue,
    Resume,
    Spawn,
    Stop,
    StopCause,
    SuspendSlot,
)
from poolwright.supervisor.policy.decide import Decision, decide
from poolwright.supervisor.policy.events import (
    DiskLow,
    FilingFailed,
    JournalFull,
    JournalLocked,
    MessageReceived,
    PauseEnded,
    PauseRequested,
    PoolInput,
    StopRequested,
    TaskAssigned,
    TaskFiled,
    WorkerEnded,
    WorkerLost,
    WorkerReady,
)
from poolwright.supervisor.policy.login_state import LoginRecovery, LoginStatus, Logouts
from poolwright.supervisor.policy.pauses import FIRST_PAUSE_S, LONGEST_PAUSE_S, RETRY_AFTER_LIMIT_S, PauseReason, Pauses
from poolwright.supervisor.policy.retries import FAILURES_IN_A_ROW, FREE_RETURNS_MAX, OUTAGE_RETURNS_MAX
from poolwright.supervisor.policy.state import (
    FIRST_BACKOFF_S,
    RESTART_LIMIT,
    SUSPENSION_S,
    LossKind,
    PoolState,
    Restart,
    RestartBudget,
    UnverifiedResult,
    UnverifiedResults,
    WorkerSlot,
)
from tests.support.policy_states import with_slot
from tests.support.tasks import fetched, missed
from tests.support.worker_messages import received, startup_failed

ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
NEXT = WorkerRef(1, 2)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
OTHER = replace(TASK, task_id=TaskId("demo:2"))
SPENT = RestartBudget(spent=(Restart(0.0),) * RESTART_LIMIT)
#: Of a worker that came up, and of the pool then.
UP = WorkerSlot(is_up=True, login_status=LoginStatus.LOGGED_IN)
AT_WORK = PoolState(slots={1: UP, 2: UP}, was_ready=True)
HOLDING = with_slot(
    AT_WORK,
    ONE,
    replace(UP, held={TASK.task_id: TASK}, outages_before={TASK.task_id: 0}, shown_before={TASK.task_id: 0}),
)
GONE = WorkerLost(worker=ONE, cause="killed by signal 9", at_s=50.0)


def after(start: PoolState, *facts: PoolInput) -> Decision:
    """The decision about the last fact."""
    decision = Decision(start)
    for fact in facts:
        decision = decide(decision.state, fact)
    return decision


def told(reason: Reason, **changes: object) -> MessageReceived[Finished]:
    report = replace(Report(reason=reason, detail="said the page"), **changes)
    return received(Finished, worker=ONE, task_id=TASK.task_id, report=report)


def given_back(why: Reason | ReturnReason, detail: str, task: POTask = TASK, **changes: object) -> Requeue:
    back = Requeue(worker=ONE, task=task, why=why, detail=detail, delay_s=0.0, is_attempt_spent=False)
    return replace(back, **changes)


def with_attempt(number: int, **changes: int) -> PoolState:
    """A worker that has the order in hand, on this attempt."""
    return with_slot(
        HOLDING, ONE, replace(HOLDING.slots[1], held={TASK.task_id: replace(TASK, attempt=number, **changes)})
    )


class TestHolds:
    """What makes the whole pool wait."""

    @pytest.mark.parametrize(
        ("fact", "hold"),
        [
            (JournalFull(), Pause(cause=PauseReason.DISK_FULL, detail="The disk of the journal is full.", delay_s=5.0)),
            (
                DiskLow(free_bytes=100 * 1024 * 1024),
                Pause(
                    cause=PauseReason.DISK_FULL,
                    detail="Only 100.0 MB are free on the disk of the output folder.",
                    delay_s=5.0,
                ),
            ),
            (
                JournalLocked(),
                Pause(cause=PauseReason.JOURNAL_LOCKED, detail="Another program has locked the journal.", delay_s=None),
            ),
            (PauseRequested(), Pause(cause=PauseReason.OPERATOR, detail="Paused by request.", delay_s=None)),
        ],
    )
    def test_why_the_pool_waits_is_told_and_remembered(self, fact: PoolInput, hold: Pause) -> None:
        decision = decide(AT_WORK, fact)

        assert decision == Decision(replace(AT_WORK, pauses=Pauses().begin(hold.cause, hold.delay_s)), (hold,))
        assert decide(decision.state, fact) == Decision(decision.state), "and only once"

    def test_the_end_of_a_hold_that_is_not_on_changes_nothing(self) -> None:
        assert decide(AT_WORK, PauseEnded(cause=PauseReason.PORTAL_BUSY)) == Decision(AT_WORK)

    def test_the_end_of_a_hold_leaves_the_others_on(self) -> None:
        start = replace(AT_WORK, pauses=Pauses().begin(PauseReason.OPERATOR).begin(PauseReason.PORTAL_BUSY))

        decision = decide(start, PauseEnded(cause=PauseReason.OPERATOR))

        assert decision.commands == (Resume(cause=PauseReason.OPERATOR),)
        assert decision.state == replace(start, pauses=start.pauses.end(PauseReason.OPERATOR))
        assert decision.state.pauses.active == {PauseReason.PORTAL_BUSY}

    def test_the_end_of_a_pause_is_no_reason_to_log_in_again(self) -> None:
        login = LoginRecovery(refresher=2, vain_count=1)
        start = replace(AT_WORK, pauses=Pauses().begin(PauseReason.OPERATOR), login_recovery=login)

        assert decide(start, PauseEnded(cause=PauseReason.OPERATOR)).state.login_recovery == login

    def test_a_stop_is_remembered(self) -> None:
        decision = decide(AT_WORK, StopRequested(cause=StopCause.PROFILE_DAMAGED, detail="a file is gone"))

        assert decision.state == replace(AT_WORK, is_stopping=True)
        assert decision.commands == (Stop(cause=StopCause.PROFILE_DAMAGED, detail="a file is gone"),)


class TestWorkers:
    """What is known of a worker that comes and goes."""

    def test_a_worker_that_comes_up_has_nothing_of_its_start_against_it(self) -> None:
        ailing = WorkerSlot(is_portal_down=True, is_browser_unfit=True, folder_trouble=StorageTrouble.FULL)
        start = PoolState(
            slots={1: ailing, 2: ailing},
            pauses=Pauses(row_counts={PauseReason.PORTAL_DOWN: 3, PauseReason.PORTAL_BUSY: 2}),
        )

        decision = decide(start, WorkerReady(worker=ONE, at_s=7.0))

        assert decision == Decision(
            replace(
                start,
                slots={1: replace(UP, up_at_s=7.0), 2: ailing},
                was_ready=True,
                pauses=Pauses(row_counts={PauseReason.PORTAL_BUSY: 2}),
            )
        )

    def test_a_task_in_hand_is_remembered_with_the_outages_before_it(self) -> None:
        start = replace(AT_WORK, pauses=Pauses(outage_count=2), shown_count=7)

        decision = after(start, TaskAssigned(worker=ONE, task=OTHER), TaskAssigned(worker=ONE, task=TASK))

        ids = (OTHER.task_id, TASK.task_id)
        outages, shown = dict.fromkeys(ids, 2), dict.fromkeys(ids, 7)
        held = dict(zip(ids, (OTHER, TASK), strict=True))
        holding = replace(UP, held=held, outages_before=outages, shown_before=shown)
        assert decision == Decision(with_slot(start, ONE, holding))

    def test_what_a_worker_finds_as_it_starts_is_remembered(self) -> None:
        down = decide(AT_WORK, startup_failed(ONE, StartupFailure.PORTAL, "x"))
        unfit = decide(AT_WORK, startup_failed(TWO, StartupFailure.BROWSER, "x"))

        assert down == Decision(with_slot(AT_WORK, ONE, replace(UP, is_portal_down=True)))
        assert unfit == Decision(with_slot(AT_WORK, TWO, replace(UP, is_browser_unfit=True)))

    @pytest.mark.parametrize(
        ("kind", "cause"),
        [
            (StartupFailure.LOGIN, StopCause.LOGIN_REQUIRED),
            (StartupFailure.PROCESSOR, StopCause.SETUP_FAILED),
            (StartupFailure.PROFILE, StopCause.PROFILE_DAMAGED),
        ],
    )
    def test_what_no_other_worker_would_do_better_ends_the_pool(self, kind: StartupFailure, cause: StopCause) -> None:
        decision = decide(AT_WORK, startup_failed(ONE, kind, "It cannot."))

        assert decision == Decision(replace(AT_WORK, is_stopping=True), (Stop(cause=cause, detail="It cannot."),))

    def test_a_generation_leaves_nothing_to_the_next(self) -> None:
        full = replace(
            HOLDING.slots[1],
            generation=1,
            done_count=4,
            failure_count=2,
            was_recycled=True,
            is_browser_unfit=True,
            unverified=UnverifiedResults(tainted=frozenset({OTHER.task_id})),
        )

        decision = decide(with_slot(HOLDING, ONE, full), GONE)

        assert decision.state.slots[1] == WorkerSlot(
            generation=2, failure_count=2, was_recycled=True, budget=RestartBudget(spent=(Restart(50.0),))
        )

    def test_one_that_was_ended_by_us_is_followed_by_one_with_a_clean_slate(self) -> None:
        decision = decide(with_slot(HOLDING, ONE, replace(HOLDING.slots[1], is_being_killed=True)), GONE)

        assert decision.commands == (given_back(ReturnReason.RECYCLED, GONE.cause), Spawn(worker=NEXT, delay_s=0.0))
        assert decision.state == with_slot(AT_WORK, ONE, WorkerSlot(generation=2))

    def test_a_worker_that_ends_in_order_leaves_an_empty_slot(self) -> None:
        decision = decide(HOLDING, WorkerEnded(worker=ONE))

        assert decision.commands == (given_back(ReturnReason.DRAINING, "its worker ended"),)
        assert decision.state == with_slot(AT_WORK, ONE, WorkerSlot(is_given_up=True))

    def test_one_that_was_to_return_is_followed_by_the_next(self) -> None:
        start = with_slot(HOLDING, ONE, replace(HOLDING.slots[1], is_being_recycled=True))

        decision = decide(start, WorkerEnded(worker=ONE))

        assert decision.commands == (
            given_back(ReturnReason.DRAINING, "its worker ended"),
            Spawn(worker=NEXT, delay_s=0.0),
        )
        assert decision.state == with_slot(AT_WORK, ONE, WorkerSlot(generation=2))

    def test_one_that_was_to_return_to_a_pool_that_ends_does_not(self) -> None:
        start = replace(with_slot(HOLDING, ONE, replace(HOLDING.slots[1], is_being_recycled=True)), is_stopping=True)

        decision = decide(start, WorkerEnded(worker=ONE))

        assert decision.commands == (
            given_back(ReturnReason.DRAINING, "its worker ended"),
            GiveUp(worker=ONE, cause="the pool ends", is_expected=True),
        )
        assert decision.state.slots[1] == WorkerSlot(is_given_up=True)


class TestLosses:
    """What becomes of the order that a lost worker had in hand, and of its slot."""

    def test_a_lost_worker_costs_its_order_an_attempt(self) -> None:
        assert decide(with_attempt(2), GONE).commands == (
            given_back(Reason.WORKER_LOST, GONE.cause, replace(TASK, attempt=2), is_attempt_spent=True, is_death=True),
            Spawn(worker=NEXT, delay_s=FIRST_BACKOFF_S),
        )

    def test_the_last_attempt_ends_with_its_worker(self) -> None:
        end = FileReport(
            worker=ONE, task=replace(TASK, attempt=3), report=Report(reason=Reason.WORKER_LOST, detail=GONE.cause)
        )

        assert decide(with_attempt(3), GONE).commands[0] == end

    def test_an_order_that_kills_is_set_apart_whatever_attempts_are_left(self) -> None:
        told = "3 workers crashed on it, the last one with no other task: killed by signal 9."

        assert decide(with_attempt(2, death_count=2), GONE).commands[0] == FileReport(
            worker=ONE,
            task=replace(TASK, attempt=2, death_count=2),
            report=Report(reason=Reason.KILLS_WORKERS, detail=told),
        )

    @pytest.mark.parametrize(
        ("start", "why"),
        [
            (replace(HOLDING, is_stopping=True), ReturnReason.DRAINING),
            (with_slot(HOLDING, ONE, replace(HOLDING.slots[1], is_being_killed=True)), ReturnReason.RECYCLED),
            (with_slot(HOLDING, ONE, replace(HOLDING.slots[1], is_portal_down=True)), Reason.PORTAL_UNREACHABLE),
        ],
    )
    def test_a_death_that_is_no_fault_of_the_order_costs_it_nothing(
        self, start: PoolState, why: Reason | ReturnReason
    ) -> None:
        assert decide(start, GONE).commands[0] == given_back(why, GONE.cause)

    def test_a_slot_of_a_pool_that_ends_stays_empty(self) -> None:
        decision = decide(replace(HOLDING, is_stopping=True), GONE)

        assert decision.state == with_slot(replace(AT_WORK, is_stopping=True), ONE, WorkerSlot(is_given_up=True))
        assert decision.commands == (
            given_back(ReturnReason.DRAINING, GONE.cause),
            GiveUp(worker=ONE, cause=GONE.cause, is_expected=True),
        )

    def test_one_that_hangs_with_an_order_in_hand_as_it_goes_is_a_crash(self) -> None:
        start = with_slot(HOLDING, ONE, replace(HOLDING.slots[1], is_being_recycled=True))

        assert decide(start, GONE).commands[1] == Spawn(worker=NEXT, delay_s=FIRST_BACKOFF_S)

    def test_a_portal_that_is_gone_holds_the_pool_and_the_next_start(self) -> None:
        start = with_slot(HOLDING, ONE, replace(HOLDING.slots[1], is_portal_down=True))

        decision = decide(start, GONE)

        assert decision.commands == (
            given_back(Reason.PORTAL_UNREACHABLE, GONE.cause),
            Pause(cause=PauseReason.PORTAL_DOWN, detail=GONE.cause, delay_s=FIRST_PAUSE_S),
            Spawn(worker=NEXT, delay_s=FIRST_PAUSE_S),
        )
        waiting = replace(AT_WORK, pauses=Pauses().begin(PauseReason.PORTAL_DOWN, 50.0 + FIRST_PAUSE_S))
        assert decision.state == with_slot(waiting, ONE, WorkerSlot(generation=2))

    def test_before_any_worker_came_up_a_portal_that_is_gone_costs_restarts_as_long_as_there_are_any(self) -> None:
        early = WorkerSlot(
            is_portal_down=True,
            budget=RestartBudget(window_s=100.0, spent=(Restart(0.0), Restart(10.0), Restart(20.0))),
        )
        start = PoolState(slots={1: replace(early, held={TASK.task_id: TASK}), 2: WorkerSlot()})

        first = decide(start, replace(GONE, at_s=101.0))
        last = decide(start, GONE)

        back = given_back(Reason.PORTAL_UNREACHABLE, GONE.cause)
        assert first.commands == (back, Spawn(worker=NEXT, delay_s=2.0))
        assert first.state.slots[1] == WorkerSlot(
            generation=2, budget=RestartBudget(window_s=100.0, spent=(Restart(10.0), Restart(20.0), Restart(101.0)))
        )
        ended = Stop(cause=StopCause.SETUP_FAILED, detail=GONE.cause)
        assert last.commands == (back, ended, GiveUp(worker=ONE, cause=GONE.cause))
        assert last.state == replace(
            start, is_stopping=True, slots={1: replace(early, is_portal_down=True, is_given_up=True), 2: WorkerSlot()}
        )

    def test_restarts_are_spent_for_each_kind_of_loss(self) -> None:
        silent = (Restart(0.0, LossKind.SILENT),) * RESTART_LIMIT
        early = PoolState(
            slots={1: WorkerSlot(is_portal_down=True, budget=RestartBudget(spent=silent)), 2: WorkerSlot()}
        )

        died = decide(early, GONE)
        fell_silent = decide(early, replace(GONE, kind=LossKind.SILENT))
        once = decide(AT_WORK, replace(GONE, kind=LossKind.SILENT))

        assert died.commands == (Spawn(worker=NEXT, delay_s=FIRST_BACKOFF_S),)
        ended = Stop(cause=StopCause.SETUP_FAILED, detail=GONE.cause)
        assert fell_silent.commands == (ended, GiveUp(worker=ONE, cause=GONE.cause))
        assert once.state.slots[1].budget.spent == (Restart(50.0, LossKind.SILENT),)

    def test_a_slot_without_restarts_rests_and_its_order_goes_to_another(self) -> None:
        start = with_slot(HOLDING, ONE, replace(HOLDING.slots[1], budget=SPENT))

        decision = decide(start, GONE)

        assert decision.commands == (
            given_back(Reason.WORKER_LOST, GONE.cause, is_attempt_spent=True, is_death=True),
            SuspendSlot(worker=ONE, cause=GONE.cause, rest_s=SUSPENSION_S),
            Spawn(worker=NEXT, delay_s=SUSPENSION_S),
        )
        assert decision.state == with_slot(AT_WORK, ONE, WorkerSlot(generation=2, budget=SPENT, is_given_up=True))

    @pytest.mark.parametrize(
        ("changes", "unfit", "ends"),
        [
            ({}, False, (Stop(cause=StopCause.NO_WORKERS, detail=GONE.cause), FailQueued(reason=Reason.NO_WORKERS))),
            ({}, True, (Stop(cause=StopCause.SETUP_FAILED, detail=GONE.cause),)),
            (
                {"keeps_queue": True},
                False,
                (Stop(cause=StopCause.NO_WORKERS, detail=GONE.cause, keeps_queue=True),),
            ),
        ],
    )
    def test_the_last_worker_gives_its_order_back_before_the_pool_ends(
        self, changes: dict[str, bool], unfit: bool, ends: tuple[Command, ...]
    ) -> None:
        last = WorkerSlot(budget=SPENT, held={TASK.task_id: TASK}, is_browser_unfit=unfit)
        start = replace(PoolState(slots={1: last, 2: WorkerSlot(is_given_up=True)}), **changes)

        decision = decide(start, GONE)

        back = given_back(Reason.WORKER_LOST, GONE.cause, is_attempt_spent=True, is_death=True)
        assert decision.commands == (back, GiveUp(worker=ONE, cause=GONE.cause), *ends)
        left = WorkerSlot(budget=SPENT, is_given_up=True, is_browser_unfit=unfit)
        assert decision.state == replace(start, is_stopping=True, slots={1: left, 2: WorkerSlot(is_given_up=True)})


class TestFiling:
    """What becomes of files that could not be put in place."""

    FILES = Report(reason=Reason.ALL_SAVED, files=(fetched("a.pdf"),), missed=(missed("b.pdf"),), evidence=("x.png",))

    FILE = FileReport(worker=ONE, task=TASK, report=FILES)

    def failed(self, trouble: StorageTrouble = StorageTrouble.OTHER, file: FileReport = FILE) -> FilingFailed:
        return FilingFailed(worker=ONE, file=file, problem="no room", trouble=trouble)

    def test_a_full_disk_is_waited_for_and_the_files_are_kept(self) -> None:
        decision = decide(AT_WORK, self.failed(StorageTrouble.FULL))

        assert decision == Decision(
            replace(AT_WORK, pauses=Pauses().begin(PauseReason.DISK_FULL, FIRST_PAUSE_S)),
            (
                Pause(cause=PauseReason.DISK_FULL, detail="no room", delay_s=FIRST_PAUSE_S),
                FileReport(worker=ONE, task=TASK, report=self.FILES, delay_s=FIRST_PAUSE_S),
            ),
        )

    def test_at_the_end_there_is_no_time_to_wait_for_room(self) -> None:
        ending = replace(AT_WORK, is_stopping=True)

        assert decide(ending, self.failed(StorageTrouble.FULL)) == Decision(
            ending, (given_back(ReturnReason.DRAINING, "no room"),)
        )

    def test_files_that_could_not_be_filed_are_none(self) -> None:
        last = replace(TASK, attempt=3)
        lost = Report(reason=Reason.FILING_FAILED, detail="no room")

        again = decide(AT_WORK, self.failed())
        end = decide(AT_WORK, self.failed(file=replace(self.FILE, task=last)))

        assert again == Decision(
            AT_WORK, (given_back(Reason.FILING_FAILED, "no room", delay_s=1.0, is_attempt_spent=True),)
        )
        assert end == Decision(AT_WORK, (RecordOutcome(worker=ONE, task=last, report=lost),))

    def test_what_is_filed_is_the_end_of_a_full_disk_and_of_all_that_was_counted_for_it(self) -> None:
        counts = {TASK.task_id: 3, OTHER.task_id: 2}
        start = replace(
            AT_WORK,
            pauses=Pauses(row_counts={PauseReason.DISK_FULL: 2, PauseReason.PORTAL_BUSY: 1}),
            free_returns=counts,
            logouts=Logouts(first_counts=counts, alone_counts=counts),
        )

        assert decide(start, TaskFiled(worker=ONE, task=TASK)) == Decision(
            replace(
                start,
                pauses=Pauses(row_counts={PauseReason.PORTAL_BUSY: 1}),
                free_returns={OTHER.task_id: 2},
                logouts=Logouts(first_counts={OTHER.task_id: 2}, alone_counts={OTHER.task_id: 2}),
            )
        )

    def test_the_files_of_a_generation_that_is_gone_are_filed_all_the_same(self) -> None:
        start = replace(with_slot(AT_WORK, ONE, replace(UP, generation=2)), free_returns={TASK.task_id: 1})

        assert decide(start, TaskFiled(worker=ONE, task=TASK)).state.free_returns == {}
        assert len(decide(start, self.failed()).commands) == 1


class TestReports:
    """What a finished attempt leads to."""

    DONE = with_slot(AT_WORK, ONE, replace(UP, done_count=1))

    def test_the_figures_are_those_of_the_design(self) -> None:
        assert (FREE_RETURNS_MAX, OUTAGE_RETURNS_MAX, FAILURES_IN_A_ROW) == (10, 120, 5)
        assert (RESTART_LIMIT, FIRST_BACKOFF_S, SUSPENSION_S) == (3, 0.5, 600.0)
        assert (FIRST_PAUSE_S, LONGEST_PAUSE_S, RETRY_AFTER_LIMIT_S) == (5.0, 60.0, 300.0)

    def test_at_first_nothing_is_known_and_nothing_is_held_against_anybody(self) -> None:
        assert WorkerSlot() == WorkerSlot(
            generation=1,
            budget=RestartBudget(window_s=None, spent=()),
            held={},
            outages_before={},
            unverified=UnverifiedResults(row=(), checked_task_ids=None, tainted=frozenset()),
            is_given_up=False,
            failure_count=0,
            was_recycled=False,
            is_being_killed=False,
            is_browser_unfit=False,
            is_portal_down=False,
            is_up=False,
            up_at_s=0.0,
            done_count=0,
            is_being_recycled=False,
            login_status=LoginStatus.UNKNOWN,
        )
        assert Pauses() == Pauses(active=frozenset(), row_counts={}, outage_count=0)
        assert not PoolState(slots={}).renews_early

    def test_in_hand_is_what_workers_have_and_what_they_are_not_believed_about(self) -> None:
        missing = UnverifiedResult(
            task=OTHER, report=Report(reason=Reason.PORTAL_SAYS_MISSING), concurrent_tasks=frozenset()
        )
        doubting = replace(UP, unverified=UnverifiedResults(row=(missing,)))

        assert with_slot(HOLDING, TWO, doubting).held_task_ids == {TASK.task_id, OTHER.task_id}

    def test_an_order_that_was_cut_off_goes_back_for_free_and_that_is_counted(self) -> None:
        start = replace(HOLDING, pauses=Pauses(outage_count=1), free_returns={OTHER.task_id: 4})

        decision = decide(start, told(Reason.DOWNLOAD_FAILED))

        assert decision == Decision(
            replace(self.DONE, pauses=start.pauses, free_returns={OTHER.task_id: 4, TASK.task_id: 1}),
            (given_back(Reason.PORTAL_UNREACHABLE, "said the page"),),
        )

    def test_an_order_that_waits_for_the_portal_goes_back_for_free_and_that_is_counted(self) -> None:
        start = replace(HOLDING, free_returns={TASK.task_id: 1})

        decision = decide(start, told(Reason.PORTAL_BUSY, retry_after_s=30.0))

        assert decision == Decision(
            replace(self.DONE, pauses=Pauses().begin(PauseReason.PORTAL_BUSY, 30.0), free_returns={TASK.task_id: 2}),
            (
                given_back(Reason.PORTAL_BUSY, "said the page", delay_s=30.0),
                Pause(cause=PauseReason.PORTAL_BUSY, detail="said the page", delay_s=30.0),
            ),
        )

    def test_only_what_came_and_what_is_missing_together_make_an_order_partial(self) -> None:
        start = replace(with_attempt(3), free_returns={TASK.task_id: FREE_RETURNS_MAX})
        some, none = (fetched("a.pdf"),), (missed("b.pdf"),)

        for files, lacking, reason in (
            (some, none, Reason.SOME_FILES_FAILED),
            (some, (), Reason.PORTAL_BUSY),
            ((), none, Reason.PORTAL_BUSY),
        ):
            fact = told(Reason.PORTAL_BUSY, files=files, missed=lacking)
            (end,) = decide(start, fact).commands
            assert end == FileReport(
                worker=ONE, task=replace(TASK, attempt=3), report=replace(fact.message.report, reason=reason)
            )

    def test_an_order_that_is_done_ends_failures_and_outages_but_no_full_disk(self) -> None:
        rows = {PauseReason.PORTAL_DOWN: 1, PauseReason.PORTAL_BUSY: 2, PauseReason.DISK_FULL: 3}
        ailing = replace(HOLDING.slots[1], failure_count=3, was_recycled=True)
        start = replace(with_slot(HOLDING, ONE, ailing), pauses=Pauses(row_counts=rows))

        decision = decide(start, told(Reason.ALL_SAVED))

        assert decision.state == replace(self.DONE, pauses=Pauses(row_counts={PauseReason.DISK_FULL: 3}), shown_count=1)
        assert decision.commands == (FileReport(worker=ONE, task=TASK, report=told(Reason.ALL_SAVED).message.report),)

    def test_a_failure_is_counted_against_its_worker(self) -> None:
        decision = decide(HOLDING, told(Reason.PORTAL_ERROR))

        assert decision == Decision(
            with_slot(AT_WORK, ONE, replace(UP, done_count=1, failure_count=1)),
            (given_back(Reason.PORTAL_ERROR, "said the page", delay_s=1.0, is_attempt_spent=True),),
        )

    @pytest.mark.parametrize("reason", [Reason.DOWNLOAD_REFUSED, Reason.SOME_FILES_FAILED, Reason.RETRY_ASKED])
    def test_what_the_portal_or_a_processor_says_is_no_failure_of_the_worker(self, reason: Reason) -> None:
        ailing = with_slot(HOLDING, ONE, replace(HOLDING.slots[1], failure_count=3))

        assert decide(ailing, told(reason)).state.slots[1].failure_count == 0

    def test_a_row_of_failures_costs_the_worker_its_life_and_the_order_nothing(self) -> None:
        failing = replace(HOLDING.slots[1], failure_count=FAILURES_IN_A_ROW - 1)

        decision = decide(with_slot(HOLDING, ONE, failing), told(Reason.PORTAL_ERROR))

        assert decision == Decision(
            with_slot(AT_WORK, ONE, replace(UP, done_count=1, was_recycled=True, is_being_killed=True)),
            (
                given_back(ReturnReason.RECYCLED, "said the page"),
                KillAndRestart(
                    worker=ONE, cause=f"5 orders in a row failed on it, the last with {Reason.PORTAL_ERROR}"
                ),
            ),
        )

    def test_a_pool_that_ends_gives_no_fresh_start(self) -> None:
        failing = replace(HOLDING.slots[1], failure_count=FAILURES_IN_A_ROW - 1)
        ending = replace(with_slot(HOLDING, ONE, failing), is_stopping=True)

        decision = decide(ending, told(Reason.PORTAL_ERROR))

        assert [type(command) for command in decision.commands] == [Requeue]
        assert decision.state.slots[1].failure_count == FAILURES_IN_A_ROW

    @pytest.mark.parametrize(("row", "is_free"), [(0, False), (1, False), (2, True)])
    def test_two_holds_in_a_row_say_that_nothing_at_all_is_done(self, row: int, is_free: bool) -> None:
        holds = Pauses(row_counts={PauseReason.PORTAL_BUSY: row})
        start = replace(HOLDING, pauses=holds, free_returns={TASK.task_id: FREE_RETURNS_MAX})

        back = decide(start, told(Reason.PORTAL_BUSY)).commands[0]

        assert isinstance(back, Requeue)
        assert back.is_attempt_spent is not is_free

    def test_an_order_nobody_holds_is_told_of_in_vain(self) -> None:
        assert decide(AT_WORK, told(Reason.ALL_SAVED)) == Decision(self.DONE)


def test_what_is_kept_back_goes_back_with_its_reason() -> None:
    missing = UnverifiedResult(
        task=TASK, report=Report(reason=Reason.PORTAL_SAYS_MISSING), concurrent_tasks=frozenset()
    )
    start = with_slot(AT_WORK, ONE, replace(UP, unverified=UnverifiedResults(row=(missing,))))

    decision = decide(start, GONE)

    unproven = "not found, refused or empty in a session that was not verified to be logged in"
    assert decision.commands[0] == given_back(ReturnReason.UNPROVEN, unproven)
    assert decision.state.slots[1].unverified == UnverifiedResults()
