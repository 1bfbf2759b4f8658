"""A disk that takes nothing, for files and for workers: waited for by all, told with its cause, paid for by none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason
from poolwright.domain.storage import StorageTrouble
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished
from poolwright.supervisor.policy.commands import (
    FileReport,
    Pause,
    RecordOutcome,
    Requeue,
    Resume,
    Spawn,
    StagedAttempt,
)
from poolwright.supervisor.policy.decide import Decision, decide
from poolwright.supervisor.policy.events import (
    FilingFailed,
    FolderMissing,
    PauseEnded,
    StorageUnavailable,
    TaskAssigned,
    TaskStuck,
    WorkerEnded,
    WorkerFolderFailed,
    WorkerLost,
)
from poolwright.supervisor.policy.login_state import LoginRecovery, LoginStatus
from poolwright.supervisor.policy.pauses import FIRST_PAUSE_S, LONGEST_PAUSE_S, STORAGE_PAUSES, PauseReason
from poolwright.supervisor.policy.retries import REFUSALS_MAX
from poolwright.supervisor.policy.state import RESTART_LIMIT, PoolState, Restart, RestartBudget, WorkerSlot
from tests.support.policy_states import with_slot
from tests.support.worker_messages import received

ONE = WorkerRef(1, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1", attempt=3)
FILE = FileReport(worker=ONE, task=TASK, report=Report(reason=Reason.ALL_SAVED))
START = PoolState(slots={1: WorkerSlot(is_up=True), 2: WorkerSlot(is_up=True)}, was_ready=True)
PASSING = [trouble for trouble in StorageTrouble if trouble.is_temporary]


def refused(trouble: StorageTrouble, file: FileReport = FILE, *, is_place_fine: bool = False) -> FilingFailed:
    return FilingFailed(worker=ONE, file=file, problem="Why.", trouble=trouble, is_place_fine=is_place_fine)


@pytest.mark.parametrize("trouble", PASSING)
def test_a_place_that_takes_nothing_is_waited_for_as_long_as_it_takes(trouble: StorageTrouble) -> None:
    now, file = START, FILE
    for _ in range(50):
        decision = decide(now, refused(trouble, file))
        *told, again = decision.commands
        assert isinstance(again, FileReport)
        assert again.delay_s >= FIRST_PAUSE_S
        assert told == [Pause(cause=STORAGE_PAUSES[trouble], detail="Why.", delay_s=again.delay_s)]
        now, file = decide(decision.state, PauseEnded(cause=STORAGE_PAUSES[trouble])).state, again


@pytest.mark.parametrize("trouble", PASSING)
def test_a_folder_that_is_refused_alone_comes_to_its_end(trouble: StorageTrouble) -> None:
    decision, file, waits_s = Decision(START), FILE, list[float]()
    for _ in range(REFUSALS_MAX):
        decision = decide(decision.state, refused(trouble, file, is_place_fine=True))
        file = decision.commands[-1]
        assert isinstance(file, FileReport)
        waits_s.append(file.delay_s)
        held = decision.state.pauses.active
        assert held == (set() if trouble is StorageTrouble.FORBIDDEN else {STORAGE_PAUSES[trouble]})

    (end,) = decide(decision.state, refused(trouble, file, is_place_fine=True)).commands

    assert waits_s == ([5.0, 10.0, 20.0] if trouble is StorageTrouble.FORBIDDEN else [5.0, 10.0, 10.0])
    assert isinstance(end, RecordOutcome)
    assert end.report.reason is Reason.FILING_FAILED


def test_the_last_attempt_of_an_order_that_cannot_be_filed_leaves_no_earlier_one_in_mind() -> None:
    report = Report(reason=Reason.SOME_FILES_FAILED)
    best = {
        task_id: StagedAttempt(worker=ONE, task=TASK, report=report) for task_id in (TASK.task_id, TaskId("demo:2"))
    }

    decision = decide(replace(START, best=best), refused(StorageTrouble.OTHER))

    assert [type(command) for command in decision.commands] == [RecordOutcome]
    assert decision.state.best.keys() == {"demo:2"}


SPENT = RestartBudget(spent=(Restart(0.0),) * RESTART_LIMIT)


@pytest.mark.parametrize("trouble", PASSING)
def test_a_worker_whose_folder_takes_nothing_costs_no_restart_and_no_attempt(trouble: StorageTrouble) -> None:
    start = with_slot(START, ONE, WorkerSlot(is_up=True, budget=SPENT))
    taken = decide(start, TaskAssigned(worker=ONE, task=TASK)).state

    known = decide(taken, WorkerFolderFailed(worker=ONE, trouble=trouble, detail="Why.")).state
    lost = decide(known, WorkerLost(worker=ONE, cause="Why."))

    back, hold, spawn = lost.commands

    assert isinstance(back, Requeue)
    assert (back.is_attempt_spent, back.is_death) == (False, False)
    assert hold == Pause(cause=STORAGE_PAUSES[trouble], detail="Why.", delay_s=FIRST_PAUSE_S)
    assert lost.state.slots[1].folder_trouble is None, "the next generation finds out for itself"
    assert spawn == Spawn(worker=WorkerRef(1, 2), delay_s=FIRST_PAUSE_S)


def test_a_worker_that_dies_while_a_disk_is_out_costs_nothing_either() -> None:
    out = decide(START, StorageUnavailable(trouble=StorageTrouble.AWAY, detail="Gone."))

    assert out.commands == (Pause(cause=PauseReason.DISK_AWAY, detail="Gone.", delay_s=FIRST_PAUSE_S),)
    spawn = decide(out.state, WorkerLost(worker=ONE, cause="killed")).commands[-1]

    assert isinstance(spawn, Spawn)
    assert spawn.delay_s >= FIRST_PAUSE_S


def test_a_place_that_is_gone_is_waited_for_until_it_is_back() -> None:
    gone = decide(START, FolderMissing(detail="It is gone."))
    again = decide(gone.state, FolderMissing(detail="It is gone."))
    lost = decide(gone.state, WorkerLost(worker=ONE, cause="its clone is gone"))
    back = decide(gone.state, PauseEnded(cause=PauseReason.PLACE_GONE))

    assert gone.commands == (Pause(cause=PauseReason.PLACE_GONE, detail="It is gone.", delay_s=None),)
    assert again.commands == ()
    assert lost.commands == (Spawn(worker=WorkerRef(1, 2), delay_s=LONGEST_PAUSE_S),)
    assert back.commands == (Resume(cause=PauseReason.PLACE_GONE),)


def test_what_lies_beside_a_task_that_cannot_be_stopped_goes_back_unspent() -> None:
    beside = replace(TASK, task_id=TaskId("demo:2"))
    start = with_slot(START, ONE, WorkerSlot(is_up=True, budget=SPENT))
    for task in (TASK, beside):
        start = decide(start, TaskAssigned(worker=ONE, task=task)).state

    stuck = decide(start, TaskStuck(worker=ONE, task_id=TASK.task_id))
    back, spawn = decide(stuck.state, WorkerLost(worker=ONE, cause="a task could not be stopped")).commands

    told = Report(reason=Reason.TASK_TIMEOUT, detail="The task could not be stopped; its worker was ended.")
    assert stuck.commands == (FileReport(worker=ONE, task=TASK, report=told),)
    assert isinstance(back, Requeue)
    assert (back.task, back.is_attempt_spent, back.is_death) == (beside, False, False)
    assert spawn == Spawn(worker=WorkerRef(1, 2), delay_s=0.0)


def test_a_worker_that_ends_in_order_passes_the_login_on_to_another() -> None:
    start = with_slot(START, ONE, WorkerSlot(is_up=True, is_being_recycled=True, login_status=LoginStatus.LOGGED_OUT))
    start = with_slot(start, WorkerRef(2, 1), WorkerSlot(login_status=LoginStatus.LOGGED_OUT))
    logging_in = replace(start, login_recovery=LoginRecovery(refresher=1))

    decision = decide(logging_in, WorkerEnded(worker=ONE))

    assert [type(command).__name__ for command in decision.commands] == ["Spawn", "Pause", "RefreshLogin"]


def test_a_failed_filing_is_no_report_of_the_worker() -> None:
    told = received(Finished, worker=ONE, task_id=TASK.task_id, report=Report(reason=Reason.DISK_FULL, detail="Full."))
    taken = decide(START, TaskAssigned(worker=ONE, task=TASK)).state

    back, hold = decide(taken, told).commands

    assert isinstance(back, Requeue)
    assert not back.is_attempt_spent
    assert hold == Pause(cause=PauseReason.DISK_FULL, detail="Full.", delay_s=FIRST_PAUSE_S)
