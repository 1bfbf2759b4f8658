"""State of the login: which workers are logged in, how long a login lasts, and which orders met a log-out. Pure.

The expected lifetime of a login is the shortest of the last measured ones. A portal may end sessions for several
causes, and renewing a little too early costs one login, while renewing too late costs the pages in flight.

When a portal ends a session, every order in flight meets the log-out. A page that always asks for a login, or that ends
the session, meets it alone. So a log-out is charged to the order that met it first, and to no order if another one that
was in flight at that time meets it too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from poolwright.domain.ids import TaskId, without_task


class LoginStatus(Enum):
    """Login of one worker, as far as the policy knows."""

    #: The worker is starting, or there is none.
    UNKNOWN = auto()
    LOGGED_IN = auto()
    LOGGED_OUT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRecovery:
    """One login for all workers: at any time at most one of them logs in."""

    #: The slot that logs in, or restarts in order to log in; ``None`` if no slot does.
    refresher: int | None = None
    #: Slots that import the login.
    adopting: frozenset[int] = frozenset()
    #: Whether the worker that could not log in was restarted already.
    was_restarted: bool = False
    #: Whether the login is to be renewed before it ends, when no order is in flight.
    is_due: bool = False
    #: Consecutive logins after which no order was done.
    vain_count: int = 0

    @property
    def is_active(self) -> bool:
        """Whether a worker logs in or imports the login."""
        return self.refresher is not None or bool(self.adopting)

    def begin(self, slot: int) -> LoginRecovery:
        """Return the state after a slot was commanded to log in."""
        return replace(self, refresher=slot, is_due=False)

    def share_cookies(self, slots: frozenset[int]) -> LoginRecovery:
        """Return the state after the login succeeded, while these slots import it."""
        return replace(self, refresher=None, was_restarted=False, vain_count=self.vain_count + 1, adopting=slots)

    def import_cookies(self, slot: int) -> LoginRecovery:
        """Return the state in which one more slot imports the login."""
        return replace(self, adopting=self.adopting | {slot})

    def forget_slot(self, slot: int) -> LoginRecovery:
        """Return the state in which nothing is expected from a slot."""
        refresher = None if self.refresher == slot else self.refresher
        return replace(self, refresher=refresher, adopting=self.adopting - {slot})

    def mark_due(self) -> LoginRecovery:
        """Return the state in which the login is to be renewed."""
        return replace(self, is_due=True)

    def mark_verified(self) -> LoginRecovery:
        """Return the state after an order was done with the login."""
        return replace(self, vain_count=0) if self.vain_count else self


#: Number of measured lifetimes that are remembered.
LIFETIMES_MAX = 3
#: A login that ended sooner did not end because of its age, so its lifetime does not count.
LIFETIME_MIN_S = 60.0
#: Share of its expected lifetime after which a login is renewed, so that orders in flight can finish before its end.
EARLY_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLifetime:
    """Age of the current login and lifetimes of earlier ones."""

    #: When the current login was made; ``None`` if it came with the profile, or has ended.
    begun_at_s: float | None = None
    lives_s: tuple[float, ...] = ()
    #: Counts logins, so that an event about an earlier one is recognised.
    number: int = 0

    @property
    def expected_s(self) -> float | None:
        """Expected lifetime of a login; ``None`` before one was measured."""
        return min(self.lives_s, default=None)

    @property
    def renewal_s(self) -> float | None:
        """Age at which a login should be renewed; ``None`` before a lifetime was measured."""
        return None if self.expected_s is None else self.expected_s * EARLY_SHARE

    def begin(self, at_s: float) -> LoginLifetime:
        """Return the state after a login."""
        return replace(self, begun_at_s=at_s, number=self.number + 1)

    def end(self, at_s: float) -> LoginLifetime:
        """Return the state after the login ended by itself; only the first call for a login counts."""
        if self.begun_at_s is None:
            return self
        lived_s = at_s - self.begun_at_s
        measured = (*self.lives_s, lived_s)[-LIFETIMES_MAX:] if lived_s >= LIFETIME_MIN_S else self.lives_s
        return replace(self, begun_at_s=None, lives_s=measured)


#: Number of log-outs that an order met alone, each after a good login, from which its page itself asks for a login.
LONE_LOGOUTS_MAX = 4
#: Delay of an order that was the first to meet a log-out for the second time, so that others are done before it;
#: doubled with each further time. It is longer than a login and an order take.
FIRST_WAIT_S = 10.0
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Logout:
    """One log-out, and the orders in flight that may meet it too."""

    first_task_id: TaskId
    #: Orders that were in flight with that one, and have not returned since.
    tasks_in_flight: frozenset[TaskId] = frozenset()
    #: Whether another order met it too.
    is_shared: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Logouts:
    """The last log-out, and how often each order met one."""

    last: Logout | None = None
    #: Number of log-outs that each order was the first to meet.
    first_counts: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])
    #: Number of log-outs that each order alone met.
    alone_counts: Mapping[TaskId, int] = field(default_factory=dict[TaskId, int])

    def record(self, task_id: TaskId, in_hand: Collection[TaskId]) -> Logouts:
        """Return the state after an order met a log-out while the orders ``in_hand`` were in flight."""
        if self.last is not None and task_id in self.last.tasks_in_flight:
            return self._share(self.last, task_id)
        return replace(
            self,
            last=Logout(first_task_id=task_id, tasks_in_flight=frozenset(in_hand) - {task_id}),
            first_counts=_incremented(self.first_counts, task_id),
            alone_counts=_incremented(self.alone_counts, task_id),
        )

    def begin(self, task_id: TaskId) -> Logouts:
        """Return the state after an order was begun again: it can no longer meet the last log-out."""
        if self.last is None or task_id not in self.last.tasks_in_flight:
            return self
        return replace(self, last=replace(self.last, tasks_in_flight=self.last.tasks_in_flight - {task_id}))

    def forget(self, task_id: TaskId) -> Logouts:
        """Return the state without an order that has its outcome or was cancelled."""
        logouts = self.begin(task_id)
        return replace(
            logouts,
            first_counts=without_task(logouts.first_counts, task_id),
            alone_counts=without_task(logouts.alone_counts, task_id),
        )

    def is_own(self, task_id: TaskId) -> bool:
        """Whether the page of an order itself asks for a login, whatever the session."""
        return self.alone_counts.get(task_id, 0) >= LONE_LOGOUTS_MAX

    def wait_s(self, task_id: TaskId) -> float:
        """Return the delay of an order that was the first to meet a log-out, so that the other orders go first."""
        again_count = self.first_counts.get(task_id, 0) - 1
        if self.last is None or self.last.first_task_id != task_id or not self.last.tasks_in_flight or again_count < 1:
            return 0.0
        return min(FIRST_WAIT_S * 2.0 ** (again_count - 1), LONGEST_WAIT_S)

    def _share(self, last: Logout, task_id: TaskId) -> Logouts:
        shared = replace(last, tasks_in_flight=last.tasks_in_flight - {task_id}, is_shared=True)
        if (
            last.is_shared or last.first_task_id not in self.alone_counts
        ):  # the charge was removed already, or that order has its outcome
            return replace(self, last=shared)
        return replace(
            self,
            last=shared,
            alone_counts={**self.alone_counts, last.first_task_id: self.alone_counts[last.first_task_id] - 1},
        )


def _incremented(counts: Mapping[TaskId, int], task_id: TaskId) -> Mapping[TaskId, int]:
    return {**counts, task_id: counts.get(task_id, 0) + 1}
