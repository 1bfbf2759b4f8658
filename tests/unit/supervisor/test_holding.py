"""What people read when no order starts."""

from __future__ import annotations

import pytest

from poolwright.supervisor.commands import Hold, Release
from poolwright.supervisor.holding import told
from poolwright.supervisor.holds import HoldCause


@pytest.mark.parametrize(
    ("cause", "until"),
    [
        (HoldCause.OPERATOR, "until it is resumed"),
        (HoldCause.PLACE_GONE, "until it is back"),
        (HoldCause.JOURNAL_LOCKED, "until the journal can be used again"),
        (HoldCause.MEMORY_SHORT, "until there is enough memory again"),
        (HoldCause.LOGIN_LOST, "until the login is back"),
        (
            HoldCause.LOGIN_REQUIRED,
            "until somebody has logged in (poolwright profile login acme) and says resume",
        ),
    ],
)
def test_a_hold_without_a_time_says_what_ends_it(cause: HoldCause, until: str) -> None:
    assert told(Hold(cause=cause, detail="why", delay_s=None), "acme") == f"no order starts {until}: why"


def test_a_hold_with_a_time_says_how_long_it_is() -> None:
    hold = Hold(cause=HoldCause.PORTAL_BUSY, detail="why", delay_s=7.5)

    assert told(hold, "acme") == "no order starts for 7.5 s: why"


@pytest.mark.parametrize("cause", HoldCause)
def test_the_end_of_every_hold_says_why_it_is_over(cause: HoldCause) -> None:
    beginning, _, why = told(Release(cause=cause), "acme").partition(": ")

    assert beginning == "orders start again"
    assert why
