"""What people read when no order starts."""

from __future__ import annotations

import pytest

from poolwright.supervisor.policy.commands import ExtendPause, Pause, Resume, pause_message
from poolwright.supervisor.policy.pauses import PauseReason


@pytest.mark.parametrize(
    ("cause", "until"),
    [
        (PauseReason.OPERATOR, "until an operator resumes it"),
        (PauseReason.PLACE_GONE, "until the folder is back"),
        (PauseReason.OUTSIDE_HOURS, "until the portal's working hours begin"),
        (PauseReason.JOURNAL_LOCKED, "until the journal can be used again"),
        (PauseReason.MEMORY_SHORT, "until there is enough memory again"),
        (PauseReason.LOGIN_LOST, "until the login is back"),
        (
            PauseReason.LOGIN_REQUIRED,
            "until a person logs in (poolwright profile login acme) and resumes the pool",
        ),
    ],
)
def test_a_hold_without_a_time_says_what_ends_it(cause: PauseReason, until: str) -> None:
    assert pause_message(Pause(cause=cause, detail="why", delay_s=None), "acme") == f"paused {until}: why"


def test_a_hold_with_a_time_says_how_long_it_is() -> None:
    hold = Pause(cause=PauseReason.PORTAL_BUSY, detail="why", delay_s=7.5)

    assert pause_message(hold, "acme") == "paused for 7.5 s: why"


def test_a_hold_that_gets_longer_says_how_long_it_still_is() -> None:
    longer = ExtendPause(cause=PauseReason.PORTAL_BUSY, detail="why", delay_s=90.0, extension_count=1)

    assert pause_message(longer, "acme") == "the pause is extended to 90 s from now: why"


@pytest.mark.parametrize("cause", PauseReason)
def test_the_end_of_every_hold_says_why_it_is_over(cause: PauseReason) -> None:
    beginning, _, why = pause_message(Resume(cause=cause), "acme").partition(": ")

    assert beginning == "resumed"
    assert why
