"""The lifecycles as Mermaid diagrams, drawn from the tables that the program uses."""

from __future__ import annotations

import inspect
from enum import Enum
from typing import Any

from poolwright.domain.state_machine import TransitionTable
from poolwright.domain.states import TABLES

HEAD = """\
# Lifecycles

Drawn from the tables in `app/poolwright/domain/states.py` by `make docs`: change those, not this page. One move is one
event; a move that a table does not have is a defect and raises.
"""


def diagram(table: TransitionTable[Any, Any]) -> str:
    """One machine as a Mermaid state diagram. Events that lead the same way share an arrow."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {table.start.name}"]
    for state, row in table.rows.items():
        ways: dict[Enum, list[str]] = {}
        for event, target in row.items():
            ways.setdefault(target, []).append(event.name.lower())
        lines += [f"    {state.name} --> {target.name}: {', '.join(events)}" for target, events in ways.items()]
        lines += [] if row else [f"    {state.name} --> [*]"]
    return "\n".join((*lines, "```"))


def page() -> str:
    """All machines: their states at a glance, then each with its moves."""
    parts = (f"## {_title(table)}\n\n{_purpose(table)}\n\n{diagram(table)}\n" for table in TABLES)
    return "\n".join((HEAD, *map(_states, TABLES), "", *parts))


def _states(table: TransitionTable[Any, Any]) -> str:
    return f"* **{_title(table)}**: {', '.join(state.name for state in table.rows)}"


def _title(table: TransitionTable[Any, Any]) -> str:
    return table.name.capitalize()


def _purpose(table: TransitionTable[Any, Any]) -> str:
    first: Enum = table.start
    return inspect.getdoc(type(first)) or ""
