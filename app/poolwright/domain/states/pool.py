"""The life of the pool: states, events and table. The supervisor fires it."""

from __future__ import annotations

from enum import Enum, auto

from poolwright.domain.machine import Table


class PoolStatus(Enum):
    """Lifecycle states of the pool."""

    INITIALIZING = auto()
    READY = auto()
    PROCESSING = auto()
    PAUSED = auto()
    SHUTTING_DOWN = auto()
    TERMINATED = auto()


class PoolEvent(Enum):
    """What moves a pool."""

    STAFF = auto()
    WORK = auto()
    REST = auto()
    PAUSE = auto()
    RESUME = auto()
    SHUT_DOWN = auto()
    CLOSE = auto()


POOL: Table[PoolStatus, PoolEvent] = Table(
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
        # An operator's pause, or a hold until the login, the network or the disk is back.
        PoolStatus.PAUSED: {
            PoolEvent.RESUME: PoolStatus.READY,
            PoolEvent.SHUT_DOWN: PoolStatus.SHUTTING_DOWN,
        },
        PoolStatus.SHUTTING_DOWN: {PoolEvent.CLOSE: PoolStatus.TERMINATED},
        PoolStatus.TERMINATED: {},
    },
)
