"""A portal that logs everybody out in the middle of a list: one worker logs in for all of them.

A long list and many log-outs, with one-time codes and without a way back, are a part of ``make chaos``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.logouts import Length, be_logged_out
from tests.support.portal import needs_chromium

pytestmark = [needs_chromium, pytest.mark.timeout(400)]


SHORT = Length(order_count=10, expiry_count=1, pages_between=4, worker_count=2)


async def test_a_log_out_costs_one_login_and_no_attempt(tmp_path: Path) -> None:
    await be_logged_out(tmp_path, SHORT, "")
