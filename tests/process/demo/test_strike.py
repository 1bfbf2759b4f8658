from __future__ import annotations

import time

import anyio
import httpx
import pytest

from poolwright.demo.faults import (
    ChangedPage,
    Drop,
    ErrorStatus,
    FaultScope,
    Hang,
    Latency,
    LoginRedirect,
    Maintenance,
    SecondFactorRedirect,
)
from poolwright.demo.pages import MAINTENANCE
from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.demo.stats import RequestKind
from tests.support.portal import file_address, log_in, orders_with, user


async def a_number(portal: PortalClient) -> str:
    return orders_with(await portal.truth(), "COMPLETED")[0].number


async def test_a_fault_in_the_address_strikes_that_request_alone(portal: PortalClient) -> None:
    async with user(portal) as client:
        page = f"/order_headers/{await a_number(portal)}"
        answers = [await client.get(f"{page}?__fault={fault}") for fault in ("500", "503:7", "429", "maintenance", "x")]
        plain = await client.get(page)
        listed = await client.get(f"{page}/attachments.json?__fault=502")
        passed_on = await client.get(f"{page}?__list_fault=latency:900")

    assert [answer.status_code for answer in answers] == [500, 503, 429, 503, 400]
    assert [answer.headers.get("retry-after") for answer in answers[:4]] == [None, "7", None, None]
    assert MAINTENANCE in answers[3].text
    assert plain.status_code == 200
    assert listed.status_code == 502
    assert f'data-source="{page}/attachments.json?__fault=latency%3A900"' in passed_on.text


async def test_a_standing_fault_strikes_its_order_so_often_as_it_was_told(portal: PortalClient) -> None:
    async with user(portal) as client:
        numbers = [truth.number for truth in orders_with(await portal.truth(), "COMPLETED")[:2]]
        await portal.add_fault(ErrorStatus(status=500), order=numbers[0], times=2)
        codes = [(await client.get(portal.order_url(numbers[place]))).status_code for place in (1, 0, 0, 0)]
        left = await portal.faults()

    assert codes == [200, 500, 500, 200]
    assert left == []


async def test_cleared_faults_strike_no_more(portal: PortalClient) -> None:
    async with user(portal) as client:
        address = portal.order_url(await a_number(portal))
        await portal.add_fault(Maintenance(), FaultScope.ALL)
        before = await client.get(address)
        await portal.clear_faults()
        after = await client.get(address)

    assert (before.status_code, after.status_code) == (503, 200)


async def test_a_redirecting_fault_leads_to_its_page_and_leaves_the_session_alone(portal: PortalClient) -> None:
    async with user(portal) as client:
        address = portal.order_url(await a_number(portal))
        await portal.add_fault(SecondFactorRedirect(), times=1)
        code = await client.get(address)
        await portal.add_fault(LoginRedirect(), times=1)
        out = await client.get(address)
        form = await client.get(code.headers["location"])
        after = await client.get(address)

    assert (code.status_code, code.headers["location"]) == (302, "/two_factor/new")
    assert out.headers["location"].startswith("/sessions/new?return_to=")
    assert 'id="two_factor_code"' in form.text
    assert after.status_code == 200


async def test_a_late_answer_is_late_and_right(portal: PortalClient) -> None:
    async with user(portal) as client:
        await portal.add_fault(Latency(delay_ms=300), FaultScope.ALL)
        began_s = time.monotonic()
        answer = await client.get(portal.order_url(await a_number(portal)))
        took_s = time.monotonic() - began_s

    assert answer.status_code == 200
    assert took_s >= 0.3


async def test_a_hanging_page_says_nothing_until_the_client_leaves(portal: PortalClient) -> None:
    async with user(portal) as client:
        address = portal.order_url(await a_number(portal))
        await portal.add_fault(Hang(), times=1)
        with pytest.raises(httpx.ReadTimeout):
            await client.get(address, timeout=0.3)
        after = await client.get(address)

    assert after.status_code == 200


async def test_a_portal_with_a_hanging_request_still_stops() -> None:
    with anyio.fail_after(40):
        async with anyio.create_task_group() as tasks, running_portal() as portal, user(portal) as client:
            await portal.add_fault(Hang(), FaultScope.LOGIN, times=1)
            tasks.start_soon(hang_on, client)
            while (await portal.stats()).requests[RequestKind.LOGIN] < 3:
                await anyio.lowlevel.checkpoint()


async def hang_on(client: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.HTTPError):
        await client.post("/sessions", data={})


async def test_a_dropped_answer_breaks_off_in_its_body(portal: PortalClient) -> None:
    async with user(portal) as client:
        truths = await portal.truth()
        truth = next(t for t in orders_with(truths, "COMPLETED") if t.attachments[0].link_form == "anchor")
        file = truth.attachments[0]
        await portal.add_fault(Drop(after_bytes=100), FaultScope.DOWNLOAD, order=truth.number, times=1)
        await portal.add_fault(Drop(after_bytes=100), FaultScope.ORDER_PAGE, times=1)
        for address in (file_address(file), portal.order_url(truth.number)):
            with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
                await client.get(address)
        whole = await client.get(file_address(file))
        stats = await portal.stats()

    assert len(whole.content) == file.size_bytes
    assert stats.server_errors == 0


async def test_a_changed_portal_shows_none_of_its_known_markers(portal: PortalClient) -> None:
    async with user(portal) as client:
        await portal.add_fault(ChangedPage())
        page = await client.get(portal.order_url(await a_number(portal)))

    assert page.status_code == 200
    assert not any(marker in page.text for marker in ("order_header_", 'id="attachments"', "Purchase Order", "flash_"))


async def test_the_login_can_fail_too_and_a_struck_login_logs_nobody_in(portal: PortalClient) -> None:
    async with user(portal) as client:
        await portal.expire_sessions()
        await portal.add_fault(ErrorStatus(status=503, retry_after_s=1), FaultScope.LOGIN, times=1)
        refused = await client.get("/sessions/new")
        answer = await log_in(client, portal)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert answer.status_code == 302
