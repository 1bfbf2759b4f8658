"""Marks with conditions, several tables for one verdict, tables for one kind of page, and marks beside the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from poolwright.portal.pack import Pack, PackError, parse_json, parse_toml
from poolwright.portal.page_facts import PageAnswer, PageFacts
from poolwright.portal.triage import Verdict, classify_page, classify_visit
from poolwright.portal.triage_marks import Marks, MarkSet, PageKind, places_of, selectors_of
from tests.unit.portal.authoring import written

BASE = "https://portal.test"
ORDER_URL = f"{BASE}/po/123"
EXPIRED = {"address": "^/rpc", "field": "error.code", "values": [100]}


def pack_with(changes: Mapping[str, Any]) -> Pack:
    return parse_toml(written(changes), "acme.toml")


def judged(changes: Mapping[str, Any], url: str = ORDER_URL, **facts: Any) -> Verdict:  # noqa: ANN401 - facts by name
    return classify_page(pack_with(changes).triage, PageFacts(url=url, **facts))


def problem_of(changes: Mapping[str, Any]) -> str:
    with pytest.raises(PackError) as caught:
        pack_with(changes)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("present", "status", "expected"),
    [
        (["#order", "h1.refused"], 403, Verdict.FORBIDDEN),
        (["#order", "h1.refused"], 200, Verdict.READY),
        (["#order", "h1.refused", "a.login"], 403, Verdict.UNKNOWN),
        (["#order"], 403, Verdict.UNKNOWN),
    ],
)
def test_a_table_matches_only_with_all_of_its_conditions(present: list[str], status: int, expected: Verdict) -> None:
    forbidden = {"selector": ["h1.refused"], "all": [{"status": [403]}], "not": [{"selector": ["a.login"]}]}

    assert judged({"triage.forbidden": forbidden}, present=present, status=status) is expected


def test_a_table_may_have_nothing_but_tables_of_which_each_must_match() -> None:
    lost = {"all": [{"status": [403]}, {"selector": ["a.login"], "address": ["^/welcome"]}]}

    assert judged({"triage.session_lost": lost}, status=403, present=["a.login"]) is Verdict.SESSION_LOST
    assert judged({"triage.session_lost": lost}, f"{BASE}/welcome", status=403) is Verdict.SESSION_LOST
    assert judged({"triage.session_lost": lost}, status=403) is Verdict.FORBIDDEN
    assert judged({"triage.session_lost": lost}, present=["a.login", "#order"]) is Verdict.READY


def test_any_of_several_tables_of_a_verdict_is_enough() -> None:
    tables = [{"status": [410]}, {"selector": [".gone"], "not": [{"selector": [".back"]}]}]

    assert judged({"triage.not_found": tables}, status=410) is Verdict.NOT_FOUND
    assert judged({"triage.not_found": tables}, present=[".gone"]) is Verdict.NOT_FOUND
    assert judged({"triage.not_found": tables}, present=[".gone", ".back"]) is Verdict.UNKNOWN
    assert judged({"triage.not_found": tables}, status=404) is Verdict.UNKNOWN


def test_a_table_for_one_kind_of_page_judges_no_other() -> None:
    ready = [{"selector": ["#order"], "on": ["order"]}, {"selector": ["#user"], "on": ["probe"]}]

    for kind, present, expected in (
        (PageKind.ORDER, "#order", Verdict.READY),
        (PageKind.ORDER, "#user", Verdict.UNKNOWN),
        (PageKind.PROBE, "#user", Verdict.READY),
        (PageKind.PROBE, "#order", Verdict.UNKNOWN),
        (PageKind.FILE, "#order", Verdict.UNKNOWN),
    ):
        assert judged({"triage.ready": ready}, present=[present], kind=kind) is expected


def test_the_text_of_a_dialog_is_a_mark() -> None:
    changes = {"triage.session_lost": {"dialog": ["Sitzung abgelaufen", "session expired"]}}

    assert judged(changes, dialogs=["Your  SESSION expired."], present=["#order"]) is Verdict.SESSION_LOST
    assert judged(changes, dialogs=["Really leave?"], present=["#order"]) is Verdict.READY


@pytest.mark.parametrize(
    ("mark", "answer", "is_match"),
    [
        ({"address": "^/rpc"}, (200, None), True),
        ({"address": "^/rpc"}, (204, None), True),
        ({"address": "^/rpc"}, (299, None), True),
        ({"address": "^/rpc"}, (300, None), False),
        ({"address": "^/rpc"}, (199, None), False),
        ({"address": "^/rpc"}, (401, None), False),
        ({"address": "^/rpc"}, (302, None), False),
        ({"address": "^/api"}, (200, None), False),
        ({"address": "^/rpc", "status": [401]}, (401, None), True),
        ({"address": "^/rpc", "status": [401]}, (200, None), False),
        (EXPIRED, (200, {"error": {"code": 100}}), True),
        (EXPIRED, (200, {"error": {"code": "100"}}), True),
        (EXPIRED, (200, {"error": {"code": 200}}), False),
        (EXPIRED, (500, {"error": {"code": 100}}), False),
        (EXPIRED, (200, {"error": None}), False),
        (EXPIRED, (200, {"answer": {"code": 100}}), False),
        (EXPIRED, (200, [1]), False),
        (EXPIRED, (200, None), False),
        ({"address": "^/rpc", "field": "error"}, (200, {"error": {}}), True),
        ({"address": "^/rpc", "field": "error"}, (200, {"error": None}), False),
        ({"address": "^/rpc", "field": "error"}, (200, {"error": False}), False),
        ({"address": "^/rpc", "field": "error"}, (200, {}), False),
        ({"address": "^/rpc", "field": "ok", "values": [False]}, (200, {"ok": False}), True),
        ({"address": "^/rpc", "field": "ok", "values": [False]}, (200, {"ok": True}), False),
        ({"address": "^/rpc", "field": "1.name", "values": ["LOST"]}, (200, [{}, {"name": "lost"}]), True),
        ({"address": "^/rpc", "field": "1.name", "values": ["lost"]}, (200, [{"name": "lost"}]), False),
        ({"address": "^/rpc", "field": "0.name", "values": ["lost"]}, (200, [{}, {"name": "lost"}]), False),
        ({"address": "^/rpc", "field": "x.name", "values": ["lost"]}, (200, [{"name": "lost"}]), False),
        ({"address": "^/rpc", "field": "².name", "values": ["lost"]}, (200, [{}, {}, {"name": "lost"}]), False),
        ({"address": "^/rpc", "field": "*.name", "values": ["lost"]}, (200, [{}, {}, {"name": "lost"}]), True),
        ({"address": "^/rpc", "field": "*.name", "values": ["lost"]}, (200, {"a": {"name": "lost"}}), True),
    ],
)
def test_a_response_of_the_page_is_a_mark(mark: dict[str, Any], answer: tuple[int, object], *, is_match: bool) -> None:
    status, content = answer
    answers = [PageAnswer(url=f"{BASE}/rpc/session", status=status, content=content)]

    found = judged({"triage.session_lost": {"response": [mark]}}, answers=answers, present=["#order"])

    assert found is (Verdict.SESSION_LOST if is_match else Verdict.READY)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"triage.ready": {"not": [{"status": [404]}]}}, "triage.ready: it has no marks, so it would never match"),
        ({"triage.ready": {"selector": ["#a"], "all": [{}]}}, "triage.ready.all.0: it has no marks"),
        ({"triage.forbidden": []}, "triage.forbidden: it must hold at least one table"),
        ({"triage.forbidden": {"status": [403], "on": []}}, "triage.forbidden.on: it must hold at least one"),
        ({"triage.ready": {"selector": ["#a"], "on": ["order"]}}, "triage.ready: no table is for the kind of page 'pr"),
        (
            {"triage.session_lost": {"status": [401], "on": ["file", "probe"]}},
            "no table is for the kind of page 'order'",
        ),
        (
            {"triage.forbidden": [{"status": [403], "colour": 1}]},
            "triage.forbidden.0.colour: it is not a key of [triage.forbidden.0]",
        ),
        ({"triage.ready": {"response": [{"address": "a", "values": [1]}]}}, "values needs field"),
        (
            {"triage.ready": {"selector": ["#a"], "click": ["#b"]}},
            "triage.ready.click: it is not a key of [triage.ready]",
        ),
    ],
)
def test_what_can_never_match_is_told_at_its_place(changes: Mapping[str, Any], problem: str) -> None:
    assert problem in problem_of(changes)


def test_all_kinds_of_marks_reach_a_worker() -> None:
    pack = pack_with(
        {
            "triage.session_lost": [
                {"response": [EXPIRED], "not": [{"selector": ["#x"]}], "on": ["order", "file"]},
                {"dialog": ["expired"], "all": [{"status": [200]}]},
            ],
            "triage.consent": {"selector": ["#banner"], "click": ["#agree"]},
        }
    )

    assert parse_json(pack.to_json()) == pack


def test_elements_that_marks_speak_of_are_told_once_and_in_order() -> None:
    tables = [
        Marks(selector=("#b", "#a"), text=("x",), within=("h2", "h1")),
        Marks.model_validate(
            {
                "all": [{"selector": ["#c", "#a"]}],
                "not": [{"selector": ["#d"]}, {"text": ["y"], "within": ["h1", "h0"]}],
            }
        ),
        Marks(status=(404,)),
    ]

    assert selectors_of(tables) == ["#a", "#b", "#c", "#d"]
    assert places_of(tables) == ["h0", "h1", "h2"]
    assert selectors_of(()) == places_of(()) == []


def test_marks_are_on_the_page_itself_or_beside_it() -> None:
    visible = [MarkSet(selector=("#a",)), MarkSet(text=("x",), within=("h1",))]
    hidden = [
        MarkSet(address=("^/a",)),
        MarkSet(status=(404,)),
        MarkSet(dialog=("gone",)),
        MarkSet.model_validate({"response": [{"address": "^/rpc"}]}),
    ]

    assert all(marks.has_marks for marks in visible + hidden)
    assert [marks.has_visible_marks for marks in visible + hidden] == [True] * 2 + [False] * 4


HASHED = {"site": {"order": "/app#po/{number}", "probe": "/app#home"}, "triage.session_lost": {"address": ["#login"]}}


@pytest.mark.parametrize(
    ("url", "is_order"),
    [
        (f"{BASE}/app#po/123", True),
        (f"{BASE}/app#po/123/files", True),
        (f"{BASE}/app#po/123?tab=2", True),
        (f"{BASE}/app?x=1#po/123", True),
        (f"{BASE}/app#po%2F123", True),
        (f"{BASE}/app#po/1234", False),
        (f"{BASE}/app#po/124", False),
        (f"{BASE}/app#home", False),
        (f"{BASE}/app", False),
        (f"{BASE}/other#po/123", False),
        ("https://other.test/app#po/123", False),
    ],
)
def test_the_page_of_an_order_is_told_by_its_route(url: str, *, is_order: bool) -> None:
    assert pack_with(HASHED).is_order_page(BASE, "123", url) is is_order


def test_a_number_is_encoded_in_a_route_too() -> None:
    pack = pack_with(HASHED)

    assert pack.order_url(BASE, "a/1 2") == f"{BASE}/app#po/a%2F1%202"
    assert pack.is_order_page(BASE, "a/1 2", f"{BASE}/app#po/a/1%202")


def test_addresses_of_a_portal_with_routes_are_told_by_their_route() -> None:
    pack = pack_with(HASHED)

    def visited(route: str, *passed: str) -> Verdict:
        urls = [f"{BASE}/app#{one}" for one in passed]
        facts = PageFacts(url=f"{BASE}/app#{route}", passed=urls, present=["#order"])
        return classify_visit(pack, BASE, facts, portal_number="123")

    assert visited("login?back=po/123") is Verdict.SESSION_LOST
    assert visited("po/123") is Verdict.READY
    assert visited("po/123", "login", "po/123") is Verdict.RENEWED
    assert visited("po/124") is Verdict.UNKNOWN


def test_without_routes_in_the_pack_a_fragment_is_no_part_of_an_address() -> None:
    pack = pack_with({"triage.session_lost": {"address": ["login"]}})
    facts = PageFacts(url=f"{ORDER_URL}#login-hint", present=["#order"])

    assert classify_visit(pack, BASE, facts, portal_number="123") is Verdict.READY


@pytest.mark.parametrize(
    ("tables", "order", "source"),
    [
        ([{"selector": [".a"]}], Verdict.NOT_FOUND, Verdict.NOT_FOUND),
        ([{"selector": [".a"], "on": ["order"]}], Verdict.NOT_FOUND, Verdict.NOT_FOUND),
        ([{"selector": [".a"], "on": ["source"]}], Verdict.READY, Verdict.NOT_FOUND),
        ([{"selector": [".a"], "on": ["order", "source"]}], Verdict.NOT_FOUND, Verdict.NOT_FOUND),
        (
            [{"selector": [".a"], "on": ["order"]}, {"selector": [".b"], "on": ["source"]}],
            Verdict.NOT_FOUND,
            Verdict.READY,
        ),
        (
            [{"selector": [".a"], "on": ["order", "file"]}, {"selector": [".b"], "on": ["source"]}],
            Verdict.NOT_FOUND,
            Verdict.READY,
        ),
        ([{"selector": [".a"]}, {"selector": [".b"], "on": ["source"]}], Verdict.NOT_FOUND, Verdict.NOT_FOUND),
    ],
    ids=["every page", "orders", "sources", "both", "each its own", "its own beside that of two", "its own beside all"],
)
def test_a_source_is_judged_by_its_own_tables_or_by_those_of_orders(
    tables: list[dict[str, Any]], order: Verdict, source: Verdict
) -> None:
    pack = pack_with({"triage.not_found": tables})
    facts = PageFacts(url=ORDER_URL, present=["#order", ".a"], status=200)

    assert classify_page(pack.triage, facts) is order
    assert classify_page(pack.page_at("/req/1").triage, facts) is source


def test_the_probe_is_no_source() -> None:
    ready = [{"selector": ["#order"], "on": ["order"]}, {"selector": ["#user"], "on": ["probe"]}]
    own = {"selector": ["#requisition"], "on": ["source"]}
    marks = pack_with({"triage.ready": [*ready, own]}).page_at("/req/1").triage

    def is_ready(selector: str, kind: PageKind) -> bool:
        return classify_page(marks, PageFacts(url=ORDER_URL, present=[selector], kind=kind)) is Verdict.READY

    assert [is_ready(selector, PageKind.ORDER) for selector in ("#order", "#user", "#requisition")] == [
        False,
        False,
        True,
    ]
    assert [is_ready(selector, PageKind.PROBE) for selector in ("#order", "#user", "#requisition")] == [
        False,
        True,
        False,
    ]
