"""The life of a profile's clone: states, events and table. The supervisor fires it."""

from __future__ import annotations

from enum import Enum, auto

from poolwright.domain.machine import Table


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
    """What moves the clone of a profile."""

    CLONED = auto()
    TAKE = auto()
    RELEASE = auto()
    RETIRE = auto()
    REMOVED = auto()
    SPOIL = auto()
    FAIL = auto()


PROFILE: Table[ProfileStatus, ProfileEvent] = Table(
    name="profile",
    start=ProfileStatus.CLONING,
    rows={
        # A clone that was called off half-way is cleaned up too.
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
