"""The made-up portals let in whom they should, and show all that they have."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from tests.support.portals.gates import rotating, with_form, with_http_login, with_two_pages
from tests.support.portals.order_pages import MAKES, PAGED, SEARCH_ONLY, SERVER_RENDERED
from tests.support.portals.portal_make import ORDERS, PASSWORD, USER, PortalMake, content_of, file_address
from tests.support.sites import Answer


def ask(make: PortalMake, path: str, *headers: str, method: str = "GET", body: str = "") -> Answer:
    """Ask a portal for an address."""
    return make.answer("\r\n".join([f"{method} {path} HTTP/1.1", "Host: portal.test", *headers, "", body]))


def submit(make: PortalMake, **values: str) -> Answer:
    """Send the login form."""
    body = "&".join(f"{name}={quote(value)}" for name, value in values.items())
    return ask(make, "/login", method="POST", body=body)


def cookie_of(answer: Answer) -> str:
    """The header with which a browser sends back the last cookie of an answer."""
    return f"Cookie: {answer.headers[-1].removeprefix('Set-Cookie: ').split(';')[0]}"


@pytest.mark.parametrize("make", MAKES, ids=lambda make: make.name)
def test_every_make_has_a_pack_and_its_files(make: PortalMake) -> None:
    assert make.pack().name == make.name
    for name in ORDERS["1001"]:
        assert ask(make, file_address("1001", name)).body.encode() == content_of("1001", name)
    assert ask(make, "/order/9999").status == 404 or not make.order.startswith("/order/")


def test_a_paged_list_has_all_files_on_its_pages() -> None:
    shown = "".join(ask(PAGED, f"/order/1003?from={start}").body for start in (0, 3, 6))

    assert all(name in shown for name in ORDERS["1003"])
    assert "id=next" in ask(PAGED, "/order/1003").body
    assert "id=next" not in ask(PAGED, "/order/1003?from=6").body


def test_a_search_leads_to_the_record() -> None:
    assert ask(SEARCH_ONLY, "/search?q=100").body.count("class=hit") == 3
    assert "Offer 7.pdf" in ask(SEARCH_ONLY, "/record/x1001").body
    assert "id=missing" in ask(SEARCH_ONLY, "/search?q=9999").body


@pytest.mark.parametrize("enclose", [with_form, with_two_pages, rotating])
def test_only_who_is_logged_in_sees_an_order(enclose: object) -> None:
    make: PortalMake = enclose(SERVER_RENDERED)  # pyright: ignore[reportCallIssue]

    assert ask(make, "/order/1001").location == "/login"
    assert not submit(make, user=USER, password="wrong").location
    entered = submit(make, user=USER, password=PASSWORD)
    assert entered.location == "/home"
    assert "Offer 7.pdf" in ask(make, "/order/1001", cookie_of(entered)).body
    assert ask(make, "/order/1001", "Cookie: portal_session=session-1").location == "/login"


def test_two_pages_ask_for_the_user_first() -> None:
    make = with_two_pages(SERVER_RENDERED)

    assert "id=user" in ask(make, "/login").body
    assert "id=password" not in ask(make, "/login").body
    assert "id=password" in submit(make, user=USER).body


def test_a_rotated_cookie_is_worth_nothing_after_a_while() -> None:
    make = rotating(SERVER_RENDERED)
    first = cookie_of(submit(make, user=USER, password=PASSWORD))
    last = first
    for _ in range(20):
        last = cookie_of(ask(make, "/order/1001", last))

    assert ask(make, "/order/1001", first).location == "/login"
    assert "Offer 7.pdf" in ask(make, "/order/1001", last).body


def test_http_login_wants_user_and_password() -> None:
    make = with_http_login(SERVER_RENDERED)
    key = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    assert ask(make, "/order/1001").status == 401
    assert "Offer 7.pdf" in ask(make, "/order/1001", f"Authorization: Basic {key}").body
