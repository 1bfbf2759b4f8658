"""Which packs may have their orders brought by HTTP, and where the list of an order is then."""

from __future__ import annotations

import pytest

from poolwright.portal.errors import PackError
from poolwright.portal.pack import load, parse_json, parse_toml
from poolwright.portal.step_schema import Lane, LaneList, LaneRules
from tests.unit.portal.authoring import written

LIST = {"address": "/orders/{number}/files.json", "template": "/files/{id}", "items": "files", "name": "name"}
COUNT = {"selector": "#files", "attribute": "data-count"}


def test_a_tab_is_the_lane_of_a_pack_that_says_nothing() -> None:
    assert parse_toml(written(), "acme.toml").lane == LaneRules()
    assert {load(name).lane.kind for name in ("coupa", "demo")} == {Lane.TAB}


def test_a_word_is_enough_where_the_page_counts_its_files() -> None:
    pack = parse_toml(written({"lane": "http", "attachments.count": COUNT}), "acme.toml")

    assert pack.lane == LaneRules(kind=Lane.HTTP)
    assert parse_json(pack.to_json()) == pack, "a worker gets it so"


def test_a_list_in_an_answer_of_its_own_has_an_address_for_each_order() -> None:
    pack = parse_toml(written({"lane": {"kind": "http", "list": LIST}}), "acme.toml")

    assert pack.lane.list is not None
    assert pack.lane.list == LaneList(**LIST)
    assert pack.lane.list.url("https://acme.test", "4500") == "https://acme.test/orders/4500/files.json"
    assert parse_json(pack.to_json()) == pack


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({}, "lane.list must say where the list is, or attachments.count how many files the page has"),
        ({"attachments.count": COUNT, "attachments.archive": "unpack"}, "attachments.archive = unpack needs a tab"),
        ({"attachments.count": COUNT, "site.order": "/app#/po/{number}"}, "a route (#) in site.order needs a tab"),
        (
            {"attachments.count": COUNT, "triage.busy": {"response": [{"address": "^/rpc"}]}},
            "marks of triage by response or dialog need a tab",
        ),
        (
            {"attachments.count": COUNT, "triage.busy": {"status": [503], "not": [{"dialog": ["Wait"]}]}},
            "marks of triage by response or dialog need a tab",
        ),
        ({"attachments.count": COUNT, "attachments.next": {"click": ".next"}}, "open, next and file need a tab"),
        ({"attachments.count": COUNT, "attachments.file": {"follow": ".file"}}, "open, next and file need a tab"),
        ({"attachments.count": COUNT, "attachments.open": [{"click": ".more"}]}, "open, next and file need a tab"),
        (
            {
                "attachments.count": COUNT,
                "sources": [{"name": "more", "follow": "a.more", "attachments": {"links": ["a"]}}],
            },
            "further sources need a tab",
        ),
        (
            {"attachments.count": COUNT, "attachments.api": {"request": "^/files", "template": "/f/{id}"}},
            "lane.list must say where the list is",
        ),
    ],
)
def test_what_needs_a_page_that_acts_is_refused_with_its_cause(more: dict[str, object], problem: str) -> None:
    with pytest.raises(PackError) as refused:
        parse_toml(written({"lane": "http", **more}), "acme.toml")

    assert problem in str(refused.value)
    assert '"http" is for lists that come with the page or in one answer' in str(refused.value)


@pytest.mark.parametrize("wrong", ["fast", {"kind": "http", "list": {**LIST, "address": "files.json"}}])
def test_other_lanes_are_refused(wrong: object) -> None:
    with pytest.raises(PackError):
        parse_toml(written({"lane": wrong}), "acme.toml")
