"""The life of a task: states, events and table. The journal fires it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from poolwright.domain.machine import Table


class TaskStatus(Enum):
    """Lifecycle states of a task. The journal holds the current one."""

    QUEUED = auto()
    ASSIGNED = auto()
    RUNNING = auto()
    DONE = auto()
    CANCELLED = auto()


class TaskEvent(Enum):
    """What moves a task."""

    ASSIGN = auto()
    START = auto()
    FINISH = auto()
    GIVE_BACK = auto()
    CANCEL = auto()
    REDO = auto()


TASK: Table[TaskStatus, TaskEvent] = Table(
    name="task",
    start=TaskStatus.QUEUED,
    rows={
        # Finished without a worker: no worker is left to do it.
        TaskStatus.QUEUED: {
            TaskEvent.ASSIGN: TaskStatus.ASSIGNED,
            TaskEvent.FINISH: TaskStatus.DONE,
            TaskEvent.CANCEL: TaskStatus.CANCELLED,
        },
        # Finished before its start was told: its worker died once too often.
        TaskStatus.ASSIGNED: {
            TaskEvent.START: TaskStatus.RUNNING,
            TaskEvent.FINISH: TaskStatus.DONE,
            TaskEvent.GIVE_BACK: TaskStatus.QUEUED,
        },
        TaskStatus.RUNNING: {
            TaskEvent.FINISH: TaskStatus.DONE,
            TaskEvent.GIVE_BACK: TaskStatus.QUEUED,
        },
        # A later run of the list takes up what is worth another try.
        TaskStatus.DONE: {TaskEvent.REDO: TaskStatus.QUEUED},
        TaskStatus.CANCELLED: {TaskEvent.REDO: TaskStatus.QUEUED},
    },
)
#: A task that has its end: only a later run takes it up again.
OVER = frozenset(status for status, row in TASK.rows.items() if TaskEvent.REDO in row)
#: A task that waits for its end.
OPEN = frozenset(TASK.rows) - OVER
#: A task that a run has in its hands.
CLAIMED = frozenset(status for status, row in TASK.rows.items() if TaskEvent.GIVE_BACK in row)


def open_count(counts: Mapping[str, int]) -> int:
    """How many tasks wait for their end, of so many in each status, by its name."""
    return sum(counts.get(status.name, 0) for status in OPEN)
