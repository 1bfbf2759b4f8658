"""A state is that of a machine: nobody tells one in a word of his own; and nothing is changed for the whole process."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.support.paths import ROOT

SOURCES = sorted(path.relative_to(ROOT) for path in (ROOT / "app").rglob("*.py"))


def words_of_states(tree: ast.Module) -> Iterator[int]:
    """Lines that hand a status on as a plain text, past every table."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for given in node.keywords:
                word = given.value.value if isinstance(given.value, ast.Constant) else None
                if given.arg in {"status", "state"} and isinstance(word, str) and word.isupper():
                    yield node.lineno


def changes_for_all(tree: ast.Module) -> Iterator[int]:
    """Lines that change the warnings of every thread for a moment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in {"catch_warnings", "filterwarnings", "simplefilter"}:
                yield node.lineno


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("SessionView(status='ACTIVE', active_tabs={})", words_of_states),
        ("with warnings.catch_warnings(): pass", changes_for_all),
    ],
)
def test_what_breaks_a_rule_is_found(text: str, rule: Callable[[ast.Module], Iterator[int]]) -> None:
    assert list(rule(ast.parse(text))) == [1]


def test_no_state_is_a_word_and_no_warning_is_turned_off() -> None:
    found = [
        f"{source}:{line}"
        for source in SOURCES
        for rule in (words_of_states, changes_for_all)
        for line in rule(ast.parse((ROOT / source).read_text(encoding="utf-8")))
    ]

    assert found == []
