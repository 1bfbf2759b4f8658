"""A long list, and a portal that logs everybody out five times in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.logouts import SECRET, Length, be_left_out, be_logged_out
from tests.support.portal import needs_chromium

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

EXPIRY_COUNT = 5
#: Of the list, unless fewer orders are asked for.
MOST_ORDERS = 200
#: The share of the list that opens between two log-outs, so that the last one still meets many orders.
SHARE_BETWEEN = 0.15


@pytest.fixture
def length(request: pytest.FixtureRequest) -> Length:
    """As many orders as a storm has."""
    order_count = min(request.config.option.orders, MOST_ORDERS)
    pages_between = round(order_count * SHARE_BETWEEN)
    return Length(order_count=order_count, expiry_count=EXPIRY_COUNT, pages_between=pages_between, worker_count=3)


@pytest.mark.parametrize("totp_secret", ["", SECRET], ids=["password", "one-time codes"])
async def test_each_of_five_log_outs_costs_one_login_and_no_attempt(
    tmp_path: Path, length: Length, totp_secret: str
) -> None:
    await be_logged_out(tmp_path, length, totp_secret)


async def test_a_login_that_cannot_be_brought_back_ends_the_run_and_the_next_one_goes_on(
    tmp_path: Path, length: Length
) -> None:
    await be_left_out(tmp_path, length)
