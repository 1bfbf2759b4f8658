"""A visit to an order's page: the way there counts too, and no lost session ever says "not found"."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.portal.pack import Pack, load, shipped_names
from poolwright.portal.page_facts import PageFacts
from poolwright.portal.triage import DEMANDS, ORDER, Verdict, classify_visit, marks_of
from tests.support.pace import UNHURRIED

BASE = "https://acme.portal.test"
NUMBER = "123456"
ORDER_URL = f"{BASE}/order_headers/{NUMBER}"
ELSEWHERE = "https://id.example.test/start"

#: What says that nobody is logged in, by pack: addresses, and what such a page may show. Every pack must stand here.
LOGINS = {
    "coupa": ["/sessions/new", "/login?next=/order_headers/123456", "/sessions/sso_redirect", "/auth/saml"],
    "demo": ["/sessions/new", "/sessions/new?return_to=%2Forder_headers%2F123456"],
}
FORMS = {"coupa": "#user_password", "demo": "#login_form"}
PACKS = {name: load(name) for name in shipped_names()}
MISSING = "Oops! We couldn't find what you wanted"

each_pack = pytest.mark.parametrize("name", PACKS)


def visit(pack: Pack, *passed: str, url: str = ORDER_URL, status: int = 200, text: str = "") -> Verdict:
    """The verdict on a visit to the order, in few words."""
    facts = PageFacts(url=url, status=status, passed=passed, texts={"div.flash_error": text})
    return classify_visit(pack, BASE, facts, portal_number=NUMBER)


@st.composite
def shown(draw: st.DrawFn, pack: Pack, url: str, passed: tuple[str, ...], form: str = "") -> PageFacts:
    """Whatever a page at this address could show: any element, text and status that the pack knows."""
    marks = [found for verdict in ORDER for found in marks_of(pack.triage, verdict)]
    selectors = sorted({selector for one in marks for selector in one.selector})
    places = sorted({place for one in marks for place in one.within})
    texts = st.sampled_from([*sorted({text for one in marks for text in one.text}), "Please log in", ""])
    return PageFacts(
        url=url,
        status=draw(st.sampled_from([0, 200, 302, 401, 403, 404, 410, 429, 500, 503])),
        passed=passed,
        present=draw(st.sets(st.sampled_from(selectors))) | ({form} if form else set[str]()),
        texts=draw(st.dictionaries(st.sampled_from(places), texts)),
    )


@each_pack
@UNHURRIED
@given(data=st.data())
def test_no_visit_with_a_lost_session_ever_says_not_found(name: str, data: st.DataObject) -> None:
    """Whatever else is on the page: the law that the whole list depends on."""
    pack = PACKS[name]
    login = BASE + data.draw(st.sampled_from(LOGINS[name]))
    stops = st.sampled_from([ORDER_URL, f"{BASE}/", f"{BASE}/dashboard", f"{BASE}/nowhere"])
    ways = {
        "ended at the login page": (login, [ORDER_URL], ""),
        "shows the login form": (data.draw(stops), [ORDER_URL], FORMS[name]),
        "came by the login page": (data.draw(stops), [ORDER_URL, login, data.draw(stops)], ""),
        "came by an identity provider": (data.draw(stops), [ORDER_URL, ELSEWHERE], ""),
        "ended at an identity provider": (ELSEWHERE, [ORDER_URL], ""),
    }
    url, passed, form = ways[data.draw(st.sampled_from(sorted(ways)))]

    verdict = classify_visit(pack, BASE, data.draw(shown(pack, url, tuple(passed), form)), portal_number=NUMBER)

    assert verdict not in {Verdict.NOT_FOUND, Verdict.FORBIDDEN, Verdict.UNKNOWN}


@each_pack
def test_the_trap_page_is_a_lost_session_and_its_opposite_is_a_missing_order(name: str) -> None:
    login = BASE + LOGINS[name][0]

    assert visit(PACKS[name], ORDER_URL, url=login, text=MISSING) is Verdict.SESSION_LOST
    assert visit(PACKS[name], ORDER_URL, text=f"{MISSING}. Please log in, or sign in again.") is Verdict.NOT_FOUND


@each_pack
def test_a_login_that_renewed_itself_on_the_way_to_the_order_is_none_to_complain_of(name: str) -> None:
    pack = PACKS[name]
    facts = PageFacts(
        url=ORDER_URL, status=200, passed=(ORDER_URL, BASE + LOGINS[name][0]), present={"#order_header_show"}
    )

    assert classify_visit(pack, BASE, facts, portal_number=NUMBER) is Verdict.RENEWED
    assert classify_visit(pack, BASE, replace(facts, passed=(ORDER_URL,)), portal_number=NUMBER) is Verdict.READY


@each_pack
@pytest.mark.parametrize("status", [403, 404])
def test_a_no_at_the_end_of_a_login_is_not_believed(name: str, status: int) -> None:
    pack = PACKS[name]

    assert visit(pack, ORDER_URL, ELSEWHERE, status=status) is Verdict.SESSION_LOST
    assert visit(pack, ORDER_URL, status=status) is not Verdict.SESSION_LOST


@each_pack
def test_an_order_that_ends_at_the_start_page_is_unknown_unless_a_login_lay_between(name: str) -> None:
    pack, start = PACKS[name], f"{BASE}/dashboard"

    assert visit(pack, ORDER_URL, url=start) is Verdict.UNKNOWN
    assert visit(pack, ORDER_URL, BASE + LOGINS[name][0], url=start) is Verdict.SESSION_LOST
    assert classify_visit(pack, BASE, PageFacts(url=start, status=200)) is Verdict.READY


@each_pack
@pytest.mark.parametrize(("status", "verdict"), [(503, Verdict.BUSY), (500, Verdict.PORTAL_ERROR)])
def test_a_portal_that_is_ill_at_the_end_of_a_login_is_ill(name: str, status: int, verdict: Verdict) -> None:
    assert visit(PACKS[name], ORDER_URL, BASE + LOGINS[name][0], status=status) is verdict


@each_pack
def test_a_page_of_another_host_is_a_lost_session(name: str) -> None:
    assert visit(PACKS[name], ORDER_URL, url=f"https://id.example.test/order_headers/{NUMBER}") is Verdict.SESSION_LOST


def test_what_a_portal_asks_for_is_told_in_words() -> None:
    assert set(DEMANDS) == {Verdict.SESSION_LOST, Verdict.SECOND_FACTOR, Verdict.CONSENT}
    assert len(set(DEMANDS.values())) == len(DEMANDS)
