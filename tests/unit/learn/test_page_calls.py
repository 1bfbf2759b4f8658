"""Which calls of the shown pages a run may send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from poolwright.learn.actions.page_calls import AllowedCalls, allowed_calls, changes_something, naming_values
from poolwright.learn.examples import SeenPage
from poolwright.learn.observations import ObservedPage
from poolwright.learn.page_tree import PageTree

HOME = "https://portal.test"
RPC = r"^/rpc(?:\?|$)"


def page_with(*calls: tuple[str, dict[str, Any]], number: str = "4711") -> SeenPage:
    tables = [{"address": address, "body": body} for address, body in calls]
    page = ObservedPage.model_validate({"file": "x.html", "kind": "not_found", "number": number, "calls": tables})
    return SeenPage(page=page, tree=PageTree("<p>", f"{HOME}/{number}"))


def calls_of(*calls: tuple[str, dict[str, Any]]) -> AllowedCalls:
    return allowed_calls([page_with(*calls)], HOME)


def method(*names: str) -> tuple[str, dict[str, Any]]:
    return f"{HOME}/rpc", {"method": list(names)}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"method": "read", "params": {"password": "x", "ids": [1]}}, {"method": ("read",)}),
        ({"op": "a", "x": {"model": "b", "fn": "c"}}, {"op": ("a",), "x.model": ("b",), "x.fn": ("c",)}),
        ([{"method": "read"}, {"method": "count"}, {"method": "read"}], {"*.method": ("read", "count")}),
        ({"operationName": "Order", "query": "query Order { id }"}, {"operationName": ("Order",)}),
        ({"Query_Name": "list"}, {"Query_Name": ("list",)}),
        ({"method": 5, "action": "12", "op": "x" * 101}, {}),
        ({"user": "anna", "secret": "read"}, {}),
        ({"a.method": "read", "*": {"method": "read"}}, {}),
        ({"a": {"b": {"c": {"d": {"method": "near"}}}}}, {"a.b.c.d.method": ("near",)}),
        ({"a": {"b": {"c": {"d": {"e": {"method": "far"}}}}}}, {}),
    ],
)
def test_of_a_body_only_what_names_the_call_is_kept(body: object, named: dict[str, tuple[str, ...]]) -> None:
    assert naming_values("application/json", json.dumps(body).encode()) == named


def test_a_form_is_named_by_its_fields_and_an_unreadable_body_by_nothing() -> None:
    form = "application/x-www-form-urlencoded"

    assert naming_values(form, b"action=list&password=x&action=count") == {"action": ("list", "count")}
    assert naming_values("application/json", b"action=list") == {}
    assert len(naming_values(form, "&".join(f"action=a{n}x" for n in range(50)).encode())["action"]) == 20


def test_calls_of_one_address_are_told_by_their_bodies() -> None:
    found = calls_of(method("order.read"), method("files.list"), method("order.read"))

    assert found.posts == ({"address": RPC, "body": {"method": ("files.list", "order.read")}},)
    assert found.doubts == ()


def test_a_call_that_changes_something_stays_blocked_and_is_told() -> None:
    found = calls_of(method("order.read"), method("order.mark_seen"), method("tracker.beat"))

    assert found.posts == ({"address": RPC, "body": {"method": ("order.read", "tracker.beat")}},)
    assert found.doubts == (
        f"Calls that seem to change something stay blocked: order.mark_seen ({RPC}).",
        "It is not clear whether these calls only read; site.posts allows them: tracker.beat.",
    )


def test_one_list_of_calls_with_a_change_in_it_is_no_call_that_reads() -> None:
    found = allowed_calls([page_with((f"{HOME}/rpc", {"*.method": ["read", "unlink"]}))], HOME)

    assert found.posts == ()
    assert found.doubts == (f"Calls that seem to change something stay blocked: unlink ({RPC}).",)


def test_bodies_with_other_places_have_a_rule_each() -> None:
    found = calls_of(method("read"), (f"{HOME}/rpc", {"action": ["list"], "model": ["write"]}))

    assert found.posts == (
        {"address": RPC, "body": {"action": ("list",), "model": ("write",)}},
        {"address": RPC, "body": {"method": ("read",)}},
    )
    assert found.doubts == ()


def test_a_body_that_does_not_say_what_it_does_stays_blocked_beside_those_that_do() -> None:
    found = calls_of(method("read"), (f"{HOME}/rpc", {}))

    assert found.posts == ({"address": RPC, "body": {"method": ("read",)}},)
    assert found.doubts == (f"Some calls to {RPC} do not say what they do; they stay blocked.",)


def test_an_address_whose_bodies_say_nothing_is_allowed_with_a_word_unless_it_says_a_change() -> None:
    found = calls_of((f"{HOME}/orders/4711/list?x=1", {}), (f"{HOME}/orders/4711/markAsSeen", {}))

    assert found.posts == (r"^/orders/[^/?]+/list(?:\?|$)",)
    assert [doubt.split(",")[0] for doubt in found.doubts] == [
        r"Pages send calls to ^/orders/[^/?]+/list(?:\?|$)",
        r"Pages send calls to ^/orders/[^/?]+/markAsSeen(?:\?|$)",
    ]
    assert found.doubts[0].endswith("Check that they change nothing.")
    assert found.doubts[1].endswith("they stay blocked.")


def test_what_goes_to_other_hosts_is_never_sent() -> None:
    assert calls_of(("https://tracker.test/rpc", {"method": ["read"]})) == AllowedCalls()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("read", False),
        ("model.purchase.order.search_read", False),
        ("res.users.write", True),
        ("getOrder", False),
        ("updateOrder", True),
        ("UpdateOrder", True),
        ("HTMLUpdate", True),
        ("order/mark-seen", True),
        ("post.read", False),
        ("Orders:delete", True),
        ("settings", False),
        ("read_or_write", True),
        ("/orders/save/", True),
        ("", False),
    ],
)
def test_the_last_part_of_a_name_says_whether_it_changes_something(name: str, *, changes: bool) -> None:
    assert changes_something(name) is changes
