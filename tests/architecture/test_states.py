"""A state is that of a machine: nobody tells one in a word of his own, and each event has one who fires it.

Nothing is changed for the whole process.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from enum import Enum

import pytest

from poolwright.domain.states import PoolEvent, ProfileEvent, SessionEvent, TabEvent, TaskEvent, WorkerEvent
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


#: Who fires which events: each event of each machine has one module, and every event has one.
OWNERS: dict[str, dict[str, str]] = {
    "supervisor/controller": {"PoolEvent": "STAFF WORK REST PAUSE RESUME SHUT_DOWN CLOSE"},
    "supervisor/processes/generation": {"WorkerEvent": "REPORT_READY ASSIGN FREE STOP EXIT LOSE RECYCLE"},
    "supervisor/processes/worker": {"WorkerEvent": "RESTART GIVE_UP"},
    "worker/login/session_login": {"SessionEvent": "AUTHENTICATE BREAK RECOVER RECOVERED"},
    "worker/session": {"SessionEvent": "USE CLOSE CLOSED"},
    "worker/tab": {"TabEvent": "OPENED LOADED DONE BREAK GIVE_UP CLOSE CLOSED"},
    "profile/profile": {"ProfileEvent": "CLONED TAKE RELEASE RETIRE REMOVED SPOIL FAIL"},
    "journal/task_rules": {"TaskEvent": "ASSIGN START FINISH GIVE_BACK CANCEL REDO"},
}
EVENTS: dict[str, type[Enum]] = {
    kind.__name__: kind for kind in (PoolEvent, WorkerEvent, SessionEvent, TabEvent, ProfileEvent, TaskEvent)
}
#: The tables themselves.
TABLES = "domain/states"


def events_named(tree: ast.Module) -> set[tuple[str, str]]:
    """The events of machines that a module names, each with its kind; ``*`` where it takes a whole kind."""
    members = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)]
    named = {(node.value.id, node.attr) for node in members if isinstance(node.value, ast.Name)}
    within = {id(node.value) for node in members}
    # In an annotation a kind is no event; anywhere else somebody goes through all of its events, or looks one up.
    hints = {id(part) for hint in _annotations(tree) for part in ast.walk(hint)}
    bare = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in within | hints]
    return {(kind, name) for kind, name in named | {(node.id, "*") for node in bare} if kind in EVENTS}


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            yield node.annotation
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns is not None:
            yield node.returns


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("machine.fire(WorkerEvent.LOSE, cause='x')", {("WorkerEvent", "LOSE")}),
        (
            "for event in (TabEvent.BREAK, TabEvent.CLOSE): machine.fire(event)",
            {("TabEvent", "BREAK"), ("TabEvent", "CLOSE")},
        ),
        ("for event in PoolEvent: machine.fire(event)", {("PoolEvent", "*")}),
        ("machine.fire(PoolEvent['CLOSE'])", {("PoolEvent", "*")}),
        (
            "def move(event: WorkerEvent) -> PoolEvent: self.machine: Machine[PoolEvent] = machine",
            set[tuple[str, str]](),
        ),
    ],
)
def test_what_a_module_fires_is_found(text: str, events: set[tuple[str, str]]) -> None:
    assert events_named(ast.parse(text)) == events


def test_every_event_has_the_one_owner_that_its_table_names() -> None:
    package = (ROOT / "app" / "poolwright").relative_to(ROOT)
    found = {
        source.relative_to(package).with_suffix("").as_posix(): events_named(
            ast.parse((ROOT / source).read_text(encoding="utf-8"))
        )
        for source in SOURCES
    }
    wanted = {
        module: {(kind, event) for kind, events in owned.items() for event in events.split()}
        for module, owned in OWNERS.items()
    }

    assert {module: events for module, events in found.items() if events and module != TABLES} == wanted


def test_no_event_is_without_an_owner_or_has_two() -> None:
    owned = [(kind, event) for of in OWNERS.values() for kind, events in of.items() for event in events.split()]

    assert sorted(owned) == sorted((name, event.name) for name, kind in EVENTS.items() for event in kind)
