"""What the plan does about memory: pure."""

from __future__ import annotations

from dataclasses import replace

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.tasks import POTask
from poolwright.ipc.messages import StartupFailure
from poolwright.supervisor.policy.commands import (
    GiveUp,
    Pause,
    Recycle,
    ReportMemoryRecycle,
    Requeue,
    Resume,
    Spawn,
    Stop,
    StopCause,
)
from poolwright.supervisor.policy.decide import Decision, decide
from poolwright.supervisor.policy.events import (
    MemorySampled,
    PoolInput,
    TaskAssigned,
    WorkerEnded,
    WorkerLost,
    WorkerReady,
)
from poolwright.supervisor.policy.login_state import LoginRecovery
from poolwright.supervisor.policy.pauses import PauseReason, Pauses
from poolwright.supervisor.policy.recycling import COOLDOWN_S, HELP_SHARE, HYSTERESIS
from poolwright.supervisor.policy.state import MemoryPressure, MemoryRecycle, PoolState, Restart, WorkerSlot
from tests.support.policy_states import with_slot
from tests.support.worker_messages import startup_failed

#: Of these 1000 bytes 750 may be used, and 700 are well below that.
TOTAL = 1000
ONE, TWO = WorkerRef(1, 1), WorkerRef(2, 1)
NEXT = WorkerRef(2, 2)
TASK = POTask(task_id=TaskId("demo:1"), po_number="PO1", portal_number="1")


def standing() -> PoolState:
    return PoolState(slots={1: WorkerSlot(is_up=True), 2: WorkerSlot(is_up=True)}, was_ready=True)


def seen(at_s: float, by_worker: dict[WorkerRef, int], *, is_exact: bool = True) -> MemorySampled:
    return MemorySampled(by_worker=by_worker, own_bytes=10, total_bytes=TOTAL, is_exact=is_exact, at_s=at_s)


def after(start: PoolState, *facts: PoolInput) -> Decision:
    """The decision about the last fact."""
    decision = Decision(start)
    for fact in facts:
        decision = decide(decision.state, fact)
    return decision


OVER = seen(100.0, {ONE: 300, TWO: 441})
BACK = (WorkerEnded(worker=TWO), WorkerReady(worker=NEXT, at_s=103.0))


def test_at_the_limit_nothing_happens() -> None:
    assert after(standing(), seen(100.0, {ONE: 300, TWO: 440})).commands == ()


def test_over_the_limit_no_order_starts_and_the_heaviest_worker_is_to_return() -> None:
    hold, retire = after(standing(), OVER).commands

    assert isinstance(hold, Pause)
    assert (hold.cause, hold.delay_s) == (PauseReason.MEMORY_SHORT, None)
    assert isinstance(retire, Recycle)
    assert retire.worker == TWO


def test_an_estimate_alone_holds_orders_and_ends_nobody() -> None:
    commands = after(standing(), seen(100.0, {ONE: 300, TWO: 441}, is_exact=False)).commands

    assert [type(command) for command in commands] == [Pause]


def test_while_one_worker_is_away_for_memory_no_other_goes() -> None:
    assert after(standing(), OVER, seen(102.0, {ONE: 500, TWO: 441})).commands == ()


def test_it_comes_back_on_its_own_slot_without_a_restart_spent_and_what_that_gave_is_told() -> None:
    parted = after(standing(), OVER, WorkerEnded(worker=TWO))
    told = after(parted.state, WorkerReady(worker=NEXT, at_s=103.0), seen(104.0, {ONE: 300, NEXT: 200}))

    assert parted.commands == (Spawn(worker=NEXT, delay_s=0.0),)
    assert parted.state.slots[2].budget == WorkerSlot().budget
    relief, release = told.commands
    assert isinstance(relief, ReportMemoryRecycle)
    assert (relief.relieved.worker, relief.relieved.has_helped) == (NEXT, True)
    assert (relief.relieved.before_bytes, relief.relieved.after_bytes) == (441, 200)
    assert (relief.relieved.total_before_bytes, relief.relieved.total_after_bytes) == (751, 510)
    assert relief.relieved.limit_bytes == 750
    assert release == Resume(cause=PauseReason.MEMORY_SHORT)


def test_just_below_the_limit_orders_wait_until_the_pause_between_restarts_is_over() -> None:
    still = after(standing(), OVER, *BACK, seen(104.0, {ONE: 300, NEXT: 420}))
    later = decide(still.state, seen(100.0 + COOLDOWN_S, {ONE: 300, NEXT: 420}))

    assert [type(command) for command in still.commands] == [ReportMemoryRecycle]
    assert later.commands == (Resume(cause=PauseReason.MEMORY_SHORT),)


def test_no_order_starts_before_the_restart_was_measured() -> None:
    away = after(standing(), OVER, seen(102.0, {ONE: 300}))
    glimpsed = after(away.state, *BACK, seen(104.0, {ONE: 300, NEXT: 20}, is_exact=False))
    measured = decide(glimpsed.state, seen(106.0, {ONE: 300, NEXT: 20}))

    assert (away.commands, glimpsed.commands) == ((), ())
    assert [type(command) for command in measured.commands] == [ReportMemoryRecycle, Resume]


def test_one_page_that_eats_again_and_again_is_no_restart_in_vain() -> None:
    start = PoolState(slots={2: WorkerSlot(is_up=True)}, was_ready=True)
    first = after(start, seen(100.0, {TWO: 900}), *BACK, seen(104.0, {NEXT: 20}, is_exact=False))
    again = after(first.state, seen(106.0, {NEXT: 20}), seen(108.0, {NEXT: 900}))

    assert [type(command) for command in again.commands] == [Pause], "the next restart waits for the pause"


def test_a_worker_that_gives_nothing_back_is_told_as_no_help() -> None:
    (told, _) = after(standing(), OVER, *BACK, seen(104.0, {ONE: 150, NEXT: 440})).commands

    assert isinstance(told, ReportMemoryRecycle)
    assert not told.relieved.has_helped


def test_a_second_restart_waits_for_the_pause_and_then_takes_the_heaviest_again() -> None:
    vain = after(standing(), OVER, *BACK, seen(104.0, {ONE: 600, NEXT: 200}))
    soon = decide(vain.state, seen(159.0, {ONE: 600, NEXT: 200}))
    then = decide(soon.state, seen(161.0, {ONE: 600, NEXT: 200}))

    (told,) = vain.commands
    assert isinstance(told, ReportMemoryRecycle)
    assert not told.relieved.has_helped, "all together are still over the limit"
    assert soon.commands == ()
    assert [command.worker for command in then.commands if isinstance(command, Recycle)] == [ONE]


def test_when_every_worker_was_started_anew_in_vain_the_pool_ends() -> None:
    first = (OVER, *BACK, seen(104.0, {ONE: 600, NEXT: 200}))
    second = (seen(161.0, {ONE: 600, NEXT: 200}), WorkerEnded(worker=ONE), WorkerReady(worker=WorkerRef(1, 2)))
    (*_, stop) = after(standing(), *first, *second, seen(165.0, {WorkerRef(1, 2): 600, NEXT: 200})).commands

    assert isinstance(stop, Stop)
    assert stop.cause is StopCause.MEMORY_SHORT
    assert "fewer workers or tabs" in stop.detail


def test_a_worker_that_does_not_come_back_ends_the_pool() -> None:
    lost = WorkerLost(worker=NEXT, cause="no more processes", at_s=103.0)
    stop, given_up = after(standing(), OVER, WorkerEnded(worker=TWO), lost).commands

    assert isinstance(stop, Stop)
    assert stop.cause is StopCause.MEMORY_SHORT
    assert "no more processes" in stop.detail
    assert given_up == GiveUp(worker=NEXT, cause="no more processes"), "its slot would stay CRASHED"


def test_a_worker_that_came_back_and_is_lost_before_the_measure_ends_nothing() -> None:
    commands = after(standing(), OVER, *BACK, WorkerLost(worker=NEXT, cause="gone", at_s=103.5)).commands

    assert not any(isinstance(command, Stop) for command in commands)
    assert any(isinstance(command, Spawn) for command in commands)


def test_another_worker_that_does_not_come_up_meanwhile_ends_nothing() -> None:
    starting = with_slot(after(standing(), OVER).state, ONE, WorkerSlot())

    commands = after(starting, WorkerLost(worker=ONE, cause="gone", at_s=101.0)).commands

    assert [type(command) for command in commands] == [Spawn]


def test_a_worker_that_finds_the_portal_down_as_it_comes_back_ends_nothing() -> None:
    down = startup_failed(NEXT, StartupFailure.PORTAL, "nobody answers")
    lost = WorkerLost(worker=NEXT, cause="nobody answers", at_s=103.0)
    commands = after(standing(), OVER, WorkerEnded(worker=TWO), down, lost).commands

    assert not any(isinstance(command, Stop) for command in commands)
    assert any(isinstance(command, Spawn) for command in commands)


def test_a_worker_that_dies_while_it_finishes_is_a_crash_like_any_other() -> None:
    decision = after(
        standing(), TaskAssigned(worker=TWO, task=TASK), OVER, WorkerLost(worker=TWO, cause="gone", at_s=101.0)
    )

    back, spawn = decision.commands
    assert isinstance(back, Requeue)
    assert back.is_attempt_spent
    assert isinstance(spawn, Spawn)
    assert decision.state.slots[2].budget.spent == (Restart(101.0),)


def test_a_worker_on_whom_a_login_depends_is_let_be() -> None:
    refreshing = replace(standing(), login_recovery=LoginRecovery(refresher=2))

    assert [type(command) for command in after(refreshing, OVER).commands] == [Pause]


def test_a_pool_that_ends_lets_memory_be() -> None:
    assert after(replace(standing(), is_stopping=True), OVER).commands == ()


def test_the_figures_are_those_of_the_design() -> None:
    assert (HYSTERESIS, COOLDOWN_S, HELP_SHARE) == (0.05, 60.0, 0.1)
    assert MemoryPressure().threshold == 0.75


def test_what_is_short_and_who_returns_for_it_is_told_in_megabytes() -> None:
    large = MemorySampled(
        by_worker={ONE: 300_000_000, TWO: 1_441_500_100},
        own_bytes=10_000_000,
        total_bytes=2_000_000_000,
        is_exact=True,
        at_s=100.0,
    )
    told = "1,752 MB of 1,500 MB allowed (2,000 MB in all)"

    assert after(standing(), large).commands == (
        Pause(cause=PauseReason.MEMORY_SHORT, detail=f"The workers use {told} of memory.", delay_s=None),
        Recycle(worker=TWO, cause=f"memory is short: all workers use {told}, this one 1,442 MB"),
    )
    vain = replace(standing(), memory=MemoryPressure(failed_count=2))
    assert after(vain, large).commands[1] == Stop(
        cause=StopCause.MEMORY_SHORT,
        detail=f"The workers use {told}, and recycling each of them did not help. "
        "Use fewer workers or tabs, or give them more memory.",
    )


def test_while_one_worker_comes_up_no_other_goes() -> None:
    coming = with_slot(standing(), ONE, WorkerSlot(is_up=False))

    assert [type(command) for command in after(coming, OVER).commands] == [Pause]


def test_a_process_of_a_generation_that_is_gone_is_not_sent_away() -> None:
    start = with_slot(standing(), TWO, WorkerSlot(is_up=True, generation=2))

    _, retire = after(start, seen(100.0, {ONE: 300, TWO: 500, NEXT: 10})).commands

    assert isinstance(retire, Recycle)
    assert retire.worker == ONE


def test_a_worker_that_died_for_good_as_it_finished_is_not_waited_for() -> None:
    relief = MemoryRecycle(worker=TWO, before_bytes=441, total_before_bytes=751)
    start = replace(
        with_slot(standing(), TWO, WorkerSlot(is_given_up=True)),
        memory=MemoryPressure(recycle=relief, recycled_at_s=100.0),
        pauses=Pauses().begin(PauseReason.MEMORY_SHORT),
    )

    decision = after(start, seen(104.0, {ONE: 300}))

    assert decision.commands == (Resume(cause=PauseReason.MEMORY_SHORT),)
    assert decision.state == replace(start, memory=MemoryPressure(recycled_at_s=100.0), pauses=Pauses())


def test_a_worker_that_gives_a_tenth_back_has_helped() -> None:
    (told,) = after(standing(), seen(100.0, {ONE: 280, TWO: 500}), *BACK, seen(104.0, {ONE: 280, NEXT: 450})).commands

    assert isinstance(told, ReportMemoryRecycle)
    assert told.relieved.has_helped


def test_a_restart_that_helped_is_the_end_of_those_in_vain() -> None:
    vain = replace(standing(), memory=MemoryPressure(failed_count=1))

    helped = after(vain, OVER, *BACK, seen(104.0, {ONE: 300, NEXT: 420}))

    assert helped.state.memory == MemoryPressure(recycled_at_s=100.0)


def test_memory_that_is_well_again_leaves_nothing_behind() -> None:
    vain = after(standing(), OVER, *BACK, seen(104.0, {ONE: 600, NEXT: 200}))

    well = decide(vain.state, seen(106.0, {ONE: 300, NEXT: 200}))

    assert vain.state.memory.failed_count == 1
    assert well.commands == (Resume(cause=PauseReason.MEMORY_SHORT),)
    assert (well.state.memory, well.state.pauses) == (MemoryPressure(recycled_at_s=100.0), Pauses())


def test_well_below_the_limit_is_more_than_a_twentieth_of_all_below_it() -> None:
    at = after(standing(), OVER, *BACK, seen(104.0, {ONE: 300, NEXT: 390}))
    below = after(standing(), OVER, *BACK, seen(104.0, {ONE: 300, NEXT: 389}))

    assert [type(command) for command in at.commands] == [ReportMemoryRecycle]
    assert [type(command) for command in below.commands] == [ReportMemoryRecycle, Resume]
