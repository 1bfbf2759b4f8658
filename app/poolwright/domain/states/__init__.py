"""Every lifecycle of Poolwright: states, events and tables, a file for each machine. No other room names a target.

State is a step of a lifecycle. How it went is an ``Outcome`` (``failures``), never a state. The paths are
those of the mission's data model; moves that were added are marked beside their row. Diagrams in ``docs/`` are drawn
from these tables.
"""

from poolwright.domain.states.pool import POOL, PoolEvent, PoolStatus
from poolwright.domain.states.profile import PROFILE, ProfileEvent, ProfileStatus
from poolwright.domain.states.session import SESSION, SessionEvent, SessionStatus
from poolwright.domain.states.tab import TAB, TabEvent, TabStatus
from poolwright.domain.states.task import CLAIMED, OPEN, OVER, TASK, TaskEvent, TaskStatus, open_count
from poolwright.domain.states.worker import WORKER, WorkerEvent, WorkerStatus

__all__ = [
    "CLAIMED",
    "OPEN",
    "OVER",
    "POOL",
    "PROFILE",
    "SESSION",
    "TAB",
    "TABLES",
    "TASK",
    "WORKER",
    "PoolEvent",
    "PoolStatus",
    "ProfileEvent",
    "ProfileStatus",
    "SessionEvent",
    "SessionStatus",
    "TabEvent",
    "TabStatus",
    "TaskEvent",
    "TaskStatus",
    "WorkerEvent",
    "WorkerStatus",
    "open_count",
]

#: All machines, in the order in which the documentation shows them.
TABLES = (POOL, WORKER, SESSION, TAB, PROFILE, TASK)
