"""A group of orders is set aside after verified refusals in a row; its orders wait while they are verified."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.ids import WorkerRef
from poolwright.domain.options import BrowserOptions, PoolOptions, WorkerOptions
from poolwright.domain.outcomes import LoginCheck, Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.messages import Finished, LoginChecked
from poolwright.supervisor.policy.commands import (
    Command,
    FileReport,
    GroupCommand,
    ReleaseGroup,
    ReopenGroup,
    RequestLoginCheck,
    Requeue,
    ScheduleVerification,
    SetAside,
    WithholdGroup,
)
from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.events import GroupResumed, PoolInput, TaskAssigned, TaskWithheld, VerificationDue
from poolwright.supervisor.policy.group_access import GroupAccess
from poolwright.supervisor.policy.group_breaker import set_aside_cause
from poolwright.supervisor.policy.state import PoolState, WorkerSlot, initial_state
from tests.support.tasks import po_task
from tests.support.worker_messages import received

ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
REFUSED, SAVED = Report(reason=Reason.NO_PERMISSION), Report(reason=Reason.ALL_SAVED)
CAUSE = (
    "The group 2000 was set aside: 2 orders of it in a row were refused for lack of access, the last one PO2. When the "
    "access is there, resume it: `poolwright resume-group 2000` with a daemon, otherwise `poolwright run LIST "
    "--resume-group 2000`."
)


class Told:
    """A policy that is told events, and what it commanded."""

    def __init__(self, limit: int | None = 2) -> None:
        slots = {1: WorkerSlot(), 2: WorkerSlot()}
        self.state = PoolState(slots=slots, was_ready=True, groups=GroupAccess(limit=limit))

    def tell(self, *events: PoolInput) -> list[Command]:
        """The commands that follow."""
        commands: list[Command] = []
        for event in events:
            decision = decide(self.state, event)
            self.state = decision.state
            commands += decision.commands
        return commands

    def attempt(self, task: POTask, report: Report, worker: WorkerRef = ONE) -> list[Command]:
        """Let a worker do a task, with this result."""
        finished = received(Finished, worker=worker, task_id=task.task_id, report=report)
        return self.tell(TaskAssigned(worker=worker, task=task), finished)

    def check(self, result: LoginCheck, worker: WorkerRef = ONE) -> list[Command]:
        """Let a login check end."""
        return self.tell(received(LoginChecked, worker=worker, result=result))


def of(number: int, group: str = "2000") -> POTask:
    return po_task(number, group=group)


def group_commands(commands: list[Command]) -> list[Command]:
    return [command for command in commands if isinstance(command, GroupCommand)]


def test_refusals_in_a_row_are_verified_at_once_and_then_set_the_group_aside() -> None:
    told = Told()

    first = told.attempt(of(1), REFUSED)
    second = told.attempt(of(2), REFUSED)
    verified = told.check(LoginCheck.LOGGED_IN)

    assert [type(command) for command in first] == [ScheduleVerification]
    assert second == [RequestLoginCheck(worker=ONE), WithholdGroup(group="2000")]
    assert [type(command) for command in verified] == [FileReport, SetAside, FileReport]
    assert verified[1] == SetAside(group="2000", cause=CAUSE, is_new=True)
    assert told.state.groups.set_aside == {"2000": CAUSE}
    assert told.state.groups.waiting == frozenset()


def test_a_log_out_sets_nothing_aside_and_the_orders_start_again() -> None:
    told = Told()
    told.attempt(of(1), REFUSED)
    told.attempt(of(2), REFUSED)

    commands = told.check(LoginCheck.LOGGED_OUT)

    assert group_commands(commands) == [ReleaseGroup(group="2000")]
    assert [command.is_attempt_spent for command in commands if isinstance(command, Requeue)] == [False, False]
    assert told.state.groups == GroupAccess(limit=2)


def test_a_check_that_shows_nothing_lets_the_group_wait() -> None:
    told = Told()
    told.attempt(of(1), REFUSED)
    told.attempt(of(2), REFUSED)

    assert group_commands(told.check(LoginCheck.UNCLEAR)) == []
    assert told.state.groups.waiting == {"2000"}


def test_an_order_of_the_group_that_is_shown_ends_the_row() -> None:
    told = Told()
    told.attempt(of(1), REFUSED)
    told.attempt(of(2), SAVED)
    assert told.state.groups.refusal_counts == {}
    told.attempt(of(3), REFUSED)
    told.tell(VerificationDue(worker=ONE))

    assert group_commands(told.check(LoginCheck.LOGGED_IN)) == []
    assert told.state.groups.refusal_counts == {"2000": 1}


def test_the_refusals_of_two_workers_are_counted_together_and_the_second_asks_at_once() -> None:
    told = Told()
    told.attempt(of(1), REFUSED, ONE)

    commands = told.attempt(of(2), REFUSED, TWO)

    assert commands == [RequestLoginCheck(worker=TWO), WithholdGroup(group="2000")]
    assert group_commands(told.check(LoginCheck.LOGGED_IN, TWO)) == [], "one of them is not verified yet"
    assert told.state.groups.waiting == {"2000"}


def test_other_groups_and_orders_without_one_go_on() -> None:
    told = Told()

    commands = [
        *told.attempt(of(1), REFUSED),
        *told.attempt(of(2, "3000"), REFUSED),
        *told.attempt(of(3, ""), REFUSED),
        *told.attempt(of(4, ""), REFUSED),
        *told.tell(VerificationDue(worker=ONE)),
        *told.check(LoginCheck.LOGGED_IN),
    ]

    assert group_commands(commands) == []
    assert told.state.groups.refusal_counts == {"2000": 1, "3000": 1}


def test_without_a_limit_nothing_is_set_aside() -> None:
    told = Told(limit=None)

    for number in range(5):
        told.attempt(of(number), REFUSED)

    assert told.state.groups.waiting == frozenset()
    told.tell(VerificationDue(worker=ONE))
    assert group_commands(told.check(LoginCheck.LOGGED_IN)) == []


def test_orders_that_were_not_found_set_nothing_aside() -> None:
    told = Told()
    for number in range(3):
        told.attempt(of(number), Report(reason=Reason.PORTAL_SAYS_MISSING))
    told.tell(VerificationDue(worker=ONE))

    assert group_commands(told.check(LoginCheck.LOGGED_IN)) == []


def test_what_comes_to_the_queue_later_is_set_aside_without_another_notice() -> None:
    told = Told()
    told.state = replace(told.state, groups=GroupAccess(limit=2, set_aside={"2000": CAUSE}))

    assert told.tell(TaskWithheld(task=of(9))) == [SetAside(group="2000", cause=CAUSE)]
    assert told.tell(TaskWithheld(task=of(9, "3000"))) == []


def test_an_order_in_progress_that_is_refused_later_is_filed_and_sets_nothing_aside_again() -> None:
    told = Told()
    told.state = replace(told.state, groups=GroupAccess(limit=1, set_aside={"2000": CAUSE}))
    told.attempt(of(9), REFUSED)

    told.tell(VerificationDue(worker=ONE))
    commands = told.check(LoginCheck.LOGGED_IN) + told.tell(TaskAssigned(worker=ONE, task=of(10, "3000")))

    assert group_commands(commands) == []


def test_a_group_that_is_resumed_starts_again_with_nothing_held_against_it() -> None:
    told = Told()
    told.attempt(of(3, "3000"), REFUSED)
    told.attempt(of(1), REFUSED)
    told.attempt(of(2), REFUSED)
    told.check(LoginCheck.LOGGED_IN)

    commands = told.tell(GroupResumed(group="2000"))

    assert commands == [ReopenGroup(group="2000")]
    assert told.state.groups == GroupAccess(limit=2, refusal_counts={"3000": 1})
    assert group_commands(told.tell(TaskWithheld(task=of(4)))) == [], "it waits until its group is released"
    assert told.tell(GroupResumed(group="2000")) == [], "it is not set aside any more"


def test_a_group_that_was_set_aside_before_the_start_stays_so() -> None:
    options = PoolOptions(
        worker=WorkerOptions(browser=BrowserOptions()),
        base_profile_path=Path("base"),
        runs_root=Path("runs"),
        staging_path=Path("staging"),
    )
    told = Told()
    told.state = initial_state(options, {"2000": "Why."})

    assert told.state.groups == GroupAccess(set_aside={"2000": "Why."})
    assert told.tell(TaskWithheld(task=of(4))) == [SetAside(group="2000", cause="Why.")]


@pytest.mark.parametrize(("group", "shown"), [("2000", "2000"), ("North 1", '"North 1"')])
def test_the_cause_says_how_to_go_on(group: str, shown: str) -> None:
    assert set_aside_cause(of(7, group), 1) == (
        f"The group {group} was set aside: 1 order of it was refused for lack of access, the last one PO7. When the "
        f"access is there, resume it: `poolwright resume-group {shown}` with a daemon, otherwise `poolwright run LIST "
        f"--resume-group {shown}`."
    )
    assert set_aside_cause(of(2), 2) == CAUSE
