"""The life of a worker, a slot with all its processes: states, events and table. The supervisor fires it."""

from __future__ import annotations

from enum import Enum, auto

from poolwright.domain.machine import Table


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
    """What moves a worker."""

    REPORT_READY = auto()
    ASSIGN = auto()
    FREE = auto()
    STOP = auto()
    EXIT = auto()
    LOSE = auto()
    RESTART = auto()
    RECYCLE = auto()
    GIVE_UP = auto()


WORKER: Table[WorkerStatus, WorkerEvent] = Table(
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
        # From here a slot comes back with the same profile, or is given up when its budget is spent.
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
