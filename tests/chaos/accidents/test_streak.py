"""A portal pack that does not know its portal's login page: log-outs look like missing orders, and none is filed so."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import assert_all_right, numbers_of, reported
from tests.support.portal import needs_chromium
from tests.support.program import open_program, use_own_pack

pytestmark = [needs_chromium, pytest.mark.timeout(120)]

ORDER_COUNT = 16
#: What the demo pack knows of the login page, and what is left of it: a login page that an order was sent to shows the
#: text of a missing order, and nothing else tells it apart any more.
BLINDED = {
    "address = ['^/sessions/new']": r"address = ['^/sessions/new(?!.*order_headers%2F\d)']",
    'selector = ["#login_form", ': "selector = [",
}


@pytest.mark.parametrize("after_pages", [3, ORDER_COUNT - 3])
async def test_a_log_out_that_looks_like_missing_orders_misfiles_none(tmp_path: Path, after_pages: int) -> None:
    async with running_portal(order_count=ORDER_COUNT) as portal, open_program(tmp_path, portal) as program:
        use_own_pack(program, BLINDED)
        numbers = await numbers_of(portal, ORDER_COUNT)
        truths = await portal.truth(*numbers)
        await portal.expire_sessions(after_pages=after_pages)

        ended = await program.run("run", program.list_of(numbers), "--json", "--workers", "2", "--tabs", "1")

        assert ended.code in {0, 1}, ended
        assert_all_right(program, truths)
        assert {row["Attempts"] for row in reported(program)} == {"1"}
        returned = Counter(line["why"] for line in ended.objects() if line["type"] == "task_returned")
        assert {"session_lost"} <= returned.keys() <= {"session_lost", "logged_out"}, "the log-out was found out"
