"""The facts about Coupa tenants, one by one, against the pack that comes along."""

from __future__ import annotations

from itertools import product

import pytest

from poolwright.domain.options import PortalOptions
from poolwright.portal.numbers import OrderNumber, parse_number
from poolwright.portal.pack import LoginStep, load
from poolwright.portal.page_facts import PageFacts
from poolwright.portal.triage import Verdict, classify_page

COUPA = load("coupa")
TENANT = "https://acme.coupahost.com"
ORDER = f"{TENANT}/order_headers/4500012345"

MISSING_TEXTS = [
    "Oops! We couldn't find what you wanted",
    "The page you were looking for doesn't exist",
    "Desculpe, não encontramos o que você procurava",
]
FORBIDDEN_TEXTS = ["You are not authorized", "Access denied"]
ERROR_AREAS = ["div.flash_error", "div.flash-error", "div.notice", "div#error_explanation", "h1"]


def verdict(url: str, *present: str, status: int = 200, texts: dict[str, str] | None = None) -> Verdict:
    return classify_page(COUPA.triage, PageFacts(url=url, status=status, present=present, texts=texts or {}))


@pytest.mark.parametrize(
    "path",
    [
        "/sessions/new",
        "/sessions/new?return_to=%2Forder_headers%2F4500012345",
        "/login",
        "/user/login",
        "/login?next=/order_headers/4500012345",
        "/session_expired",
        "/user/home?session_expired=true",
        "/sso",
        "/sso/saml/init",
        "/sessions/sso_redirect",
        "/saml-sso?RelayState=x",
        "/sessions?sso=1",
        "/auth/saml",
        "/users/auth/saml/callback",
    ],
)
@pytest.mark.parametrize("text", ["", MISSING_TEXTS[0]])
@pytest.mark.parametrize("status", [200, 404])
def test_an_expired_session_is_known_by_its_address(path: str, text: str, status: int) -> None:
    assert verdict(TENANT + path, status=status, texts={"h1": text}) is Verdict.SESSION_LOST


@pytest.mark.parametrize("url", [ORDER, f"{TENANT}/order_headers", f"{TENANT}/"])
def test_an_expired_session_is_known_by_the_native_form(url: str) -> None:
    assert verdict(url, "#user_password", texts={"h1": MISSING_TEXTS[0]}) is Verdict.SESSION_LOST


def test_a_page_that_wants_a_one_time_code_says_nothing_of_the_order() -> None:
    code_field = "input[autocomplete='one-time-code']"

    assert verdict(ORDER, code_field, texts={"h1": MISSING_TEXTS[0]}) is Verdict.SECOND_FACTOR


@pytest.mark.parametrize(("area", "text"), list(product(ERROR_AREAS, MISSING_TEXTS)))
def test_a_missing_order_stays_at_its_address(area: str, text: str) -> None:
    assert verdict(ORDER, texts={area: f"Sorry. {text}."}) is Verdict.NOT_FOUND


@pytest.mark.parametrize(("area", "text"), list(product(ERROR_AREAS, FORBIDDEN_TEXTS)))
def test_an_order_of_others_is_forbidden(area: str, text: str) -> None:
    assert verdict(ORDER, texts={area: text}) is Verdict.FORBIDDEN
    assert verdict(f"{TENANT}/user/home", texts={area: text}) is Verdict.FORBIDDEN


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (401, Verdict.SESSION_LOST),
        (403, Verdict.FORBIDDEN),
        (404, Verdict.NOT_FOUND),
        (429, Verdict.BUSY),
        (500, Verdict.PORTAL_ERROR),
        (502, Verdict.PORTAL_ERROR),
        (503, Verdict.BUSY),
    ],
)
def test_a_status_tells_it_alone(status: int, expected: Verdict) -> None:
    assert verdict(ORDER, status=status) is expected


@pytest.mark.parametrize(
    "path",
    [
        "/order_headers",
        "/order_headers/",
        "/order_headers?page=2",
        "/order_headers/4500012345",
        "/order_headers/4500012345?tab=history",
        "/dashboard",
        "/user/dashboard",
        "/home",
        "/user/home",
    ],
)
def test_a_page_of_somebody_who_is_logged_in_is_ready(path: str) -> None:
    assert verdict(TENANT + path) is Verdict.READY


@pytest.mark.parametrize("text", MISSING_TEXTS + FORBIDDEN_TEXTS)
def test_the_same_words_in_an_orders_comments_mean_nothing(text: str) -> None:
    assert verdict(ORDER, texts={"#comments": text, "body": text}) is Verdict.READY


@pytest.mark.parametrize("host", ["sso.coupahost.com", "login.coupahost.com", "auth.example.test"])
def test_a_tenant_may_be_called_anything(host: str) -> None:
    assert verdict(f"https://{host}/order_headers/4500012345") is Verdict.READY


def test_a_word_that_only_holds_the_letters_is_no_single_sign_on() -> None:
    assert verdict(f"{ORDER}?view=lessons") is Verdict.READY


def test_the_probe_is_the_list_of_orders_and_an_order_its_own_page() -> None:
    assert COUPA.site.probe == "/order_headers"
    assert COUPA.order_url(TENANT, "4500012345") == ORDER


def test_the_way_in_begins_at_the_start_page_and_then_takes_the_native_form() -> None:
    assert COUPA.login.start == "/"
    assert COUPA.login.ladder == (LoginStep.REVISIT, LoginStep.COOKIES, LoginStep.FORM, LoginStep.HUMAN)
    assert COUPA.login.form is not None
    assert "#user_email" in COUPA.login.form.user
    assert COUPA.login.form.password == "#user_password"


def test_attachments_are_looked_for_in_links_and_in_elements_that_hold_an_address() -> None:
    links = COUPA.attachments.links

    assert {"a[href*='attachment']", "a[href*='download']", "a[download]", "span[data-url]"} <= set(links)
    assert any("aria-label" in link for link in links)
    assert any("title" in link for link in links)
    assert COUPA.attachments.address_attributes == ("href", "data-url")


@pytest.mark.parametrize("cell", ["4500012345", "PO4500012345", "po 4500012345", "PM4500012345"])
def test_a_number_comes_with_and_without_its_prefix(cell: str) -> None:
    number = parse_number(cell, COUPA.numbers)

    assert isinstance(number, OrderNumber)
    assert number.portal_number == "4500012345"


def test_the_pack_fits_into_what_a_worker_is_told() -> None:
    options = PortalOptions(pack_json=COUPA.to_json(), base_url=TENANT)

    assert len(options.pack_json) < 65_536
