"""Every legal move of every machine, written down by hand from the mission's data model and the design.

Nothing here is taken from the tables: the tests hold the tables against this page. A line reads
``ORIGIN EVENT TARGET``.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from poolwright.domain.state_machine import TransitionTable
from poolwright.domain.states import POOL, PROFILE, SESSION, TAB, TASK, WORKER

AnyTable = TransitionTable[Any, Any]
Move = tuple[str, str, str]

#: The paths of the data model, in the order in which it tells them.
MISSION = {
    "pool": """
        INITIALIZING STAFF READY
        READY WORK PROCESSING
        PROCESSING SHUT_DOWN SHUTTING_DOWN
        SHUTTING_DOWN CLOSE TERMINATED
    """,
    "worker": """
        STARTING REPORT_READY READY
        READY ASSIGN PROCESSING
        PROCESSING FREE IDLE
        IDLE STOP TERMINATING
        TERMINATING EXIT TERMINATED
        CRASHED RESTART RESTARTING
        RESTARTING REPORT_READY READY
    """,
    "session": """
        INITIALIZING AUTHENTICATE AUTHENTICATED
        AUTHENTICATED USE ACTIVE
        ACTIVE CLOSE CLOSING
        CLOSING CLOSED CLOSED
        ERROR RECOVER RECOVERING
        RECOVERING RECOVERED ACTIVE
    """,
    "tab": """
        OPENING OPENED LOADING
        LOADING LOADED PROCESSING
        PROCESSING DONE COMPLETED
        COMPLETED CLOSE CLOSING
        CLOSING CLOSED CLOSED
        ERROR GIVE_UP FAILED
    """,
    "profile": """
        CLONING CLONED READY
        READY TAKE IN_USE
        IN_USE RETIRE CLEANUP
        CLEANUP REMOVED REMOVED
        CORRUPTED FAIL FAILED
    """,
    "task": """
        QUEUED ASSIGN ASSIGNED
        ASSIGNED START RUNNING
        RUNNING FINISH DONE
    """,
}

#: What the design adds: loss, pause, restart, giving back, and the ways out of every state that waits.
ADDED = {
    "pool": """
        PROCESSING REST READY
        READY PAUSE PAUSED
        PROCESSING PAUSE PAUSED
        PAUSED RESUME READY
        INITIALIZING SHUT_DOWN SHUTTING_DOWN
        READY SHUT_DOWN SHUTTING_DOWN
        PAUSED SHUT_DOWN SHUTTING_DOWN
    """,
    "worker": """
        IDLE ASSIGN PROCESSING
        STARTING LOSE CRASHED
        READY LOSE CRASHED
        PROCESSING LOSE CRASHED
        IDLE LOSE CRASHED
        RESTARTING LOSE CRASHED
        READY RECYCLE RESTARTING
        IDLE RECYCLE RESTARTING
        CRASHED GIVE_UP TERMINATED
        STARTING STOP TERMINATING
        READY STOP TERMINATING
        PROCESSING STOP TERMINATING
        RESTARTING STOP TERMINATING
    """,
    "session": """
        INITIALIZING BREAK ERROR
        AUTHENTICATED BREAK ERROR
        ACTIVE BREAK ERROR
        RECOVERING BREAK ERROR
        ERROR CLOSE CLOSING
        AUTHENTICATED CLOSE CLOSING
    """,
    "tab": """
        OPENING BREAK ERROR
        LOADING BREAK ERROR
        PROCESSING BREAK ERROR
        FAILED CLOSE CLOSING
    """,
    "profile": """
        IN_USE RELEASE READY
        CLONING SPOIL CORRUPTED
        READY SPOIL CORRUPTED
        IN_USE SPOIL CORRUPTED
        CLONING RETIRE CLEANUP
        READY RETIRE CLEANUP
    """,
    "task": """
        ASSIGNED GIVE_BACK QUEUED
        RUNNING GIVE_BACK QUEUED
        QUEUED CANCEL CANCELLED
        QUEUED FINISH DONE
        ASSIGNED FINISH DONE
        DONE REDO QUEUED
        CANCELLED REDO QUEUED
    """,
}

#: Where a life is over. A task has no such state: a later run of its list may take it up again.
ENDS = {
    "pool": {"TERMINATED"},
    "worker": {"TERMINATED"},
    "session": {"CLOSED"},
    "tab": {"CLOSED"},
    "profile": {"REMOVED", "FAILED"},
    "task": set[str](),
}

STARTS = {
    "pool": "INITIALIZING",
    "worker": "STARTING",
    "session": "INITIALIZING",
    "tab": "OPENING",
    "profile": "CLONING",
    "task": "QUEUED",
}

ALL_TABLES: tuple[AnyTable, ...] = (POOL, WORKER, SESSION, TAB, PROFILE, TASK)


def moves(page: str) -> list[Move]:
    """The moves on one of the pages above."""
    return [(origin, event, target) for origin, event, target in (line.split() for line in page.strip().splitlines())]


def legal_moves(machine: str) -> dict[tuple[str, str], str]:
    """Where each legal event leads from each state, by name."""
    return {(origin, event): target for origin, event, target in moves(MISSION[machine]) + moves(ADDED[machine])}


def event_kind(table: AnyTable) -> type[Enum]:
    """The enum of the table's events."""
    return type(next(event for row in table.rows.values() for event in row))


def state_kind(table: AnyTable) -> type[Enum]:
    """The enum of the table's states."""
    return type(table.start)
