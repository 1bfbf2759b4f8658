"""The life of a tab: states, events and table. The worker process fires it."""

from __future__ import annotations

from enum import Enum, auto

from poolwright.domain.machine import Table


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
    """What moves a tab."""

    OPENED = auto()
    LOADED = auto()
    DONE = auto()
    BREAK = auto()
    GIVE_UP = auto()
    CLOSE = auto()
    CLOSED = auto()


TAB: Table[TabStatus, TabEvent] = Table(
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
