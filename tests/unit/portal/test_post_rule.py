"""Calls that a pack lists by their address and by values of their body."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from poolwright.portal.calls.post_rule import PostRule, placed_values

JSON, FORM = "application/json", "application/x-www-form-urlencoded"


def problem(body: object, places: object, kind: str = JSON) -> str:
    """What is wrong with a body; a text is sent as it is, anything else as JSON."""
    rule = PostRule.model_validate({"address": "^/rpc$", "body": places})
    return rule.problem_of(kind, body.encode() if isinstance(body, str) else json.dumps(body).encode())


READ = {"method": ["read", "search_read"]}


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({"method": "read"}, READ),
        ({"method": "search_read", "id": 1}, READ),
        ({"method": "read"}, {"method": "read"}),
        ({"params": {"args": [{"model": "order"}]}}, {"params.args.0.model": "order"}),
        ({"a": {"x": 1, "y": 1}}, {"a.*": 1}),
        ([{"method": "read"}, {"method": "search_read"}], {"*.method": ["read", "search_read"]}),
        ({"id": 7, "is_dry": True, "rate": 1.5, "size": 2.0}, {"id": 7, "is_dry": True, "rate": 1.5, "size": 2}),
        ({"id": "7"}, {"id": [6, 7]}),
        ({"is_dry": "true"}, {"is_dry": True}),
        ({"name": ""}, {"name": ""}),
        ([{"method": "read"}, {"method": "unlink"}], {"0.method": "read"}),
        ([[], [{"method": "read"}]], {"*.*.method": "read"}),
    ],
)
def test_a_body_with_the_values_matches(body: object, places: object) -> None:
    assert problem(body, places) == ""


@pytest.mark.parametrize(
    ("body", "places", "told"),
    [
        ({"method": "unlink"}, READ, "its body has method = 'unlink'"),
        ({"method": "Read"}, READ, "its body has method = 'Read'"),
        ({"method": "read", "model": "user"}, READ | {"model": "order"}, "its body has model = 'user'"),
        ({}, READ, "its body has no method"),
        ({"method": None}, READ, "its body has no method"),
        ({"method": ["read"]}, READ, "its body has no method"),
        ({"method": {"read": 1}}, READ, "its body has no method"),
        ("[]", READ, "its body has no method"),
        ('"read"', READ, "its body has no method"),
        ([], {"*.method": "read"}, "its body has no *.method"),
        ([{"method": "read"}], READ, "its body has no method"),
        ([{"method": "read"}, {"method": "unlink"}], {"*.method": "read"}, "its body has *.method = 'unlink'"),
        ([{"method": "read"}, {"call": "unlink"}], {"*.method": "read"}, "its body has no *.method"),
        ([{"method": "read"}, 1], {"*.method": "read"}, "its body has no *.method"),
        ([{"method": "read"}, {"method": "unlink"}], {"1.method": "read"}, "its body has 1.method = 'unlink'"),
        ([{"method": "read"}], {"1.method": "read"}, "its body has no 1.method"),
        ([{"method": "read"}], {"-1.method": "read"}, "its body has no -1.method"),
        ({"id": True}, {"id": 1}, "its body has id = 'true'"),
        ({"id": "x" * 100}, {"id": 1}, f"its body has id = '{'x' * 60}'"),
    ],
)
def test_any_other_value_is_told(body: object, places: object, told: str) -> None:
    assert problem(body, places) == told


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "it is neither a form nor JSON"),
        ("method=read", "it is neither a form nor JSON"),
        ('{"method": "unlink", "method": "read"}', "a key is in it twice"),
        ('{"x": {"a": 1, "a": 2}, "method": "read"}', "a key is in it twice"),
        ("[" * 100_000, "it is nested too deep"),
        ('{"method": "read", "id": ' + "9" * 5000 + "}", "it is neither a form nor JSON"),
    ],
)
def test_what_two_programs_could_read_in_two_ways_does_not_match(body: str, told: str) -> None:
    assert problem(body, READ) == f"its body cannot be read ({told})"


def test_a_body_in_another_encoding_or_in_parts_or_unknown_does_not_match() -> None:
    rule = PostRule.model_validate({"address": "^/rpc$", "body": READ})
    parts = b'--x\r\nContent-Disposition: form-data; name="method"\r\n\r\nread\r\n--x--\r\n'

    assert rule.problem_of(JSON, '{"method": "read"}'.encode("utf-16")) == "its body cannot be read (it is not UTF-8)"
    assert rule.problem_of(FORM, b"method=read&x=\xff") == "its body cannot be read (it is not UTF-8)"
    assert rule.problem_of("Multipart/form-data; boundary=x", parts) == "its body cannot be read (it has several parts)"
    assert rule.problem_of(JSON, None) == "its body cannot be read"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("method=read", ""),
        ("method=search%5Fread&x=%C3%A9&empty=", ""),
        ("method=read&method=search_read", ""),
        ("method=read&method=unlink", "its body has method = 'unlink'"),
        ("method=", "its body has method = ''"),
        ("methods=read", "its body has no method"),
        ("x=1;method=unlink&method=read", "its body cannot be read (it has a semicolon)"),
        ("method=read&x=%FF", "its body cannot be read (it is not UTF-8)"),
        ("&".join(["method=read"] * 2001), "its body cannot be read (it is neither a form nor JSON)"),
        ('{"method": "read"}', "its body has no method"),
    ],
)
def test_every_value_of_a_field_of_a_form_counts(body: str, told: str) -> None:
    assert problem(body, READ, "Application/X-WWW-form-urlencoded; charset=utf-8") == told


def test_the_place_of_a_form_is_the_whole_name_of_a_field() -> None:
    assert problem("data.method=read", {"data.method": "read"}, FORM) == ""
    assert problem("&".join(["method=read"] * 2000), READ, FORM) == ""


@pytest.mark.parametrize(
    ("places", "told"),
    [
        ({}, ", it must name at least one place, such as method "),
        ({" ": "read"}, ", it must name at least one place, such as method "),
        ({"method": []}, ", it must hold at least one value "),
        ({"method": None}, "valid tuple"),
    ],
)
def test_a_rule_that_would_match_nothing_or_anything_is_refused(places: object, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        PostRule.model_validate({"address": "^/rpc$", "body": places})


@pytest.mark.parametrize(("address", "told"), [(" ", ", an empty text is on every page "), ("(", "pattern|expression")])
def test_its_address_is_a_regular_expression(address: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        PostRule.model_validate({"address": address, "body": READ})


def test_a_rule_stays_as_it_was_read() -> None:
    rule = PostRule.model_validate({"address": "^/rpc$", "body": READ})

    with pytest.raises(ValidationError, match="frozen"):
        rule.address = "^/other$"


def test_every_single_value_has_the_place_by_which_a_rule_names_it() -> None:
    body = {"a": {"b": [1, {"c": None, "d": True}]}, "x.y": 1, "*": 1, "": 1, "e": "f"}

    assert placed_values(JSON, json.dumps(body).encode()) == [("a.b.0", "1"), ("a.b.1.d", "true"), ("e", "f")]
    assert placed_values(JSON, b'[{"a": 1}, {"a": 2}]') == [("*.a", "1"), ("*.a", "2")]
    assert placed_values(JSON, b'"x"') == [("", "x")]
    assert placed_values(FORM, b"a.b=1&a.b=") == [("a.b", "1"), ("a.b", "")]
    assert placed_values(JSON, b"a=1") == []
    deep = {"1": {"2": {"3": {"4": {"5": "near", "6": {"7": "far"}}}}}}
    assert placed_values(JSON, json.dumps(deep).encode()) == [("1.2.3.4.5", "near")]
