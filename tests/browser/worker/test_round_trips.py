"""How often an order speaks to the browser's driver: each message costs two programs a change of context."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from playwright._impl.connection import Connection

from poolwright.demo.catalogue.order import LinkForm
from poolwright.demo.portal_client import PortalClient
from poolwright.domain.outcomes import Reason
from poolwright.worker.attempt import attempt
from poolwright.worker.guard.browser_requests import open_browser_requests
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

#: Messages for an order of two files behind plain links; they were 45 when each watcher of a page subscribed anew.
MESSAGES_MAX = 28


async def plain_orders(portal: PortalClient, count: int) -> list[str]:
    """Orders of two good files behind plain links."""
    truths = await portal.truth()
    plain = {LinkForm.ANCHOR, LinkForm.DOWNLOAD_ANCHOR}
    return [
        number
        for number, truth in truths.items()
        if truth.outcome == "COMPLETED"
        and len(truth.attachments) == 2
        and all(file.good and file.link_form in plain for file in truth.attachments)
    ][:count]


async def test_an_order_sends_few_messages_to_the_driver(
    portal: PortalClient, tmp_path: Path, open_scenario: OpenScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = Counter[str]()
    send = Connection.send_message_to_server

    def count(connection: Connection, owner: object, method: str, params: dict[str, Any], *more: Any) -> object:  # noqa: ANN401
        sent[params.get("method", "") if method == "send" else method] += 1
        return send(connection, cast("Any", owner), method, params, *more)

    async with open_scenario(portal, tmp_path) as scenario, open_browser_requests(scenario.session.driver):
        first, second = await plain_orders(portal, 2)
        await attempt(scenario.context, task_for(first), scenario.staging / first)  # what only the first order needs
        monkeypatch.setattr(Connection, "send_message_to_server", count)
        report = await attempt(scenario.context, task_for(second), scenario.staging / second)
        monkeypatch.setattr(Connection, "send_message_to_server", send)

    assert report.reason is Reason.ALL_SAVED
    assert sum(sent.values()) <= MESSAGES_MAX, sent.most_common()
