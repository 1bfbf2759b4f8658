"""What a command means if its maker says no more than he must, and which end of a pool ends its queue."""

from __future__ import annotations

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.supervisor.policy.commands import FileReport, GiveUp, RefreshLogin, SetAside, Stop, StopCause
from tests.support.tasks import WORKER, po_task


def test_files_are_filed_at_once_unless_the_disk_refused_them() -> None:
    command = FileReport(worker=WORKER, task=po_task(1), report=Report(reason=Reason.NONE_LISTED))

    assert command.delay_s == 0


def test_people_are_told_of_a_group_when_the_maker_says_that_it_is_new() -> None:
    assert not SetAside(group="A", cause="No access.").is_new


def test_a_login_is_renewed_early_and_a_loss_expected_only_if_it_is_said() -> None:
    assert not RefreshLogin(worker=WORKER).is_early
    assert not GiveUp(worker=WORKER, cause="It is gone.").is_expected


@pytest.mark.parametrize("cause", StopCause)
def test_queued_orders_fail_only_where_no_worker_is_left_and_nothing_keeps_them(cause: StopCause) -> None:
    assert Stop(cause=cause, detail="").ends_queue is (cause is StopCause.NO_WORKERS)
    assert not Stop(cause=cause, detail="", keeps_queue=True).ends_queue
