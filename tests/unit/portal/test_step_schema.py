"""What the author of a pack is told about steps, further pages, sources and a search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from poolwright.portal.pack import PackError, parse_json, parse_toml
from poolwright.portal.step_schema import StepAction
from tests.unit.portal.authoring import written

BASE = "https://portal.test/app"


def problems_of(changes: Mapping[str, Any]) -> list[str]:
    """What is wrong with a pack."""
    with pytest.raises(PackError) as caught:
        parse_toml(written(changes), "acme.toml")
    return list(caught.value.problems)


def step(**keys: object) -> dict[str, Any]:
    """A pack with one step."""
    return {"attachments.open": [keys]}


def find(**keys: object) -> dict[str, Any]:
    """A pack with a search."""
    return {"site.find": {"page": "/search?q={number}", "links": ["a.hit"], **keys}}


def source(**keys: object) -> dict[str, Any]:
    """A pack with a further source."""
    return {"sources": [{"name": "requisition", **keys}]}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        (step(), "attachments.open.0: a step has exactly one of goto, click, fill, press, wait_for, expand"),
        (step(click="#a", goto="/b"), "attachments.open.0: a step has exactly one of"),
        (step(click=" "), "attachments.open.0.click: an empty selector matches nothing"),
        (step(click="#a", value="x"), "attachments.open.0: value is for fill, not for click"),
        (step(click="#a", on="#b"), "attachments.open.0: on is for press, not for click"),
        (
            step(goto="/a", text=["b"]),
            "attachments.open.0: text is for click and fill and wait_for and expand, not for goto",
        ),
        (step(expand="#a", repeat=True), "attachments.open.0: repeat is for click, not for expand"),
        (step(wait_for="#a", max=2), "attachments.open.0: max is for click and expand, not for wait_for"),
        (step(press="Enter", if_present=True), "attachments.open.0: if_present is for click and fill and wait_for"),
        (step(click="#a", until_text=["b"]), "attachments.open.0: until_text needs until"),
        (step(click="#a", repeat=True, max=501), "attachments.open.0.max: it must be less than or equal to 500"),
        (step(click="#a", pause=1), "attachments.open.0.pause: it is not a key of [attachments.open.0]"),
        ({"attachments.next": {}}, "attachments.next: it needs click or scroll, and not both"),
        ({"attachments.next": {"click": "#a", "scroll": "#b"}}, "attachments.next: it needs click or scroll"),
        ({"attachments.next": {"scroll": "#b", "text": ["c"]}}, "attachments.next: text is for click"),
        (
            {"attachments.next": {"click": "#a", "max": 0}},
            "attachments.next.max: it must be greater than or equal",
        ),
        ({"attachments.file": {}}, "attachments.file: it needs follow or click, and not both"),
        ({"attachments.file": {"follow": "a", "click": "b"}}, "attachments.file: it needs follow or click"),
        (find(page="/search"), "site.find: page or one of its steps must contain {number}"),
        (find(text=["Order"]), "site.find: each text must contain {number}: else it finds an order of another number"),
        (find(links=[]), "site.find.links: Tuple should have at least 1 item"),
        (source(), "sources.0: it needs follow or address, and not both"),
        (source(follow="a", address="/{number}"), "sources.0: it needs follow or address, and not both"),
        (source(address="/files"), "sources.0: address must contain {number}"),
        (source(address="/{number}", text=["a"]), "sources.0: text is for follow"),
        (source(follow="a", when="never"), "sources.0.when: it must be 'always', 'none' or 'no-pdf'"),
        (source(follow="a", name="Über"), "sources.0.name: 'Über' must be lower-case letters, digits, spaces, - and _"),
        (source(follow="a", attachments={}), "sources.0.attachments: it has neither links nor clicks"),
        (
            {**source(follow="a"), "fields.requisition": {"selector": ["#r"]}},
            "sources: the name 'requisition' is used twice, by another source or by a field",
        ),
    ],
)
def test_a_mistake_is_one_problem_with_its_place(changes: Mapping[str, Any], problem: str) -> None:
    [told] = problems_of(changes)

    assert told.startswith(problem)


def test_a_step_knows_what_it_does() -> None:
    pack = parse_toml(
        written(
            {"attachments.open": [{"goto": "/a"}, {"click": "#a"}, {"fill": "#b", "value": "c"}, {"press": "Enter"}]}
        ),
        "acme.toml",
    )

    steps = [(one.action, one.target) for one in pack.attachments.open]
    assert steps == [
        (StepAction.GOTO, "/a"),
        (StepAction.CLICK, "#a"),
        (StepAction.FILL, "#b"),
        (StepAction.PRESS, "Enter"),
    ]
    assert parse_json(pack.to_json()) == pack


def test_the_page_of_an_order_that_is_searched_needs_no_number_in_its_address() -> None:
    pack = parse_toml(written({**find(), "site.order": "/po/"}), "acme.toml")

    assert pack.site.find is not None
    rules = pack.site.find.list_rules
    assert (rules.links, rules.address_attributes) == (("a.hit",), ("href",))
    [problem] = problems_of({"site.order": "/po/"})
    assert problem.startswith("site: order must contain {number}")


def test_the_rules_of_another_page_are_those_of_an_order_there() -> None:
    pack = parse_toml(written({**source(follow="a"), **find()}), "acme.toml")

    other = pack.page_at("/req/77?tab=files")

    assert other.order_url(BASE, "123") == f"{BASE}/req/77?tab=files"
    assert other.is_order_page(BASE, "123", f"{BASE}/req/77/list")
    assert not other.is_order_page(BASE, "123", f"{BASE}/req/78")
    assert not other.is_order_page(BASE, "123", f"{BASE}/po/123")
    assert (other.site.find, other.sources) == (None, ())
    assert other.attachments == pack.attachments
    assert other.triage == pack.triage


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (f"{BASE}/po/1?a=b#c", "/po/1?a=b#c"),
        (BASE, "/"),
        ("https://portal.test:443/app/po", "/po"),
        ("https://portal.test/apple", None),
        ("https://portal.test/po", None),
        ("https://elsewhere.test/app/po", None),
        ("http://portal.test/app/po", None),
        ("javascript:go()", None),
        ("", None),
    ],
)
def test_an_address_below_that_of_the_portal_is_a_path(url: str, path: str | None) -> None:
    assert parse_toml(written(), "acme.toml").path_below(BASE, url) == path


@pytest.mark.parametrize(
    ("changes", "notice"),
    [
        ({"attachments.next": {"scroll": "#list"}}, "no sign of the end of a list that is scrolled"),
        (find(), "no sign of a search without results"),
    ],
)
def test_a_missing_sign_is_pointed_out(changes: Mapping[str, Any], notice: str) -> None:
    signs = {
        "attachments.empty": {"selector": ["#none"]},
        "attachments.next": {"scroll": "#list", "until": "#end"},
        **find(settled=["#found"]),
    }

    assert parse_toml(written(signs), "acme.toml").notices == ()
    [told] = parse_toml(written({**signs, **changes}), "acme.toml").notices
    assert notice in told
