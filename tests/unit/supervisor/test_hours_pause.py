"""The pause outside the working hours of a portal."""

from __future__ import annotations

from poolwright.supervisor.policy.commands import Pause, Resume
from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.events import HoursBegan, HoursEnded, PauseEnded
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.policy.state import PoolState, WorkerSlot


def test_outside_the_hours_no_order_starts_and_a_person_who_resumes_does_not_change_that() -> None:
    state = decide(PoolState(slots={1: WorkerSlot()}), HoursEnded(detail="Outside.", begin="Mon 07:00")).state

    assert state.pauses.active == {PauseReason.OUTSIDE_HOURS}
    assert decide(state, PauseEnded(cause=PauseReason.OPERATOR)).state.pauses.active == {PauseReason.OUTSIDE_HOURS}
    begun = decide(state, HoursBegan())
    assert (begun.state.pauses.active, begun.commands) == (frozenset(), (Resume(cause=PauseReason.OUTSIDE_HOURS),))
    assert decide(begun.state, HoursBegan()).commands == ()


def test_the_pause_outside_the_hours_says_when_it_goes_on() -> None:
    (pause,) = decide(PoolState(slots={1: WorkerSlot()}), HoursEnded(detail="Outside.", begin="Mon 07:00")).commands

    assert pause == Pause(cause=PauseReason.OUTSIDE_HOURS, detail="Outside. It goes on at Mon 07:00.", delay_s=None)
