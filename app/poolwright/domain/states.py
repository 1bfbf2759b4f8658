"""Every lifecycle of Poolwright: the states, events and transition table of each machine.

A state is a step of a lifecycle; the result of an order is an ``Outcome`` (``outcomes``), never a state. The paths are
those of the mission's data model; moves that were added are marked beside their row. The diagrams in docs/ are drawn
from these tables. Each event is fired by one owner, which is named beside its table and checked by
``tests/architecture``: the supervisor fires the machines of the pool, its workers and their profiles; a worker process
those of its session and tabs; the journal those of tasks.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from poolwright.domain.state_machine import TransitionTable


class PoolStatus(Enum):
    """Lifecycle states of the pool."""

    INITIALIZING = auto()
    READY = auto()
    PROCESSING = auto()
    PAUSED = auto()
    SHUTTING_DOWN = auto()
    TERMINATED = auto()


class PoolEvent(Enum):
    """Events of the lifecycle of the pool."""

    STAFF = auto()
    WORK = auto()
    REST = auto()
    PAUSE = auto()
    RESUME = auto()
    SHUT_DOWN = auto()
    CLOSE = auto()


#: Fired by the ``Controller`` of the supervisor alone.
POOL: TransitionTable[PoolStatus, PoolEvent] = TransitionTable(
    name="pool",
    start=PoolStatus.INITIALIZING,
    rows={
        PoolStatus.INITIALIZING: {
            PoolEvent.STAFF: PoolStatus.READY,
            PoolEvent.SHUT_DOWN: PoolStatus.SHUTTING_DOWN,
        },
        PoolStatus.READY: {
            PoolEvent.WORK: PoolStatus.PROCESSING,
            PoolEvent.PAUSE: PoolStatus.PAUSED,
            PoolEvent.SHUT_DOWN: PoolStatus.SHUTTING_DOWN,
        },
        PoolStatus.PROCESSING: {
            PoolEvent.REST: PoolStatus.READY,
            PoolEvent.PAUSE: PoolStatus.PAUSED,
            PoolEvent.SHUT_DOWN: PoolStatus.SHUTTING_DOWN,
        },
        # Paused by an operator, or until the login, the portal, the disk or memory allows orders again.
        PoolStatus.PAUSED: {
            PoolEvent.RESUME: PoolStatus.READY,
            PoolEvent.SHUT_DOWN: PoolStatus.SHUTTING_DOWN,
        },
        PoolStatus.SHUTTING_DOWN: {PoolEvent.CLOSE: PoolStatus.TERMINATED},
        PoolStatus.TERMINATED: {},
    },
)


class WorkerStatus(Enum):
    """Lifecycle states of a worker, which is a slot of the pool."""

    STARTING = auto()
    READY = auto()
    PROCESSING = auto()
    IDLE = auto()
    TERMINATING = auto()
    TERMINATED = auto()
    CRASHED = auto()
    RESTARTING = auto()


class WorkerEvent(Enum):
    """Events of the lifecycle of a worker."""

    REPORT_READY = auto()
    ASSIGN = auto()
    FREE = auto()
    STOP = auto()
    EXIT = auto()
    LOSE = auto()
    RESTART = auto()
    RECYCLE = auto()
    GIVE_UP = auto()


#: A worker in one of these states takes tasks.
WORKING_STATUSES = frozenset({WorkerStatus.READY, WorkerStatus.PROCESSING, WorkerStatus.IDLE})

#: Fired by the supervisor. A ``Generation`` fires the events from the start of its process to its exit: REPORT_READY,
#: ASSIGN, FREE, STOP, RECYCLE, EXIT and LOSE; between two generations the slot, ``Worker``, fires RESTART or GIVE_UP.
#: READY and IDLE differ only by whether the worker has ever had a task.
WORKER: TransitionTable[WorkerStatus, WorkerEvent] = TransitionTable(
    name="worker",
    start=WorkerStatus.STARTING,
    rows={
        WorkerStatus.STARTING: {
            WorkerEvent.REPORT_READY: WorkerStatus.READY,
            WorkerEvent.LOSE: WorkerStatus.CRASHED,
            WorkerEvent.STOP: WorkerStatus.TERMINATING,
        },
        WorkerStatus.READY: {
            WorkerEvent.ASSIGN: WorkerStatus.PROCESSING,
            WorkerEvent.RECYCLE: WorkerStatus.RESTARTING,
            WorkerEvent.LOSE: WorkerStatus.CRASHED,
            WorkerEvent.STOP: WorkerStatus.TERMINATING,
        },
        WorkerStatus.PROCESSING: {
            WorkerEvent.FREE: WorkerStatus.IDLE,
            WorkerEvent.LOSE: WorkerStatus.CRASHED,
            WorkerEvent.STOP: WorkerStatus.TERMINATING,
        },
        WorkerStatus.IDLE: {
            WorkerEvent.ASSIGN: WorkerStatus.PROCESSING,
            WorkerEvent.RECYCLE: WorkerStatus.RESTARTING,
            WorkerEvent.LOSE: WorkerStatus.CRASHED,
            WorkerEvent.STOP: WorkerStatus.TERMINATING,
        },
        WorkerStatus.TERMINATING: {WorkerEvent.EXIT: WorkerStatus.TERMINATED},
        WorkerStatus.TERMINATED: {},
        # The slot restarts with the same profile, or is given up when its restarts are spent.
        WorkerStatus.CRASHED: {
            WorkerEvent.RESTART: WorkerStatus.RESTARTING,
            WorkerEvent.GIVE_UP: WorkerStatus.TERMINATED,
        },
        WorkerStatus.RESTARTING: {
            WorkerEvent.REPORT_READY: WorkerStatus.READY,
            WorkerEvent.LOSE: WorkerStatus.CRASHED,
            WorkerEvent.STOP: WorkerStatus.TERMINATING,
        },
    },
)


class SessionStatus(Enum):
    """Lifecycle states of a browser session."""

    INITIALIZING = auto()
    AUTHENTICATED = auto()
    ACTIVE = auto()
    CLOSING = auto()
    CLOSED = auto()
    ERROR = auto()
    RECOVERING = auto()


class SessionEvent(Enum):
    """Events of the lifecycle of a browser session."""

    AUTHENTICATE = auto()
    USE = auto()
    CLOSE = auto()
    CLOSED = auto()
    BREAK = auto()
    RECOVER = auto()
    RECOVERED = auto()


#: Fired in the worker process. ``SessionLogin`` fires the events of the login: AUTHENTICATE, BREAK, RECOVER and
#: RECOVERED, also if the browser is lost; ``BrowserSession`` fires USE, CLOSE and CLOSED.
SESSION: TransitionTable[SessionStatus, SessionEvent] = TransitionTable(
    name="session",
    start=SessionStatus.INITIALIZING,
    rows={
        SessionStatus.INITIALIZING: {
            SessionEvent.AUTHENTICATE: SessionStatus.AUTHENTICATED,
            SessionEvent.BREAK: SessionStatus.ERROR,
        },
        # A session without a task is closed from here, or breaks while it waits.
        SessionStatus.AUTHENTICATED: {
            SessionEvent.USE: SessionStatus.ACTIVE,
            SessionEvent.CLOSE: SessionStatus.CLOSING,
            SessionEvent.BREAK: SessionStatus.ERROR,
        },
        SessionStatus.ACTIVE: {
            SessionEvent.CLOSE: SessionStatus.CLOSING,
            SessionEvent.BREAK: SessionStatus.ERROR,
        },
        SessionStatus.CLOSING: {SessionEvent.CLOSED: SessionStatus.CLOSED},
        SessionStatus.CLOSED: {},
        SessionStatus.ERROR: {
            SessionEvent.RECOVER: SessionStatus.RECOVERING,
            SessionEvent.CLOSE: SessionStatus.CLOSING,
        },
        SessionStatus.RECOVERING: {
            SessionEvent.RECOVERED: SessionStatus.ACTIVE,
            SessionEvent.BREAK: SessionStatus.ERROR,
        },
    },
)


class TabStatus(Enum):
    """Lifecycle states of a tab."""

    OPENING = auto()
    LOADING = auto()
    PROCESSING = auto()
    COMPLETED = auto()
    CLOSING = auto()
    CLOSED = auto()
    ERROR = auto()
    FAILED = auto()


class TabEvent(Enum):
    """Events of the lifecycle of a tab."""

    OPENED = auto()
    LOADED = auto()
    DONE = auto()
    BREAK = auto()
    GIVE_UP = auto()
    CLOSE = auto()
    CLOSED = auto()


#: Fired in the worker process, by ``Tab`` and ``open_tab`` alone.
TAB: TransitionTable[TabStatus, TabEvent] = TransitionTable(
    name="tab",
    start=TabStatus.OPENING,
    rows={
        TabStatus.OPENING: {TabEvent.OPENED: TabStatus.LOADING, TabEvent.BREAK: TabStatus.ERROR},
        TabStatus.LOADING: {TabEvent.LOADED: TabStatus.PROCESSING, TabEvent.BREAK: TabStatus.ERROR},
        TabStatus.PROCESSING: {TabEvent.DONE: TabStatus.COMPLETED, TabEvent.BREAK: TabStatus.ERROR},
        TabStatus.COMPLETED: {TabEvent.CLOSE: TabStatus.CLOSING},
        TabStatus.CLOSING: {TabEvent.CLOSED: TabStatus.CLOSED},
        TabStatus.CLOSED: {},
        TabStatus.ERROR: {TabEvent.GIVE_UP: TabStatus.FAILED},
        # A failed tab is closed like any other.
        TabStatus.FAILED: {TabEvent.CLOSE: TabStatus.CLOSING},
    },
)


class ProfileStatus(Enum):
    """Lifecycle states of a worker's clone of a profile."""

    CLONING = auto()
    READY = auto()
    IN_USE = auto()
    CLEANUP = auto()
    REMOVED = auto()
    CORRUPTED = auto()
    FAILED = auto()


class ProfileEvent(Enum):
    """Events of the lifecycle of a clone."""

    CLONED = auto()
    TAKE = auto()
    RELEASE = auto()
    RETIRE = auto()
    REMOVED = auto()
    SPOIL = auto()
    FAIL = auto()


#: Fired by ``Profile`` alone, in the supervisor.
PROFILE: TransitionTable[ProfileStatus, ProfileEvent] = TransitionTable(
    name="profile",
    start=ProfileStatus.CLONING,
    rows={
        # A clone whose copy was cancelled is cleaned up too.
        ProfileStatus.CLONING: {
            ProfileEvent.CLONED: ProfileStatus.READY,
            ProfileEvent.RETIRE: ProfileStatus.CLEANUP,
            ProfileEvent.SPOIL: ProfileStatus.CORRUPTED,
        },
        ProfileStatus.READY: {
            ProfileEvent.TAKE: ProfileStatus.IN_USE,
            ProfileEvent.RETIRE: ProfileStatus.CLEANUP,
            ProfileEvent.SPOIL: ProfileStatus.CORRUPTED,
        },
        # Back to READY between two generations of a worker: a restart keeps its profile.
        ProfileStatus.IN_USE: {
            ProfileEvent.RELEASE: ProfileStatus.READY,
            ProfileEvent.RETIRE: ProfileStatus.CLEANUP,
            ProfileEvent.SPOIL: ProfileStatus.CORRUPTED,
        },
        ProfileStatus.CLEANUP: {ProfileEvent.REMOVED: ProfileStatus.REMOVED},
        ProfileStatus.REMOVED: {},
        ProfileStatus.CORRUPTED: {ProfileEvent.FAIL: ProfileStatus.FAILED},
        ProfileStatus.FAILED: {},
    },
)


class TaskStatus(Enum):
    """Lifecycle states of a task. The journal holds the current one."""

    QUEUED = auto()
    ASSIGNED = auto()
    RUNNING = auto()
    DONE = auto()
    CANCELLED = auto()


class TaskEvent(Enum):
    """Events of the lifecycle of a task."""

    ASSIGN = auto()
    START = auto()
    FINISH = auto()
    GIVE_BACK = auto()
    CANCEL = auto()
    REDO = auto()


#: Fired by the rules of the journal alone, with each change that it writes.
TASK: TransitionTable[TaskStatus, TaskEvent] = TransitionTable(
    name="task",
    start=TaskStatus.QUEUED,
    rows={
        # FINISH without a worker: no worker is left.
        TaskStatus.QUEUED: {
            TaskEvent.ASSIGN: TaskStatus.ASSIGNED,
            TaskEvent.FINISH: TaskStatus.DONE,
            TaskEvent.CANCEL: TaskStatus.CANCELLED,
        },
        # FINISH before START: too many workers crashed on the task.
        TaskStatus.ASSIGNED: {
            TaskEvent.START: TaskStatus.RUNNING,
            TaskEvent.FINISH: TaskStatus.DONE,
            TaskEvent.GIVE_BACK: TaskStatus.QUEUED,
        },
        TaskStatus.RUNNING: {
            TaskEvent.FINISH: TaskStatus.DONE,
            TaskEvent.GIVE_BACK: TaskStatus.QUEUED,
        },
        # A later run of the list tries it again.
        TaskStatus.DONE: {TaskEvent.REDO: TaskStatus.QUEUED},
        TaskStatus.CANCELLED: {TaskEvent.REDO: TaskStatus.QUEUED},
    },
)
#: Statuses of a task that has ended: only a later run tries it again.
OVER = frozenset(status for status, row in TASK.rows.items() if TaskEvent.REDO in row)
#: Statuses of a task that has not ended.
OPEN = frozenset(TASK.rows) - OVER
#: Statuses of a task that a run has claimed.
CLAIMED = frozenset(status for status, row in TASK.rows.items() if TaskEvent.GIVE_BACK in row)


def open_count(counts: Mapping[str, int]) -> int:
    """Return the number of tasks that have not ended, from the number of tasks in each status, by its name."""
    return sum(counts.get(status.name, 0) for status in OPEN)


def ended_count(counts: Mapping[str, int]) -> int:
    """Return the number of tasks that have ended, cancelled ones included; the rest are those of ``open_count``."""
    return sum(counts.get(status.name, 0) for status in OVER)


#: All machines, in the order in which the documentation shows them.
TABLES = (POOL, WORKER, SESSION, TAB, PROFILE, TASK)
