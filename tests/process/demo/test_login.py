from __future__ import annotations

import httpx
import pytest

from poolwright.demo.pages import OOPS, STALE_FORM, WRONG_PASSWORD
from poolwright.demo.portal_client import PortalClient, running_portal
from tests.support.portal import file_address, log_in, login_fields, orders_with, user, visitor


async def test_a_login_sets_three_cookies_of_three_kinds(portal: PortalClient) -> None:
    async with visitor(portal) as client:
        answer = await log_in(client, portal)

    cookies = {text.partition("=")[0]: text for text in answer.headers.get_list("set-cookie")}
    assert (answer.status_code, answer.headers["location"]) == (302, "/dashboard")
    assert set(cookies) == {"_demo_session", "demo_user", "demo_visit"}
    assert ["HttpOnly" in cookies[name] for name in sorted(cookies)] == [True, False, True]
    assert ["Max-Age" in cookies[name] for name in sorted(cookies)] == [True, True, False]


async def test_a_login_with_a_wrong_password_or_a_stale_form_shows_the_form_again(portal: PortalClient) -> None:
    async with visitor(portal) as client:
        wrong = await log_in(client, portal, password="guessed")
        form = await client.get("/sessions/new")
        await client.post("/sessions", data=login_fields(form.text, portal, password="guessed"))
        stale = await client.post("/sessions", data=login_fields(form.text, portal))
        stats = await portal.stats()

    assert (wrong.status_code, stale.status_code) == (200, 422)
    assert WRONG_PASSWORD in wrong.text
    assert STALE_FORM in stale.text
    assert 'id="user_password"' in wrong.text
    assert 'id="user_password"' in stale.text
    assert not client.cookies
    assert (stats.logins, stats.refused_logins) == (0, 2)


async def test_whoever_is_not_logged_in_ends_at_the_login_page_with_the_text_of_a_missing_order(
    portal: PortalClient,
) -> None:
    async with visitor(portal) as client:
        truths = await portal.truth()
        file = orders_with(truths, "COMPLETED")[0].attachments[0]
        addresses = ("/dashboard", "/order_headers", "/order_headers/15800035?a=1", file_address(file))
        answers = [await client.get(address) for address in addresses]
        direct = await client.get("/sessions/new")
        redirected = await client.get(answers[2].headers["location"])
        listed = await client.get("/order_headers/15800035/attachments.json")
        stats = await portal.stats()

    assert [answer.status_code for answer in answers] == [302] * 4
    assert answers[2].headers["location"] == "/sessions/new?return_to=%2Forder_headers%2F15800035%3Fa%3D1"
    assert f'<div class="flash_error">{OOPS}</div>'.replace("'", "&#x27;") in redirected.text
    assert 'id="user_email"' in redirected.text
    assert "flash_error" not in direct.text
    assert listed.status_code == 401
    assert (stats.order_pages, stats.downloads, stats.logged_out) == ({}, {}, 5)


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/order_headers/1?a=1", "/order_headers/1?a=1"),
        ("https://evil.example/", "/dashboard"),
        ("//evil", "/dashboard"),
    ],
)
async def test_a_login_leads_to_the_page_that_was_wanted_if_it_is_one_of_the_portal(
    portal: PortalClient, wanted: str, reached: str
) -> None:
    async with visitor(portal) as client:
        form = await client.get("/sessions/new", params={"return_to": wanted})
        answer = await client.post("/sessions", data=login_fields(form.text, portal))

    assert answer.headers["location"] == reached


async def test_expired_sessions_are_logged_out_at_once_or_after_so_many_pages(portal: PortalClient) -> None:
    async with user(portal) as client:
        await portal.expire_sessions(after_pages=2)
        later = [(await client.get("/order_headers/15800035")).status_code for _ in range(3)]
        await log_in(client, portal)
        await portal.expire_sessions()
        at_once = await client.get("/dashboard")

    assert later == [200, 200, 302]
    assert at_once.status_code == 302


async def test_sessions_end_when_they_are_unused_for_the_given_minutes() -> None:
    async with running_portal(session_minutes=0) as portal, user(portal) as client:
        answer = await client.get("/dashboard")

    assert answer.status_code == 302


async def test_the_visit_cookie_is_needed_once_the_portal_says_so(portal: PortalClient) -> None:
    async with user(portal) as client:
        session = client.cookies["_demo_session"]
        async with httpx.AsyncClient(base_url=portal.url, cookies={"_demo_session": session}, trust_env=False) as other:
            before = await other.get("/dashboard")
            await portal.require_visit_cookie(is_required=True)
            after = await other.get("/dashboard")
        whole = await client.get("/dashboard")

    assert (before.status_code, after.status_code, whole.status_code) == (200, 302, 200)


async def test_logging_out_ends_the_session(portal: PortalClient) -> None:
    async with user(portal) as client:
        await client.get("/logout")
        answer = await client.get("/dashboard")

    assert answer.status_code == 302


async def test_somebody_who_is_admitted_by_cookies_needs_no_login_until_all_sessions_end(portal: PortalClient) -> None:
    async with visitor(portal) as client:
        client.cookies.update({"_demo_session": "brought-along", "demo_visit": "seen"})
        await portal.admit({"brought-along": "seen"})
        inside_are = await portal.visitors()
        await portal.require_visit_cookie(is_required=True)
        inside = await client.get("/dashboard")
        await portal.expire_sessions()
        outside = await client.get("/dashboard")
        stats = await portal.stats()

    assert inside_are["brought-along"] == "seen"
    assert (inside.status_code, outside.status_code) == (200, 302)
    assert stats.logins == 0
