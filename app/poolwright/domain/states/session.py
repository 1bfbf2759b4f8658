"""The life of a browser session: states, events and table. The worker process fires it."""

from __future__ import annotations

from enum import Enum, auto

from poolwright.domain.machine import Table


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
    """What moves a browser session."""

    AUTHENTICATE = auto()
    USE = auto()
    CLOSE = auto()
    CLOSED = auto()
    BREAK = auto()
    RECOVER = auto()
    RECOVERED = auto()


SESSION: Table[SessionStatus, SessionEvent] = Table(
    name="session",
    start=SessionStatus.INITIALIZING,
    rows={
        SessionStatus.INITIALIZING: {
            SessionEvent.AUTHENTICATE: SessionStatus.AUTHENTICATED,
            SessionEvent.BREAK: SessionStatus.ERROR,
        },
        # A session that was never given a task is closed from here, or breaks while it waits.
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
