"""Another attempt or the outcome: of all attempts the best one is filed, and not the last."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import LoginCheck, Outcome, Reason
from poolwright.domain.tasks import DEATH_LIMIT, POTask, Report
from poolwright.ipc.messages import Finished, LoginChecked, LoginRefreshed
from poolwright.supervisor.policy.commands import (
    Command,
    Discard,
    FileReport,
    Forget,
    Pause,
    RecordOutcome,
    Requeue,
    StagedAttempt,
)
from poolwright.supervisor.policy.decide import Decision, decide
from poolwright.supervisor.policy.events import (
    FilingFailed,
    PauseEnded,
    TaskAssigned,
    TasksCancelled,
    VerificationDue,
    WorkerLost,
)
from poolwright.supervisor.policy.login_state import Logout, Logouts
from poolwright.supervisor.policy.pauses import FIRST_PAUSE_S, PauseReason
from poolwright.supervisor.policy.state import PoolState, WorkerSlot
from tests.support.tasks import fetched, missed
from tests.support.worker_messages import received

ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
OTHER = replace(TASK, task_id=TaskId("demo:2"))
START = PoolState(slots={1: WorkerSlot(is_up=True), 2: WorkerSlot(is_up=True)})


def partial(*names: str) -> Report:
    files = tuple(fetched(name) for name in names)
    return Report(reason=Reason.SOME_FILES_FAILED, detail="Some failed.", files=files, missed=(missed("z.pdf"),))


def attempt(standing: PoolState, number: int, report: Report, worker: WorkerRef = ONE) -> Decision:
    task = replace(TASK, attempt=number)
    taken = decide(standing, TaskAssigned(worker=worker, task=task))
    return decide(taken.state, received(Finished, worker=worker, task_id=TASK.task_id, report=report))


def staged(number: int, report: Report, worker: WorkerRef = ONE) -> StagedAttempt:
    return StagedAttempt(worker=worker, task=replace(TASK, attempt=number), report=report)


def filed(commands: tuple[Command, ...]) -> FileReport:
    (file,) = (command for command in commands if isinstance(command, FileReport))
    return file


def test_an_earlier_attempt_with_more_files_is_filed_in_place_of_the_last() -> None:
    better, worse = partial("a.pdf", "b.pdf"), partial("a.pdf")

    first = attempt(START, 1, better)
    second = attempt(first.state, 2, worse, TWO)
    last = attempt(second.state, 3, worse)

    assert [command.keeps_files for command in first.commands if isinstance(command, Requeue)] == [True]
    assert [command.keeps_files for command in second.commands if isinstance(command, Requeue)] == [False]
    file = filed(last.commands)
    assert (file.report.files, file.report.outcome) == (better.files, Outcome.PARTIAL)
    assert file.report.detail == "Some failed. The files are from attempt 1; the last one ended as some_files_failed."
    assert (file.worker, file.task, file.staged) == (ONE, replace(TASK, attempt=3), staged(1, better))
    assert Discard(staged=staged(3, worse)) in last.commands


def test_of_two_attempts_with_as_many_files_the_last_one_is_filed() -> None:
    first = attempt(START, 1, partial("a.pdf"))

    last = attempt(first.state, 3, partial("b.pdf"))

    assert filed(last.commands) == FileReport(worker=ONE, task=replace(TASK, attempt=3), report=partial("b.pdf"))


def test_a_failure_after_files_came_loses_none_of_them() -> None:
    first = attempt(START, 1, partial("a.pdf"))
    second = attempt(first.state, 2, Report(reason=Reason.TASK_TIMEOUT))
    taken = decide(second.state, TaskAssigned(worker=ONE, task=replace(TASK, attempt=3)))

    last = decide(taken.state, WorkerLost(worker=ONE, cause="killed"))

    assert filed(last.commands).report.files == partial("a.pdf").files


def test_an_order_that_kills_its_workers_at_last_keeps_what_came_before() -> None:
    first = attempt(START, 1, partial("a.pdf"))
    on_trial = replace(TASK, attempt=3, death_count=DEATH_LIMIT)
    taken = decide(first.state, TaskAssigned(worker=ONE, task=on_trial))

    last = decide(taken.state, WorkerLost(worker=ONE, cause="killed"))

    report = filed(last.commands).report
    assert (report.files, report.outcome) == (partial("a.pdf").files, Outcome.PARTIAL)
    assert report.detail.endswith("the last one ended as kills_workers.")


MISSING = Report(reason=Reason.PORTAL_SAYS_MISSING)


def test_files_that_came_outlive_an_outcome_that_nobody_believes() -> None:
    first = attempt(START, 1, partial("a.pdf"))
    doubted = attempt(first.state, 2, MISSING)
    undone = decide(doubted.state, received(LoginRefreshed, worker=ONE))

    last = attempt(undone.state, 3, Report(reason=Reason.TASK_TIMEOUT))

    assert [type(command) for command in undone.commands] == [Requeue]
    assert filed(last.commands).report.files == partial("a.pdf").files


def test_files_that_came_go_when_it_is_proven_that_there_is_no_such_order() -> None:
    first = attempt(START, 1, partial("a.pdf"))
    doubted = attempt(first.state, 2, MISSING)
    asked = decide(doubted.state, VerificationDue(worker=ONE))

    proven = decide(asked.state, received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_IN))

    assert proven.commands == (
        FileReport(worker=ONE, task=replace(TASK, attempt=2), report=MISSING),
        Discard(staged=staged(1, partial("a.pdf"))),
    )
    assert proven.state.best == {}


def test_a_better_attempt_takes_the_place_of_a_good_one() -> None:
    good, better = partial("a.pdf"), partial("a.pdf", "b.pdf")

    second = attempt(attempt(START, 1, good).state, 2, better)
    done = attempt(second.state, 3, Report(reason=Reason.ALL_SAVED, files=(fetched("a.pdf"),)))

    assert Discard(staged=staged(1, good)) in second.commands
    assert filed(done.commands).report.reason is Reason.ALL_SAVED, "all that is listed now was saved"
    assert Discard(staged=staged(2, better)) in done.commands
    assert done.state.best == {}


def test_what_nobody_wants_any_more_is_forgotten() -> None:
    kept = attempt(START, 1, partial("a.pdf")).state
    counts = {TASK.task_id: 1}
    known = replace(
        kept,
        free_returns=counts,
        logouts=Logouts(first_counts=counts, alone_counts=counts),
        on_trial=frozenset({TASK.task_id}),
    )

    decision = decide(known, TasksCancelled(task_ids=(TASK.task_id,)))

    assert decision.commands == (Forget(task_ids=(TASK.task_id,)), Discard(staged=staged(1, partial("a.pdf"))))
    assert decision.state == replace(kept, best={})


UNREACHABLE = Report(reason=Reason.PORTAL_UNREACHABLE, detail="net::ERR_CONNECTION_RESET")
SAVED = Report(reason=Reason.ALL_SAVED)


def beside(standing: PoolState, report: Report) -> PoolState:
    """Another order is done on the other worker."""
    taken = decide(standing, TaskAssigned(worker=TWO, task=OTHER))
    return decide(taken.state, received(Finished, worker=TWO, task_id=OTHER.task_id, report=report)).state


def for_free(task: POTask, why: Reason, report: Report, delay_s: float) -> Requeue:
    return Requeue(worker=ONE, task=task, why=why, detail=report.detail, delay_s=delay_s, is_attempt_spent=False)


def test_an_address_that_fails_for_one_order_alone_holds_nobody() -> None:
    taken = decide(START, TaskAssigned(worker=ONE, task=TASK)).state
    told = received(Finished, worker=ONE, task_id=TASK.task_id, report=UNREACHABLE)

    first = decide(beside(taken, SAVED), told)
    again = decide(first.state, TaskAssigned(worker=ONE, task=TASK)).state
    second = decide(beside(again, SAVED), told)

    assert first.commands == (for_free(TASK, Reason.PORTAL_UNREACHABLE, UNREACHABLE, FIRST_PAUSE_S),), (
        "the portal may be going"
    )
    (spent,) = second.commands
    assert isinstance(spent, Requeue)
    assert spent.is_attempt_spent
    assert not second.state.pauses.active


def test_an_address_that_fails_when_nothing_else_was_shown_holds_all() -> None:
    taken = decide(beside(START, SAVED), TaskAssigned(worker=ONE, task=TASK)).state

    decision = decide(taken, received(Finished, worker=ONE, task_id=TASK.task_id, report=UNREACHABLE))

    assert decision.state.pauses.active == {PauseReason.PORTAL_DOWN}


def test_an_order_whose_last_attempt_cannot_be_filed_is_finished_in_the_journal_alone() -> None:
    last = FileReport(worker=ONE, task=replace(TASK, attempt=3), report=partial("a.pdf"))

    decision = decide(START, FilingFailed(worker=ONE, file=last, problem="It is no folder."))

    report = Report(reason=Reason.FILING_FAILED, detail="It is no folder.")
    assert decision.commands == (RecordOutcome(worker=ONE, task=last.task, report=report),)


@pytest.mark.parametrize(
    ("cause", "why"),
    [
        (PauseReason.DISK_FULL, Reason.DISK_FULL),
        (PauseReason.DISK_AWAY, Reason.DISK_AWAY),
        (PauseReason.DISK_FORBIDDEN, Reason.DISK_FORBIDDEN),
        (PauseReason.PLACE_GONE, Reason.DISK_AWAY),
    ],
)
def test_what_fails_while_nothing_can_be_stored_costs_nothing(cause: PauseReason, why: Reason) -> None:
    held = replace(START, pauses=START.pauses.begin(cause))
    failed = Report(reason=Reason.DOWNLOAD_FAILED, detail="It broke off.")

    decision = attempt(held, 3, failed)
    over = decide(decision.state, PauseEnded(cause=cause)).state

    assert decision.commands == (for_free(replace(TASK, attempt=3), why, failed, 2 * FIRST_PAUSE_S),)
    assert isinstance(attempt(over, 3, failed).commands[0], FileReport)


def test_an_order_waits_as_long_as_the_pause_that_it_began_however_many_came_before() -> None:
    busy, waits_s = Report(reason=Reason.PORTAL_BUSY), list[float]()
    state = START
    for _ in range(3):
        decision = attempt(state, 1, busy)
        again, pause = decision.commands
        assert isinstance(again, Requeue)
        assert isinstance(pause, Pause)
        assert again.delay_s == pause.delay_s
        waits_s.append(again.delay_s)
        state = decide(decision.state, PauseEnded(cause=PauseReason.PORTAL_BUSY)).state

    assert waits_s == [FIRST_PAUSE_S, FIRST_PAUSE_S * 2, FIRST_PAUSE_S * 4]


def test_an_order_that_begins_again_cannot_meet_the_last_log_out_any_more() -> None:
    last = Logout(first_task_id=TaskId("demo:9"), tasks_in_flight=frozenset({TASK.task_id, OTHER.task_id}))

    taken = decide(replace(START, logouts=Logouts(last=last)), TaskAssigned(worker=ONE, task=TASK)).state

    assert taken.logouts.last == replace(last, tasks_in_flight=frozenset({OTHER.task_id}))
