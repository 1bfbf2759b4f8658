"""What the plan does about memory: pure."""

from __future__ import annotations

from dataclasses import replace

from app.domain.ids import TaskId, WorkerRef
from app.domain.task import POTask
from app.supervisor.commands import Hold, Release, Requeue, Retire, Spawn, Stop, TellRelief
from app.supervisor.facts import (
    Fact,
    MemorySeen,
    PortalDown,
    StopCause,
    TaskTaken,
    WorkerEnded,
    WorkerLost,
    WorkerReady,
)
from app.supervisor.holds import HoldCause
from app.supervisor.plan import react
from app.supervisor.pressure import COOLDOWN_S
from app.supervisor.renewal import Renewal
from app.supervisor.standing import Decision, Slot, Standing

#: Of these 1000 bytes 750 may be used, and 700 are well below that.
TOTAL = 1000
ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
NEXT = WorkerRef(2, 2)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")


def standing() -> Standing:
    return Standing(slots={1: Slot(is_up=True), 2: Slot(is_up=True)}, was_ready=True)


def seen(at_s: float, by_worker: dict[WorkerRef, int], *, is_exact: bool = True) -> MemorySeen:
    return MemorySeen(by_worker=by_worker, own_bytes=10, total_bytes=TOTAL, is_exact=is_exact, at_s=at_s)


def after(start: Standing, *facts: Fact) -> Decision:
    """The decision about the last fact."""
    decision = Decision(start)
    for fact in facts:
        decision = react(decision.standing, fact)
    return decision


OVER = seen(100.0, {ONE: 300, TWO: 441})
BACK = (WorkerEnded(worker=TWO), WorkerReady(worker=NEXT, at_s=103.0))


def test_at_the_limit_nothing_happens() -> None:
    assert after(standing(), seen(100.0, {ONE: 300, TWO: 440})).commands == ()


def test_over_the_limit_no_order_starts_and_the_heaviest_worker_is_to_return() -> None:
    hold, retire = after(standing(), OVER).commands

    assert isinstance(hold, Hold)
    assert (hold.cause, hold.delay_s) == (HoldCause.MEMORY_SHORT, None)
    assert isinstance(retire, Retire)
    assert retire.worker == TWO


def test_an_estimate_alone_holds_orders_and_ends_nobody() -> None:
    commands = after(standing(), seen(100.0, {ONE: 300, TWO: 441}, is_exact=False)).commands

    assert [type(command) for command in commands] == [Hold]


def test_while_one_worker_is_away_for_memory_no_other_goes() -> None:
    assert after(standing(), OVER, seen(102.0, {ONE: 500, TWO: 441})).commands == ()


def test_it_comes_back_on_its_own_slot_without_a_restart_spent_and_what_that_gave_is_told() -> None:
    parted = after(standing(), OVER, WorkerEnded(worker=TWO))
    told = after(parted.standing, WorkerReady(worker=NEXT, at_s=103.0), seen(104.0, {ONE: 300, NEXT: 200}))

    assert parted.commands == (Spawn(worker=NEXT, delay_s=0.0),)
    assert parted.standing.slots[2].budget == Slot().budget
    relief, release = told.commands
    assert isinstance(relief, TellRelief)
    assert (relief.relieved.worker, relief.relieved.has_helped) == (NEXT, True)
    assert (relief.relieved.before_bytes, relief.relieved.after_bytes) == (441, 200)
    assert (relief.relieved.total_before_bytes, relief.relieved.total_after_bytes) == (751, 510)
    assert relief.relieved.limit_bytes == 750
    assert release == Release(cause=HoldCause.MEMORY_SHORT)


def test_just_below_the_limit_orders_wait_until_the_pause_between_restarts_is_over() -> None:
    still = after(standing(), OVER, *BACK, seen(104.0, {ONE: 300, NEXT: 420}))
    later = react(still.standing, seen(100.0 + COOLDOWN_S, {ONE: 300, NEXT: 420}))

    assert [type(command) for command in still.commands] == [TellRelief]
    assert later.commands == (Release(cause=HoldCause.MEMORY_SHORT),)


def test_no_order_starts_before_the_restart_was_measured() -> None:
    away = after(standing(), OVER, seen(102.0, {ONE: 300}))
    glimpsed = after(away.standing, *BACK, seen(104.0, {ONE: 300, NEXT: 20}, is_exact=False))
    measured = react(glimpsed.standing, seen(106.0, {ONE: 300, NEXT: 20}))

    assert (away.commands, glimpsed.commands) == ((), ())
    assert [type(command) for command in measured.commands] == [TellRelief, Release]


def test_one_page_that_eats_again_and_again_is_no_restart_in_vain() -> None:
    start = Standing(slots={2: Slot(is_up=True)}, was_ready=True)
    first = after(start, seen(100.0, {TWO: 900}), *BACK, seen(104.0, {NEXT: 20}, is_exact=False))
    again = after(first.standing, seen(106.0, {NEXT: 20}), seen(108.0, {NEXT: 900}))

    assert [type(command) for command in again.commands] == [Hold], "the next restart waits for the pause"


def test_a_worker_that_gives_nothing_back_is_told_as_no_help() -> None:
    (told, _) = after(standing(), OVER, *BACK, seen(104.0, {ONE: 150, NEXT: 440})).commands

    assert isinstance(told, TellRelief)
    assert not told.relieved.has_helped


def test_a_second_restart_waits_for_the_pause_and_then_takes_the_heaviest_again() -> None:
    vain = after(standing(), OVER, *BACK, seen(104.0, {ONE: 600, NEXT: 200}))
    soon = react(vain.standing, seen(159.0, {ONE: 600, NEXT: 200}))
    then = react(soon.standing, seen(161.0, {ONE: 600, NEXT: 200}))

    (told,) = vain.commands
    assert isinstance(told, TellRelief)
    assert not told.relieved.has_helped, "all together are still over the limit"
    assert soon.commands == ()
    assert [command.worker for command in then.commands if isinstance(command, Retire)] == [ONE]


def test_when_every_worker_was_started_anew_in_vain_the_pool_ends() -> None:
    first = (OVER, *BACK, seen(104.0, {ONE: 600, NEXT: 200}))
    second = (seen(161.0, {ONE: 600, NEXT: 200}), WorkerEnded(worker=ONE), WorkerReady(worker=WorkerRef(1, 2)))
    (*_, stop) = after(standing(), *first, *second, seen(165.0, {WorkerRef(1, 2): 600, NEXT: 200})).commands

    assert isinstance(stop, Stop)
    assert stop.cause is StopCause.MEMORY_SHORT
    assert "fewer workers or tabs" in stop.detail


def test_a_worker_that_does_not_come_back_ends_the_pool() -> None:
    lost = WorkerLost(worker=NEXT, cause="no more processes", at_s=103.0)
    (stop,) = after(standing(), OVER, WorkerEnded(worker=TWO), lost).commands

    assert isinstance(stop, Stop)
    assert stop.cause is StopCause.MEMORY_SHORT
    assert "no more processes" in stop.detail


def test_a_worker_that_finds_the_portal_down_as_it_comes_back_ends_nothing() -> None:
    down = PortalDown(worker=NEXT, detail="nobody answers")
    lost = WorkerLost(worker=NEXT, cause="nobody answers", at_s=103.0)
    commands = after(standing(), OVER, WorkerEnded(worker=TWO), down, lost).commands

    assert not any(isinstance(command, Stop) for command in commands)
    assert any(isinstance(command, Spawn) for command in commands)


def test_a_worker_that_dies_while_it_finishes_is_a_crash_like_any_other() -> None:
    decision = after(
        standing(), TaskTaken(worker=TWO, task=TASK), OVER, WorkerLost(worker=TWO, cause="gone", at_s=101.0)
    )

    back, spawn = decision.commands
    assert isinstance(back, Requeue)
    assert back.is_attempt_spent
    assert isinstance(spawn, Spawn)
    assert decision.standing.slots[2].budget.spent_at_s == (101.0,)


def test_a_worker_on_whom_a_login_depends_is_let_be() -> None:
    refreshing = replace(standing(), renewal=Renewal(refresher=2))

    assert [type(command) for command in after(refreshing, OVER).commands] == [Hold]


def test_a_pool_that_ends_lets_memory_be() -> None:
    assert after(replace(standing(), is_stopping=True), OVER).commands == ()
