"""Whatever a session that can prove nothing any more changes in what is known, each decision goes on from there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import LoginCheck, Reason, ReturnReason
from poolwright.domain.tasks import POTask, Report
from poolwright.supervisor import losses, proving, renewing
from poolwright.supervisor.commands import Requeue
from poolwright.supervisor.doubt import Doubt, Doubted
from poolwright.supervisor.facts import (
    Fact,
    LoginLost,
    LoginSettled,
    Probed,
    SessionRenewed,
    TaskReturned,
    WorkerEnded,
    WorkerLost,
)
from poolwright.supervisor.plan import react
from poolwright.supervisor.renewal import Access, Renewal
from poolwright.supervisor.standing import Slot, Standing

ONE = WorkerRef(1, 1)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")
DOUBT = Doubt(row=(Doubted(task=TASK, report=Report(reason=Reason.PORTAL_SAYS_MISSING), beside=frozenset()),))
UP = Slot(is_up=True, access=Access.LOGGED_IN)
START = Standing(slots={1: replace(UP, doubt=DOUBT), 2: UP}, was_ready=True)
#: Stands for anything that such a session may change, now or later.
NOTED = 1_000_000


@pytest.fixture(autouse=True)
def _noting(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = proving.dismiss

    def dismiss(standing: Standing, worker: WorkerRef, why: ReturnReason) -> tuple[Standing, tuple[Requeue, ...]]:
        rest, back = honest(standing, worker, why)
        return replace(rest, shown_count=NOTED), back

    for module in (losses, proving, renewing):
        monkeypatch.setattr(module, "dismiss", dismiss)


@pytest.mark.parametrize("is_stopping", [False, True])
@pytest.mark.parametrize(
    "fact",
    [
        WorkerLost(worker=ONE, cause="gone"),
        WorkerEnded(worker=ONE),
        LoginLost(worker=ONE, detail=""),
        SessionRenewed(worker=ONE),
        Probed(worker=ONE, proof=LoginCheck.LOGGED_OUT),
        TaskReturned(worker=ONE, task_id=TASK.task_id, why=ReturnReason.SESSION_LOST, detail=""),
    ],
    ids=lambda fact: type(fact).__name__ if not isinstance(fact, bool) else str(fact),
)
def test_nothing_of_it_is_lost(fact: Fact, *, is_stopping: bool) -> None:
    decision = react(replace(START, is_stopping=is_stopping), fact)

    assert decision.standing.shown_count == NOTED
    assert [command.task for command in decision.commands if isinstance(command, Requeue)] == [TASK]


def test_nor_when_a_login_is_spread() -> None:
    logging_in = replace(START, renewal=Renewal(refresher=2))

    decision = react(logging_in, LoginSettled(worker=WorkerRef(2, 1), is_logged_in=True, detail=""))

    assert decision.standing.shown_count == NOTED
    assert [command.task for command in decision.commands if isinstance(command, Requeue)] == [TASK]
