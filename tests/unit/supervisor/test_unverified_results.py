"""Whatever a session that can prove nothing any more changes in what is known, each decision goes on from there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import LoginCheck, Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import LoginChecked, LoginRefreshed, LoginRequired, LoginResult, Returned
from poolwright.supervisor.policy import login_recovery, verification, worker_exit
from poolwright.supervisor.policy.commands import Requeue
from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.draft import Draft
from poolwright.supervisor.policy.events import PoolInput, WorkerEnded, WorkerLost
from poolwright.supervisor.policy.login_state import LoginRecovery, LoginStatus
from poolwright.supervisor.policy.state import PoolState, UnverifiedResult, UnverifiedResults, WorkerSlot
from tests.support.worker_messages import received

ONE = WorkerRef(1, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
DOUBT = UnverifiedResults(
    row=(UnverifiedResult(task=TASK, report=Report(reason=Reason.PORTAL_SAYS_MISSING), concurrent_tasks=frozenset()),)
)
UP = WorkerSlot(is_up=True, login_status=LoginStatus.LOGGED_IN)
START = PoolState(slots={1: replace(UP, unverified=DOUBT), 2: UP}, was_ready=True)
#: Stands for anything that such a session may change, now or later.
NOTED = 1_000_000


@pytest.fixture(autouse=True)
def _noting(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = verification.requeue_unverified

    def requeue(draft: Draft, worker: WorkerRef, why: ReturnReason) -> None:
        honest(draft, worker, why)
        draft.shown_count = NOTED

    for module in (worker_exit, verification, login_recovery):
        monkeypatch.setattr(module, "requeue_unverified", requeue)


@pytest.mark.parametrize("is_stopping", [False, True])
@pytest.mark.parametrize(
    "fact",
    [
        WorkerLost(worker=ONE, cause="gone"),
        WorkerEnded(worker=ONE),
        received(LoginRequired, worker=ONE, detail=""),
        received(LoginRefreshed, worker=ONE),
        received(LoginChecked, worker=ONE, result=LoginCheck.LOGGED_OUT),
        received(Returned, worker=ONE, task_id=TASK.task_id, why=ReturnReason.SESSION_LOST, detail=""),
    ],
    ids=lambda fact: type(fact).__name__ if not isinstance(fact, bool) else str(fact),
)
def test_nothing_of_it_is_lost(fact: PoolInput, *, is_stopping: bool) -> None:
    decision = decide(replace(START, is_stopping=is_stopping), fact)

    assert decision.state.shown_count == NOTED
    assert [command.task for command in decision.commands if isinstance(command, Requeue)] == [TASK]


def test_nor_when_a_login_is_spread() -> None:
    logging_in = replace(START, login_recovery=LoginRecovery(refresher=2))

    decision = decide(logging_in, received(LoginResult, worker=WorkerRef(2, 1), is_logged_in=True, detail=""))

    assert decision.state.shown_count == NOTED
    assert [command.task for command in decision.commands if isinstance(command, Requeue)] == [TASK]
