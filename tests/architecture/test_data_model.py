"""The mission's data model is in the code by its own names: every entity, attribute, state and move."""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from typing import Any

import pytest

from poolwright.domain.state_machine import TransitionTable
from poolwright.domain.states import POOL, PROFILE, SESSION, TAB, WORKER
from poolwright.profile.profile import Profile
from poolwright.supervisor.pool import PersistentWorkerPool
from poolwright.supervisor.processes.worker import Worker
from poolwright.worker.session import BrowserSession
from poolwright.worker.tab import Tab


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One entity of the model, and the class that it is in code."""

    kind: type
    attributes: str
    #: Its paths through life, each from one state to the next.
    paths: tuple[str, ...]
    table: TransitionTable[Any, Any]


MODEL: dict[str, Entity] = {
    "PersistentWorkerPool": Entity(
        kind=PersistentWorkerPool,
        attributes=("worker_count headless_mode base_profile_path workers task_queue shutdown_event memory_threshold"),
        paths=("INITIALIZING READY PROCESSING SHUTTING_DOWN TERMINATED",),
        table=POOL,
    ),
    "Worker": Entity(
        kind=Worker,
        attributes="worker_id profile_path browser_session current_task status memory_usage processed_count",
        paths=("STARTING READY PROCESSING IDLE TERMINATING TERMINATED", "CRASHED RESTARTING READY"),
        table=WORKER,
    ),
    "BrowserSession": Entity(
        kind=BrowserSession,
        attributes="driver main_window_handle active_tabs session_cookies startup_time last_activity",
        paths=("INITIALIZING AUTHENTICATED ACTIVE CLOSING CLOSED", "ERROR RECOVERING ACTIVE"),
        table=SESSION,
    ),
    "Tab": Entity(
        kind=Tab,
        attributes="window_handle task_id creation_time po_number status",
        paths=("OPENING LOADING PROCESSING COMPLETED CLOSING CLOSED", "ERROR FAILED"),
        table=TAB,
    ),
    "Profile": Entity(
        kind=Profile,
        attributes="profile_id base_profile_path worker_profile_path clone_time corruption_detected",
        paths=("CLONING READY IN_USE CLEANUP REMOVED", "CORRUPTED FAILED"),
        table=PROFILE,
    ),
}


def attributes_of(kind: type) -> set[str]:
    """What an instance has: its properties, the fields of a dataclass, and what ``__init__`` gives it."""
    named = {name for name in dir(kind) if isinstance(inspect.getattr_static(kind, name), property)}
    declared = {field.name for field in fields(kind)} if is_dataclass(kind) else set[str]()
    given = {name for each in kind.__mro__[:-1] for name in _given_by_init(each)}
    return named | declared | given


def _given_by_init(kind: type) -> set[str]:
    init = kind.__dict__.get("__init__")
    if init is None:
        return set()
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(init)))
    except (OSError, TypeError):  # made by a decorator, or by the language itself
        return set()
    targets = [
        target
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    return {
        target.attr
        for target in targets
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self"
    }


ATTRIBUTES = [(name, attribute) for name, entity in MODEL.items() for attribute in entity.attributes.split()]
STEPS = [
    (name, origin, target)
    for name, entity in MODEL.items()
    for path in entity.paths
    for origin, target in zip(path.split(), path.split()[1:], strict=False)
]


@pytest.mark.parametrize("name", MODEL)
def test_every_entity_is_a_class_of_its_name(name: str) -> None:
    assert MODEL[name].kind.__name__ == name


@pytest.mark.parametrize(("name", "attribute"), ATTRIBUTES)
def test_every_attribute_is_one_of_its_class(name: str, attribute: str) -> None:
    assert attribute in attributes_of(MODEL[name].kind)


@pytest.mark.parametrize(("name", "origin", "target"), STEPS)
def test_every_move_is_in_the_table_of_its_machine(name: str, origin: str, target: str) -> None:
    rows: dict[Enum, dict[Enum, Enum]] = {state: dict(row) for state, row in MODEL[name].table.rows.items()}
    moves = {(state.name, after.name) for state, row in rows.items() for after in row.values()}

    assert (origin, target) in moves


@pytest.mark.parametrize("name", MODEL)
def test_every_machine_begins_where_its_path_does(name: str) -> None:
    assert MODEL[name].table.start.name == MODEL[name].paths[0].split()[0]


def test_what_a_class_does_not_have_is_found_missing() -> None:
    assert "session_cookies" in attributes_of(BrowserSession)
    assert attributes_of(BrowserSession) & {"cookies_of_nobody", "order", "close"} == set()
