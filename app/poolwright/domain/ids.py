"""Identities, and the counts that travel with them: plain values that are equal when they mean the same thing.

Of cookies only counts per site travel, never names or values: they are shown to people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType, TypeVar

T = TypeVar("T")

TaskId = NewType("TaskId", str)
"""One task of one journal, for ever: ``<portal>:<number>`` for purchase orders."""


def task_prefix(portal: str) -> str:
    """How the ids of one portal's orders begin, and no others'."""
    return f"{portal}:"


def without(known: Mapping[TaskId, T], task_id: TaskId) -> Mapping[TaskId, T]:
    """What is known of tasks, but for one of them."""
    return {one: value for one, value in known.items() if one != task_id}


WorkerId = NewType("WorkerId", str)
"""One slot of the pool: ``worker-1`` to ``worker-8``."""

ProfileId = NewType("ProfileId", str)
"""One clone of a base profile: ``<base name>/<worker id>``."""

BatchId = NewType("BatchId", str)
"""One list of orders as it was given: the same list run again has the same id."""


@dataclass(frozen=True, slots=True, order=True)
class WorkerRef:
    """One process in one slot. A restarted worker is a new generation; frames of an older one are dropped."""

    slot: int
    generation: int

    @property
    def worker_id(self) -> WorkerId:
        """The identity of the slot, the same in every generation."""
        return WorkerId(f"worker-{self.slot}")

    def __str__(self) -> str:
        """Read as ``worker-2#1`` in logs."""
        return f"{self.worker_id}#{self.generation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCookies:
    """The unexpired cookies of one host, as a browser keeps them apart."""

    #: Host of the cookies; one that begins with a dot covers the hosts below it too.
    site: str
    #: Cookies with an expiry.
    lasting_count: int
    #: Cookies that end with the browser, unless it is told to restore its session.
    session_count: int
