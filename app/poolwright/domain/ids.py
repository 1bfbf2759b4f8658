"""Identities of tasks, workers, profiles and batches, and the cookie counts of a site: plain values.

Of cookies only counts per site are passed on, never names or values, because people see them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType, TypeVar

T = TypeVar("T")

TaskId = NewType("TaskId", str)
"""The permanent id of a task in its journal: ``<portal>:<number>`` for purchase orders."""


def task_prefix(portal: str) -> str:
    """Return the prefix that the task ids of this portal's orders have, and no others."""
    return f"{portal}:"


def portal_prefix(task_id: TaskId) -> str:
    """Return the start of a task id that shows its portal; empty for a task of no portal."""
    return task_id[: task_id.find(":") + 1]


def without_task(entries: Mapping[TaskId, T], task_id: TaskId) -> Mapping[TaskId, T]:
    """Return the entries of all tasks but ``task_id``."""
    return {key: value for key, value in entries.items() if key != task_id}


WorkerId = NewType("WorkerId", str)
"""One slot of the pool: ``worker-1`` to ``worker-8``."""

ProfileId = NewType("ProfileId", str)
"""One clone of a base profile: ``<base name>/<worker id>``."""

BatchId = NewType("BatchId", str)
"""One list of orders; the same list run again has the same id."""


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
        """Return ``worker-2#1``, as logs show it."""
        return f"{self.worker_id}#{self.generation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCookies:
    """The counts of a host's unexpired cookies."""

    #: Host of the cookies; one that begins with a dot covers the hosts below it too.
    site: str
    #: Cookies with an expiry.
    lasting_count: int
    #: Cookies that end with the browser, unless it restores its session.
    session_count: int
