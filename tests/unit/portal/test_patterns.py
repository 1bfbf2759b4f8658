"""Patterns of packs meet texts that nobody chose; none of those may take long."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from poolwright.portal.pack import load, shipped_names
from poolwright.portal.patterns import PatternError, extract, groups, is_found, validate

#: Every pattern for a field that comes along.
SHIPPED = sorted({rule.pattern for name in shipped_names() for rule in load(name).fields.values() if rule.pattern})


@pytest.mark.parametrize("pattern", [*SHIPPED, r"^(\s+)+$", r"^\s*(.*?)\s*(?:\(\d+\))?\s*$", r"(a|aa)+$"])
@pytest.mark.parametrize("blank", [" ", "\u00a0", "\n", "a"])
def test_no_text_takes_long(pattern: str, blank: str) -> None:
    """Half a minute of one core, with the engine of ``re`` and a thousandth of this text."""
    begun = time.process_time()
    extract(pattern, "a" + blank * 50_000 + "b")
    is_found(pattern, "a" + blank * 50_000 + "b")
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("pattern", SHIPPED)
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Acme Ltd. (4711)", "Acme Ltd."),
        ("\n  Acme Ltd. \u00a0(4711) \n", "Acme Ltd."),
        ("Acme (UK) Ltd. (12)", "Acme (UK) Ltd."),
        ("Acme (UK)", "Acme (UK)"),
        ("Acme\nLtd.", "Acme\nLtd."),
        ("(4711)", ""),
        ("Größe\u3000Ω (1)", "Größe Ω"),
    ],
)
def test_the_number_behind_a_suppliers_name_is_cut_off(pattern: str, text: str, value: str) -> None:
    assert extract(pattern, text) == value


def test_the_first_group_is_the_value_and_all_of_it_where_there_is_none() -> None:
    assert extract(r"No\. (\d+)(x)?", "Order No. 17") == "17"
    assert extract(r"\d+", "Order No. 17") == "17"
    assert extract(r"(x)?17", "Order No. 17") == ""
    assert extract(r"\d+", "none") is None


def test_addresses_are_compared_without_case_and_line_by_line() -> None:
    assert is_found("^/LOGIN", "/login?next=/")
    assert not is_found("a.b", "a\nb")


def test_look_around_and_back_references_are_understood_too() -> None:
    assert is_found("(?<![a-z])sso(?![a-z])", "/saml-SSO?x=1")
    assert not is_found("(?<![a-z])sso(?![a-z])", "/lesson")
    assert extract(r"(\w)\1", "Hello") == "l"


#: With a text of this many letters, the engine for such patterns needs longer than anybody waits.
ENDLESS, ENDLESS_TEXT = r"^(?=a)(a|aa)+$", "a" * 4000 + "b"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("search", [extract, groups])
def test_what_such_a_pattern_does_not_find_in_time_is_not_found(search: Callable[[str, str], object]) -> None:
    begun = time.process_time()
    assert search(ENDLESS, ENDLESS_TEXT) is None
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "*"])
def test_what_no_engine_takes_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError, match="is not a valid regular expression: "):
        validate(pattern)
