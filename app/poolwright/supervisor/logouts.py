"""Whose a lost login is: the portal's, which logs everybody out, or that of one order's page. Pure.

When a portal ends a session, every order in hand meets it; a page that asks for a login for its own sake, or takes the
session with it, does so alone as soon as it is alone. So a log-out is charged to the order that met it first, and to
nobody when another one that was in hand at that time meets it too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from poolwright.domain.ids import TaskId, without

#: A page that asks for a login so often, each time alone and after a login that was good elsewhere, does so for its own
#: sake.
LONE_LOGOUTS_MAX = 4
#: How long an order waits that was the first to meet a log-out for the second time, so that others get done before it;
#: doubled with each further time. Chosen: longer than a login and an order take.
FIRST_WAIT_S = 10.0
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Logout:
    """One log-out, as long as orders that were in hand then may meet it too."""

    found_by: TaskId
    #: Orders that were in hand beside that one, and have not come back since.
    beside: frozenset[TaskId] = frozenset()
    #: Whether one of them met it too.
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Logouts:
    """What is known of the log-outs and of the orders that met them."""

    last: Logout | None = None
    #: How often each order was the first to meet one.
    found: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: How often each order was the only one that met it.
    alone: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])

    def meet(self, task_id: TaskId, in_hand: Collection[TaskId]) -> Logouts:
        """An order comes back because the portal asked for a login; these were in hand, with or without it."""
        if self.last is not None and task_id in self.last.beside:
            return self._share(self.last, task_id)
        return replace(
            self,
            last=Logout(found_by=task_id, beside=frozenset(in_hand) - {task_id}),
            found=_with_one(self.found, task_id),
            alone=_with_one(self.alone, task_id),
        )

    def begin(self, task_id: TaskId) -> Logouts:
        """An order is begun anew: a log-out that it meets from now on is another one."""
        if self.last is None or task_id not in self.last.beside:
            return self
        return replace(self, last=replace(self.last, beside=self.last.beside - {task_id}))

    def forget(self, task_id: TaskId) -> Logouts:
        """An order has its outcome, or nobody wants it any more."""
        known = self.begin(task_id)
        return replace(known, found=without(known.found, task_id), alone=without(known.alone, task_id))

    def is_own(self, task_id: TaskId) -> bool:
        """Whether the page of an order asks for a login for its own sake."""
        return self.alone.get(task_id, 0) >= LONE_LOGOUTS_MAX

    def wait_s(self, task_id: TaskId) -> float:
        """How long an order waits that was the first to meet a log-out, so that others of its time go before it."""
        again_count = self.found.get(task_id, 0) - 1
        if self.last is None or self.last.found_by != task_id or not self.last.beside or again_count < 1:
            return 0.0
        return min(FIRST_WAIT_S * 2.0 ** (again_count - 1), LONGEST_WAIT_S)

    def _share(self, last: Logout, task_id: TaskId) -> Logouts:
        shared = replace(last, beside=last.beside - {task_id}, is_shared=True)
        if last.is_shared or last.found_by not in self.alone:  # it was taken back, or that order has its outcome
            return replace(self, last=shared)
        return replace(self, last=shared, alone={**self.alone, last.found_by: self.alone[last.found_by] - 1})


def _with_one(counts: Mapping[TaskId, int], task_id: TaskId) -> Mapping[TaskId, int]:
    return {**counts, task_id: counts.get(task_id, 0) + 1}
