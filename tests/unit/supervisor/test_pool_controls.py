"""What a processor says by raising leads to what it says: another try, none, or a new login."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished
from poolwright.supervisor.policy.commands import Command, FileReport, Requeue
from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.events import TaskAssigned
from poolwright.supervisor.policy.pauses import RETRY_AFTER_LIMIT_S
from poolwright.supervisor.policy.retries import FAILURES_IN_A_ROW, FIRST_RETRY_S
from poolwright.supervisor.policy.state import PoolState, WorkerSlot
from tests.support.worker_messages import received

ONE = WorkerRef(1, 1)
TASK = POTask(task_id=TaskId("own:1"), po_number="1", portal_number="1")


def judged(report: Report, *, attempt: int = 1, start: PoolState | None = None) -> tuple[PoolState, Command]:
    """What is decided about this report on an attempt."""
    task = replace(TASK, attempt=attempt)
    taken = decide(start or PoolState(slots={1: WorkerSlot()}), TaskAssigned(worker=ONE, task=task)).state
    decision = decide(taken, received(Finished, worker=ONE, task_id=task.task_id, report=report))
    (command,) = decision.commands
    return decision.state, command


@pytest.mark.parametrize(
    ("wish_s", "attempt", "delay_s"),
    [
        (None, 1, FIRST_RETRY_S),
        (None, 2, 2 * FIRST_RETRY_S),
        (0.0, 1, FIRST_RETRY_S),
        (30.0, 1, 30.0),
        (1.5, 2, 2 * FIRST_RETRY_S),
        (86_400.0, 1, RETRY_AFTER_LIMIT_S),
    ],
)
def test_another_try_is_made_after_the_time_that_was_asked_for_within_reason(
    wish_s: float | None, attempt: int, delay_s: float
) -> None:
    _, command = judged(Report(reason=Reason.RETRY_ASKED, detail="not yet", retry_after_s=wish_s), attempt=attempt)

    assert isinstance(command, Requeue)
    assert (command.why, command.detail, command.is_attempt_spent) == (Reason.RETRY_ASKED, "not yet", True)
    assert command.delay_s == delay_s


def test_the_last_try_is_the_last_whatever_was_asked_for() -> None:
    report = Report(reason=Reason.RETRY_ASKED, retry_after_s=1.0)

    _, command = judged(report, attempt=3)

    assert command == FileReport(worker=ONE, task=replace(TASK, attempt=3), report=report)


def test_what_was_given_up_is_not_tried_again() -> None:
    report = Report(reason=Reason.GIVEN_UP, detail="no such customer")

    _, command = judged(report)

    assert command == FileReport(worker=ONE, task=TASK, report=report)


@pytest.mark.parametrize("reason", [Reason.RETRY_ASKED, Reason.GIVEN_UP])
def test_a_worker_is_not_suspected_for_what_its_processor_says(reason: Reason) -> None:
    now = PoolState(slots={1: WorkerSlot()})
    for _ in range(FAILURES_IN_A_ROW + 1):
        now, command = judged(Report(reason=reason), start=now)
        assert isinstance(command, Requeue | FileReport)

    assert (now.slots[1].failure_count, now.slots[1].is_being_killed) == (0, False)
