"""State of the login: who is logged in, who is logging in, how long a login lasts.

And which orders met a log-out. Pure.

The shortest of the last measured lives counts: a portal may end sessions for more than one cause, and to renew a
little too early costs one login, to renew too late costs the pages that were under way.

When a portal ends a session, every order in hand meets it; a page that asks for a login for its own sake, or takes the
session with it, does so alone as soon as it is alone. So a log-out is charged to the order that met it first, and to
nobody when another one that was in hand at that time meets it too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from poolwright.domain.ids import TaskId, without


class LoginStatus(Enum):
    """Whether one worker is logged in, as far as the policy knows."""

    #: It is coming up, or there is no worker.
    UNKNOWN = auto()
    LOGGED_IN = auto()
    LOGGED_OUT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRecovery:
    """One login for all workers: at any time at most one of them logs in."""

    #: The slot that logs in, or comes up anew to log in.
    refresher: int | None = None
    #: Slots that take the login over.
    adopting: frozenset[int] = frozenset()
    #: Whether the worker that could not log in was given a fresh start already.
    was_restarted: bool = False
    #: Whether the login is to be renewed before it ends, as soon as no order is in flight.
    is_due: bool = False
    #: Logins in a row after which no order was done.
    vain_count: int = 0

    @property
    def is_under_way(self) -> bool:
        """Whether an answer is waited for."""
        return self.refresher is not None or bool(self.adopting)

    def begin(self, slot: int) -> LoginRecovery:
        """A slot is told to log in."""
        return replace(self, refresher=slot, is_due=False)

    def share_cookies(self, slots: frozenset[int]) -> LoginRecovery:
        """The login is there; these slots take it over."""
        return replace(self, refresher=None, was_restarted=False, vain_count=self.vain_count + 1, adopting=slots)

    def import_cookies(self, slot: int) -> LoginRecovery:
        """A slot takes over a login that is good already."""
        return replace(self, adopting=self.adopting | {slot})

    def without(self, slot: int) -> LoginRecovery:
        """Nothing is waited for from this slot any more."""
        refresher = None if self.refresher == slot else self.refresher
        return replace(self, refresher=refresher, adopting=self.adopting - {slot})

    def mark_due(self) -> LoginRecovery:
        """The login is good still, but not for long."""
        return replace(self, is_due=True)

    def mark_verified(self) -> LoginRecovery:
        """An order was done: the login is worth something."""
        return replace(self, vain_count=0) if self.vain_count else self


#: So many measured lives are remembered.
LIFETIMES_MAX = 3
#: A login that ended sooner was ended by something else than its age; nothing can be foretold of it.
LIFETIME_MIN_S = 60.0
#: Share of its life after which a login is renewed: the orders in flight are finished before.
EARLY_SHARE = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLifetime:
    """What is known of one login and of those before it."""

    #: When the current login was made; ``None`` if it came with the profile.
    begun_at_s: float | None = None
    lives_s: tuple[float, ...] = ()
    #: Counts logins, so that a plan for an old one can be told from one for the present.
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
        """A login was made."""
        return replace(self, begun_at_s=at_s, number=self.number + 1)

    def end(self, at_s: float) -> LoginLifetime:
        """It ended by itself; only the first notice of it counts."""
        if self.begun_at_s is None:
            return self
        lived_s = at_s - self.begun_at_s
        measured = (*self.lives_s, lived_s)[-LIFETIMES_MAX:] if lived_s >= LIFETIME_MIN_S else self.lives_s
        return replace(self, begun_at_s=None, lives_s=measured)


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

    def record(self, task_id: TaskId, in_hand: Collection[TaskId]) -> Logouts:
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
        logouts = self.begin(task_id)
        return replace(logouts, found=without(logouts.found, task_id), alone=without(logouts.alone, task_id))

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
