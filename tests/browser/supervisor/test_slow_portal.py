"""A portal that answers more slowly than before is asked less: a real worker, real Chromium and the demo portal."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.demo.faults import FaultScope, Latency
from poolwright.demo.portal_client import PortalClient
from poolwright.domain.events import Notice
from poolwright.supervisor.policy.courtesy import tab_limit
from tests.support.bare_pool import own_pool
from tests.support.event_capture import EventCapture
from tests.support.portal import needs_chromium
from tests.support.profile_folders import make_base
from tests.support.sessions import demo_pack, portal_options, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(120)]


async def test_fewer_orders_are_open_at_once_while_the_portal_is_slow_and_people_are_told(
    portal: PortalClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tab_limit, "WINDOW", 2)
    monkeypatch.setattr(tab_limit, "WINDOW_PER_TAB", 1)
    monkeypatch.setattr(tab_limit, "FACTOR", 1.5)
    monkeypatch.setattr(tab_limit, "DIFFERENCE_S", 0.2)
    base, told = make_base(tmp_path / "base", values=()), EventCapture()
    whole = [truth for truth in (await portal.truth()).values() if truth.is_listed and truth.outcome == "COMPLETED"]
    numbers = [truth.number for truth in sorted(whole, key=lambda truth: len(truth.attachments))]
    door = portal_options(portal, demo_pack())

    async with own_pool(tmp_path, base, "po_attachments", door, told, tab_count=2) as (pool, _):
        for handle in [await pool.submit_task(task_for(number)) for number in numbers[:3]]:
            await handle
        before = pool.get_status().slow_down
        await portal.add_fault(Latency(delay_ms=900), FaultScope.ORDER_PAGE)
        for number in numbers[3:15]:
            await pool.submit_task(task_for(number))
        await told.until(lambda: any(event.text.startswith("The portal answers slowly") for event in told.all(Notice)))
        during = pool.get_status().slow_down
        await portal.clear_faults()

    assert before == ""
    assert during.endswith("at most 1 of 2 orders are open at once.")
