"""An author of a pack is told where a mistake is, what is allowed there, and what was probably meant."""

from __future__ import annotations

from typing import Any

import pytest

from poolwright.portal.errors import PackError, PackProblem
from poolwright.portal.pack import Pack, parse_toml
from poolwright.portal.pack_problems import allowed_keys, tables_with
from tests.unit.portal.authoring import FORM, written


def finding(changes: dict[str, Any]) -> PackProblem:
    """The one problem of the small pack with changes."""
    with pytest.raises(PackError) as caught:
        parse_toml(written(changes), "acme.toml")
    (problem,) = caught.value.findings
    return problem


def test_an_unknown_key_is_told_with_the_keys_of_its_table_and_the_nearest_one() -> None:
    problem = finding({"site.prob": "/x"})

    assert problem.key == "site.prob"
    assert problem.text == (
        "it is not a key of [site]; allowed are base_url, order, orders, probe, hosts, posts, other_hosts, skip, "
        "skip_hosts, find; did you mean probe?"
    )
    assert written({"site.prob": "/x"}).splitlines()[problem.line - 1 if problem.line else 0] == 'prob = "/x"'
    assert problem.column == 1


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"triage.ready.selectors": ["#a"]}, "did you mean selector?"),
        ({"attachments.address-attributes": ["href"]}, "did you mean address_attributes?"),
        ({"fields.total": {"selector": ["#t"], "patern": "x"}}, "did you mean pattern?"),
        ({"login.form": FORM | {"pasword": "#p"}}, "did you mean password?"),
        ({"attachments.count": {"selector": "b", "atribute": "x"}}, "did you mean attribute?"),
        ({"quiet_ms": 700}, "quiet_ms is a key of [limits]"),
        ({"site.ladder": ["form"]}, "ladder is a key of [login]"),
        ({"attachments.pattern": "x"}, "pattern is a key of [numbers] and [attachments.address]"),
        ({"login.ladder": ["revisit", "cookie"]}, "did you mean 'cookies'?"),
        ({"attachments.names": ["Title"]}, "did you mean 'title'?"),
        ({"attachments.links": "a.file"}, 'it must be a list in square brackets, such as ["..."]'),
        ({"triage.ready": "#order"}, "it must be a table, such as [[triage.ready]]"),
        ({"attachments.names": "title"}, 'it must be a list in square brackets, such as ["..."]'),
        ({"attachments.names": [{"atribute": "x"}]}, "did you mean attribute?"),
        ({"attachments.names": [{}]}, "it needs closest, selector, attribute or pattern"),
        ({"attachments.address": {"patern": "(.)", "template": "/{0}"}}, "did you mean pattern?"),
        ({"attachments.only": {"where": [{"selector": "a", "patern": "x"}]}}, "did you mean pattern?"),
        ({"triage.ready": [{"selector": ["#a"]}, {"selectors": ["#b"]}]}, "did you mean selector?"),
        ({"triage.ready": {"selector": ["#a"], "all": [{"selectors": ["#b"]}]}}, "did you mean selector?"),
        ({"triage.ready": {"selector": ["#a"], "not": "#b"}}, "it must be a table, such as [[triage.ready.not]]"),
        ({"title": 7}, "it must be a text in quotation marks"),
    ],
)
def test_what_was_probably_meant_is_told(changes: dict[str, Any], hint: str) -> None:
    assert finding(changes).text.endswith(hint)


def test_a_key_without_likeness_has_no_hint() -> None:
    assert "did you mean" not in finding({"site.zzzz": 1}).text


def test_an_entry_of_a_list_has_its_own_place() -> None:
    text = 'schema = 1\nattachments.links = ["a",\n  ""]\n'

    with pytest.raises(PackError) as caught:
        parse_toml(text, "acme.toml")

    (empty,) = [problem for problem in caught.value.findings if problem.key == "attachments.links.1"]
    assert (empty.line, empty.column) == (3, 3)


def test_a_whole_table_that_is_missing_is_told_at_the_top() -> None:
    with pytest.raises(PackError) as caught:
        parse_toml("", "acme.toml")

    assert {(problem.line, problem.column) for problem in caught.value.findings} == {(1, 1)}
    assert "site: it is missing (line 1, column 1)" in caught.value.problems


def test_every_table_of_a_pack_knows_its_keys() -> None:
    assert allowed_keys(Pack, ("fields", "total")) == ("selector", "attribute", "pattern", "many")
    assert allowed_keys(Pack, ("triage", "second_factor"))[:2] == ("address", "status")
    assert allowed_keys(Pack, ("none", "such")) == ()
    assert tables_with(Pack, "logout") == ("login",)
