"""A portal that logs everybody out in the middle of a list, again and again: one worker logs in for all of them.

The same on a long list is a part of ``make chaos``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.logouts import SECRET, Length, be_left_out, be_logged_out
from tests.support.portal import needs_chromium

pytestmark = [needs_chromium, pytest.mark.timeout(400)]


SHORT = Length(order_count=24, expiry_count=2, pages_between=7, worker_count=2)


@pytest.mark.parametrize("totp_secret", ["", SECRET], ids=["password", "one-time codes"])
async def test_each_log_out_costs_one_login_and_no_attempt(tmp_path: Path, totp_secret: str) -> None:
    await be_logged_out(tmp_path, SHORT, totp_secret)


async def test_a_login_that_cannot_be_brought_back_ends_the_run_and_the_next_one_goes_on(tmp_path: Path) -> None:
    await be_left_out(tmp_path, SHORT)
