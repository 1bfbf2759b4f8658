from __future__ import annotations

import hashlib
import re
import ssl
from urllib.parse import unquote

import httpx
import pytest

from poolwright.demo.catalogue.order import Naming
from poolwright.demo.catalogue.truth import FileTruth, OrderTruth
from poolwright.demo.pages import NOT_AUTHORIZED, OOPS
from poolwright.demo.portal_client import PortalClient, running_portal
from tests.support.portal import file_address, orders_with, user, visitor


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def listed_files(client: httpx.AsyncClient, number: str) -> list[dict[str, str]]:
    answer = await client.get(f"/order_headers/{number}/attachments.json")
    return answer.json()["attachments"]


async def address_of(client: httpx.AsyncClient, row: dict[str, str]) -> str:
    """Where the page's script leads for that row."""
    if "ticket" in row:
        return f"/attachment/{row['id']}/download?ticket={row['ticket']}"
    if row["form"] == "frame":
        frame = await client.get(row["url"])
        return re.findall(r'href="(/attachment[^"]+)"', frame.text)[0]
    return row["url"]


def told_name(answer: httpx.Response) -> str | None:
    """The file name in the headers."""
    raw = {name.lower(): value for name, value in answer.headers.raw}.get(b"content-disposition", b"").decode()
    extended = re.search(r"filename\*=UTF-8''(\S+)", raw)
    if extended:
        return unquote(extended[1])
    plain = re.search(r'filename="(.*)"', raw)
    return plain[1].replace('\\"', '"').replace("\\\\", "\\") if plain else None


async def test_the_portal_is_asked_without_loading_certificates(
    portal: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It speaks no TLS, and loading them takes longer than a call: tests make thousands."""
    loaded: list[object] = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *told, **_: loaded.append(told))

    await portal.stats()

    assert loaded == []


async def test_every_good_file_of_the_demo_list_arrives_as_the_truth_tells(portal: PortalClient) -> None:
    async with user(portal) as client:
        truths = await portal.truth(*[row.number for row in await portal.orders()])
        for truth in truths.values():
            if truth.attachments:
                rows = await listed_files(client, truth.number)
                assert [row["name"] for row in rows] == [file.name for file in truth.attachments]
                for row, file in zip(rows, truth.attachments, strict=True):
                    await expect_file(client, await address_of(client, row), file)
        stats = await portal.stats()

    files = [file for truth in truths.values() for file in truth.attachments]
    assert stats.downloads == {str(file.attachment_id): 1 for file in files}
    assert stats.server_errors == 0


async def expect_file(client: httpx.AsyncClient, address: str, file: FileTruth) -> None:
    answer = await client.get(address)
    if not file.good:
        assert answer.status_code == 404
        return
    assert (len(answer.content), sha256(answer.content)) == (file.size_bytes, file.sha256)
    is_named = file.naming not in (Naming.NAMELESS, Naming.BARE)
    assert told_name(answer) == (file.name if is_named else None)


async def test_orders_that_are_not_shown_say_so_at_their_own_address(portal: PortalClient) -> None:
    async with user(portal) as client:
        truths = await portal.truth()
        missing = [await client.get(f"/order_headers/{t.number}") for t in orders_with(truths, "NOT_FOUND")]
        forbidden = [await client.get(f"/order_headers/{t.number}") for t in orders_with(truths, "FORBIDDEN")]
        unheard_of = await client.get("/order_headers/12345678")

    oops = f'<div class="flash_error">{OOPS}</div>'.replace("'", "&#x27;")
    assert sorted(answer.status_code for answer in missing) == [200, 404, 404]
    assert sorted(answer.status_code for answer in forbidden) == [200, 403]
    assert unheard_of.status_code == 404
    assert all(oops in answer.text for answer in (*missing, unheard_of))
    assert all(NOT_AUTHORIZED in answer.text for answer in forbidden)


async def test_files_of_an_order_that_is_not_shown_are_out_of_reach(portal: PortalClient) -> None:
    async with user(portal) as client:
        truths = await portal.truth()
        number = orders_with(truths, "FORBIDDEN")[0].number
        answers = [
            await client.get(f"/order_headers/{number}/attachments.json"),
            await client.get(f"/attachment/{number}0/download"),
        ]

    assert [answer.status_code for answer in answers] == [404, 404]


async def test_a_click_only_file_does_not_exist_without_its_ticket(portal: PortalClient) -> None:
    async with user(portal) as client:
        file = (await portal.truth("90000006"))["90000006"].attachments[0]
        without = await client.get(file_address(file))
        wrong = await client.get(f"{file_address(file)}?ticket=0")

    assert (without.status_code, wrong.status_code) == (404, 404)


async def test_odd_files_fail_in_their_own_way_every_time(portal: PortalClient) -> None:
    async with user(portal) as client:
        truths = await portal.truth("90000001", "90000002", "90000003")
        broken, empty, disguised = (truth.attachments[1] for truth in truths.values())
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
                await client.get(file_address(broken))
        nothing = await client.get(file_address(empty))
        page = await client.get(file_address(disguised))

    assert (nothing.status_code, nothing.content, nothing.headers["content-length"]) == (200, b"", "0")
    assert page.content.startswith(b"<!DOCTYPE html>")
    assert page.headers["content-type"] == "application/pdf"


async def test_pages_and_assets_weigh_what_real_ones_weigh_and_assets_are_cached(portal: PortalClient) -> None:
    async with user(portal) as client:
        number = orders_with(await portal.truth(), "COMPLETED")[0].number
        page = await client.get(f"/order_headers/{number}")
        css, js = [await client.get(f"/assets/portal.{kind}") for kind in ("css", "js")]
        pictures = [await client.get(source) for source in re.findall(r'<img [^>]*src="([^"]+)"', page.text)]
        again = await client.get("/assets/portal.css", headers={"If-None-Match": css.headers["etag"]})

    assert page.headers["cache-control"] == "no-store"
    assert 55_000 < len(page.content) < 57_000
    assert 80_000 <= len(css.content) < 82_000
    assert 150_000 <= len(js.content) < 152_000
    assert [picture.content[:4] for picture in pictures] == [b"\x89PNG"] * 6
    assert css.headers["cache-control"] == "public, max-age=3600"
    assert (again.status_code, again.content) == (304, b"")


async def test_the_order_page_shows_the_fields_of_the_order_and_holds_no_link_to_a_file(portal: PortalClient) -> None:
    async with user(portal) as client:
        truths = orders_with(await portal.truth(), "COMPLETED")
        truth = next(truth for truth in truths if truth.supplier != truth.supplier_shown and "&" not in truth.supplier)
        page = await client.get(f"/order_headers/{truth.number}")

    assert f">Purchase Order #{truth.number}</h1>" in page.text
    shown = truth.supplier_shown.replace("'", "&#x27;")
    assert re.search(rf'id="order_header_supplier"[^>]*>{re.escape(shown)}</span>', page.text)
    assert 'data-state="loading"' in page.text
    assert "/download" not in page.text
    assert "data-url" not in page.text


async def test_some_files_come_without_their_length_and_a_look_ahead_is_no_download(portal: PortalClient) -> None:
    async with user(portal) as client:
        files = [file for truth in (await portal.truth()).values() for file in truth.attachments if file.good]
        heads = [await client.head(file_address(file)) for file in files if file.link_form != "click"]
        stats = await portal.stats()

    lengths = ["content-length" in head.headers for head in heads]
    assert set(lengths) == {True, False}
    assert stats.downloads == {}


async def test_without_the_token_the_admin_addresses_lead_nowhere(portal: PortalClient) -> None:
    async with user(portal) as client:
        nowhere = await client.get("/no/such/page")
        answers = [await client.get(f"/__demo/{name}") for name in ("truth", "orders", "stats", "faults", "none")]
        wrong = await client.get("/__demo/truth", headers={"X-Demo-Admin": "guessed"})
        posted = await client.post("/__demo/expire")
        still = await client.get("/dashboard")

    assert {answer.status_code for answer in (*answers, wrong, posted, nowhere)} == {404}
    assert {answer.text for answer in (*answers, wrong, posted)} == {nowhere.text}
    assert still.status_code == 200


async def test_the_admin_api_refuses_what_it_does_not_know(portal: PortalClient) -> None:
    async with visitor(portal) as client:
        client.headers["X-Demo-Admin"] = portal.admin_token
        answers = [
            await client.post("/__demo/faults", json={"fault": {"kind": "flood"}}),
            await client.post("/__demo/faults", json={"fault": {"kind": "hang"}, "often": 3}),
            await client.post("/__demo/expire", json={"after_pages": -1}),
            await client.get("/__demo/orders?variant=wild"),
        ]

    assert [answer.status_code for answer in answers] == [422] * 4


async def test_the_truth_names_listed_odd_and_invalid_numbers() -> None:
    async with running_portal(order_count=5, seed=3) as portal:
        truths = await portal.truth()
        rows = await portal.orders(is_messy=True)
        few: dict[str, OrderTruth] = await portal.truth("90000001", "nothing")

    assert sum(truth.is_listed for truth in truths.values()) == 5
    assert truths["PO12AB"].outcome == "INVALID"
    assert len(rows) == 7
    assert list(few) == ["90000001"]


async def test_a_portal_of_thousands_makes_only_the_files_that_are_asked_for() -> None:
    async with running_portal(order_count=2000) as portal, user(portal) as client:
        row = (await portal.orders(count=2000))[-1]
        truth = (await portal.truth(row.number))[row.number]
        page = await client.get(portal.order_url(row.number))

    assert truth.is_listed
    assert page.status_code in (200, 403, 404)


async def test_requests_are_counted_once_each(portal: PortalClient) -> None:
    async with user(portal) as client:
        truth = orders_with(await portal.truth(), "COMPLETED")[0]
        await open_order(portal, client, truth)
        first = await portal.stats()
        await portal.reset_stats()
        second = await portal.stats()

    assert first.order_pages == first.attachment_lists == {truth.number: 1}
    assert first.logins == 1
    assert first.concurrent_max["all"] == 1
    assert (second.order_pages, second.logins, second.requests) == ({}, 0, {})


async def open_order(portal: PortalClient, client: httpx.AsyncClient, truth: OrderTruth) -> None:
    await client.get(portal.order_url(truth.number))
    await listed_files(client, truth.number)
