"""Figures for Prometheus, as a scraper gets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.daemon.tmp_daemons import order_list, running_daemon
from tests.support.metrics import figures


@pytest.mark.timeout(90)
async def test_a_scraper_gets_them_with_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running_daemon(tmp_path, monkeypatch) as running:
        await running.daemon.submit(order_list(1, 2))
        await running.done(2)
        answer = await running.client.get("/metrics")
        refused = await running.client.get("/metrics", headers={"Authorization": "Bearer no"})

    found = figures(answer.content)
    assert answer.headers["content-type"].startswith("text/plain")
    assert found["poolwright_orders_total,outcome=COMPLETED,reason=all_saved"] == 2
    assert found["poolwright_queue_age_seconds"] == 0
    assert any(name.startswith("poolwright_memory_bytes,worker=worker-1") for name in found)
    assert refused.status_code == 401
