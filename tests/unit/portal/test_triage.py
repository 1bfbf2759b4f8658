from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from poolwright.portal.pack import Pack, load, parse_toml, shipped_names
from poolwright.portal.page_facts import PageFacts, address_matches, leads_to, matches
from poolwright.portal.triage import REFUSALS, Verdict, classify_page, marks_of
from poolwright.portal.triage_marks import Marks, TriageMarks
from tests.support.pace import UNHURRIED
from tests.unit.portal.authoring import written

ORDER_URL = "https://portal.test/po/123"
MISSING = "Oops! We couldn't find what you wanted"

#: First to last, as design section 5 has it.
JUDGED_IN_ORDER = ["session_lost", "second_factor", "consent", "busy", "forbidden", "not_found", "ready"]

#: Each kind of page has an element of its own, a status of its own and an address of its own.
PACK = parse_toml(
    written(
        {
            f"triage.{kind}": {"selector": [f"#{kind}"], "status": [600 + number], "address": [f"/{kind}$"]}
            for number, kind in enumerate(JUDGED_IN_ORDER)
        }
    ),
    "acme.toml",
)
#: A login page that shows the text of a missing order, as expired sessions do.
TRAP = parse_toml(
    written(
        {
            "triage.session_lost": {"address": ["^/login"], "selector": ["#login_form"]},
            "triage.not_found": {"status": [404], "text": [MISSING], "within": ["h1", ".error"]},
        }
    ),
    "acme.toml",
)


def verdict(  # a page in few words
    pack: Pack, url: str = ORDER_URL, *present: str, status: int = 200, texts: dict[str, str] | None = None
) -> Verdict:
    return classify_page(pack.triage, PageFacts(url=url, status=status, present=present, texts=texts or {}))


@UNHURRIED
@given(kinds=st.sets(st.sampled_from(JUDGED_IN_ORDER), min_size=1))
def test_the_first_kind_in_the_order_wins_whatever_else_is_on_the_page(kinds: set[str]) -> None:
    first = min(kinds, key=JUDGED_IN_ORDER.index)

    assert verdict(PACK, ORDER_URL, *(f"#{kind}" for kind in kinds)) is Verdict(first)


@pytest.mark.parametrize("kind", JUDGED_IN_ORDER)
def test_one_mark_of_any_sort_is_enough(kind: str) -> None:
    number = JUDGED_IN_ORDER.index(kind)

    assert verdict(PACK, ORDER_URL, f"#{kind}") is Verdict(kind)
    assert verdict(PACK, f"https://portal.test/{kind}") is Verdict(kind)
    if kind != "ready":
        assert verdict(PACK, status=600 + number) is Verdict(kind)


def test_every_kind_has_its_marks_and_the_rest_has_none() -> None:
    found = {verdict: marks_of(PACK.triage, verdict) for verdict in Verdict}

    assert {kind.value for kind, marks in found.items() if marks} == set(JUDGED_IN_ORDER)
    assert found[Verdict.NOT_FOUND] is PACK.triage.not_found
    assert not marks_of(TRAP.triage, Verdict.SECOND_FACTOR)


@pytest.mark.parametrize("status", [429, 503])
def test_a_portal_is_busy_by_its_status_unless_the_pack_says_otherwise(status: int) -> None:
    assert verdict(TRAP, status=status) is Verdict.BUSY


@pytest.mark.parametrize("status", [500, 502, 504, 599])
def test_an_error_of_the_portal_that_no_mark_knows_is_told_as_one(status: int) -> None:
    assert verdict(TRAP, status=status) is Verdict.PORTAL_ERROR


@pytest.mark.parametrize("status", [0, 200, 204, 302, 400, 410, 418, 499])
def test_a_page_that_no_mark_knows_is_unknown(status: int) -> None:
    assert verdict(TRAP, status=status) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0, Verdict.READY),
        (200, Verdict.READY),
        (304, Verdict.READY),
        (400, Verdict.UNKNOWN),
        (410, Verdict.UNKNOWN),
        (500, Verdict.PORTAL_ERROR),
        (502, Verdict.PORTAL_ERROR),
    ],
)
def test_no_error_is_an_order_though_it_stands_at_the_orders_address(status: int, expected: Verdict) -> None:
    """Else an order whose page failed once would be filed as one without attachments."""
    pack = parse_toml(written({"triage.ready": {"address": ["^/po/"]}}), "acme.toml")

    assert verdict(pack, status=status) is expected


def test_a_login_page_with_the_text_of_a_missing_order_is_a_lost_session() -> None:
    text = {"h1": MISSING}

    assert verdict(TRAP, "https://portal.test/login?back=/po/123", texts=text) is Verdict.SESSION_LOST
    assert verdict(TRAP, ORDER_URL, "#login_form", texts=text) is Verdict.SESSION_LOST
    assert verdict(TRAP, "https://portal.test/login", status=404) is Verdict.SESSION_LOST


def test_a_missing_order_stays_at_its_address_without_a_form() -> None:
    assert verdict(TRAP, texts={"h1": MISSING}) is Verdict.NOT_FOUND
    assert verdict(TRAP, status=404) is Verdict.NOT_FOUND


@pytest.mark.parametrize(
    "shown",
    [
        MISSING,
        "Oops! We couldn\N{RIGHT SINGLE QUOTATION MARK}t find what you wanted",
        "OOPS! WE COULDN'T FIND WHAT YOU WANTED",
        "Sorry.  Oops!\n We couldn't\N{NO-BREAK SPACE}find what\tyou wanted. Go back",
    ],
)
def test_a_text_is_known_by_its_words(shown: str) -> None:
    assert verdict(TRAP, "https://portal.test/po/123", "#order", texts={".error": shown}) is Verdict.NOT_FOUND


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("Desculpe, não encontramos", "DESCULPE, NÃO ENCONTRAMOS"),
        ("Die Straße fehlt", "DIE STRASSE FEHLT"),
        ("L\N{RIGHT SINGLE QUOTATION MARK}ordine non esiste", "L'ordine non esiste"),
    ],
)
def test_a_text_is_compared_as_people_read_it_in_any_language(told: str, shown: str) -> None:
    marks = Marks(text=(told,), within=("h1",))

    assert matches(marks, PageFacts(url=ORDER_URL, texts={"h1": shown}))


@pytest.mark.parametrize("place", ["#comments", "body", "h2"])
def test_a_text_counts_only_in_its_places(place: str) -> None:
    assert verdict(TRAP, ORDER_URL, "#order", texts={place: MISSING}) is Verdict.READY


def test_other_words_in_the_right_place_are_no_mark() -> None:
    assert verdict(TRAP, ORDER_URL, "#order", texts={"h1": "We found what you wanted"}) is Verdict.READY


@pytest.mark.parametrize(
    ("url", "is_match"),
    [
        ("https://portal.test/login", True),
        ("https://portal.test/LOGIN/again", True),
        ("https://portal.test/x?next=/login", False),
        ("https://portal.test/x?expired=1", True),
        ("https://portal.test/x/expired=1", False),
        ("https://login.test/po/123", False),
        ("https://portal.test/po/123#/login", False),
        ("https://portal.test/po/123#/x?expired=1", False),
        ("https://portal.test/po/123?", False),
        ("https://portal.test", False),
        ("about:blank", False),
        ("", False),
    ],
)
def test_an_address_tells_by_path_and_query_alone(url: str, is_match: bool) -> None:
    assert address_matches([Marks(address=("^/login", r"\?expired=1$"))], url) is is_match


def test_a_fragment_belongs_to_an_address_only_where_it_is_a_route() -> None:
    assert not leads_to(["x$"], "https://portal.test/a#x")
    assert leads_to(["^/a#x$"], "https://portal.test/a#x", has_routes=True)
    assert leads_to([r"^/a\?b=1#x$"], "https://portal.test/a?b=1#x", has_routes=True)


@pytest.mark.parametrize("condition", ["all", "not"])
def test_an_address_alone_tells_nothing_where_a_condition_must_hold_too(condition: str) -> None:
    marks = Marks.model_validate({"address": ["^/login"], condition: [{"selector": ["#form"]}]})

    assert not address_matches([marks], "https://portal.test/login")
    assert address_matches([marks, Marks(address=("^/login",))], "https://portal.test/login")


def test_a_page_refuses_an_order_as_forbidden_or_not_found() -> None:
    assert set(REFUSALS) == {Verdict.FORBIDDEN, Verdict.NOT_FOUND}


def selectors_of(triage: TriageMarks) -> list[str]:
    kinds = [marks for verdict in Verdict for marks in marks_of(triage, verdict)]
    return sorted({selector for marks in kinds for selector in marks.selector})


def places_of(triage: TriageMarks) -> list[str]:
    kinds = [marks for verdict in Verdict for marks in marks_of(triage, verdict)]
    return sorted({place for marks in kinds for place in marks.within})


def texts_of(triage: TriageMarks) -> list[str]:
    kinds = [marks for verdict in Verdict for marks in marks_of(triage, verdict)]
    return sorted({text for marks in kinds for text in marks.text})


#: Addresses and forms that say that nobody is logged in, by pack.
LOST_ADDRESSES = {
    "coupa": ["/sessions/new", "/login", "/user/session_expired", "/sso/saml", "/auth/saml", "/?sso=1"],
    "demo": ["/sessions/new", "/sessions/new?return_to=%2Forder_headers%2F123456"],
}
LOST_FORMS = {"coupa": "#user_password", "demo": "#login_form"}
ANY_ADDRESS = ["/order_headers/123456", "/order_headers", "/dashboard", "/", "/two_factor/new", "/nowhere"]

#: The packs that come along, with a guard: a new one must say above how it loses its session.
PACKS = {name: load(name) for name in shipped_names()}
each_pack = pytest.mark.parametrize("name", PACKS)


@st.composite
def pages(draw: st.DrawFn, pack: Pack, addresses: list[str], selectors: list[str]) -> PageFacts:
    """Any page at one of the addresses, with any of the elements, any status and any known text anywhere."""
    triage = pack.triage
    known_texts = st.sampled_from([*texts_of(triage), "Welcome", ""])
    return PageFacts(
        url="https://acme.portal.test" + draw(st.sampled_from(addresses)),
        status=draw(st.sampled_from([0, 200, 401, 403, 404, 429, 500, 503])),
        present=draw(st.sets(st.sampled_from(selectors))) if selectors else (),
        texts=draw(st.dictionaries(st.sampled_from(places_of(triage)), known_texts)),
    )


@each_pack
@UNHURRIED
@given(data=st.data())
def test_a_lost_session_is_never_judged_anything_else_by_its_address(name: str, data: st.DataObject) -> None:
    pack = PACKS[name]

    facts = data.draw(pages(pack, LOST_ADDRESSES[name], selectors_of(pack.triage)))

    assert classify_page(pack.triage, facts) is Verdict.SESSION_LOST


@each_pack
@UNHURRIED
@given(data=st.data())
def test_a_lost_session_is_never_judged_anything_else_by_its_form(name: str, data: st.DataObject) -> None:
    pack = PACKS[name]

    facts = data.draw(pages(pack, ANY_ADDRESS + LOST_ADDRESSES[name], selectors_of(pack.triage)))
    with_form = PageFacts(
        url=facts.url, status=facts.status, present={*facts.present, LOST_FORMS[name]}, texts=facts.texts
    )

    assert classify_page(pack.triage, with_form) is Verdict.SESSION_LOST


@each_pack
@UNHURRIED
@given(data=st.data())
def test_no_other_page_is_taken_for_a_lost_session(name: str, data: st.DataObject) -> None:
    pack = PACKS[name]
    (lost,) = pack.triage.session_lost
    others = [one for one in selectors_of(pack.triage) if one not in lost.selector]

    facts = data.draw(pages(pack, ANY_ADDRESS, others))
    assume(facts.status not in {*lost.status, 401})

    assert classify_page(pack.triage, facts) is not Verdict.SESSION_LOST


def test_a_page_of_which_only_the_address_is_known_had_no_answer() -> None:
    facts = PageFacts(url=ORDER_URL)

    assert (facts.status, facts.passed, facts.present, facts.texts) == (0, (), (), {})
    assert not facts.has_routes


def test_a_sentence_may_be_spread_over_the_places_in_their_order() -> None:
    marks = Marks(text=("not found",), within=("h1", "h2"))

    assert matches(marks, PageFacts(url=ORDER_URL, texts={"h2": "found", "h1": "Not"}))
    assert not matches(marks, PageFacts(url=ORDER_URL, texts={"h1": "found", "h2": "not"}))


def test_a_place_that_is_not_there_says_nothing() -> None:
    assert not matches(Marks(text=("x",), within=("h1", "h2")), PageFacts(url=ORDER_URL, texts={"h3": "x"}))
