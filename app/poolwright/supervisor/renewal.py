"""How far the bringing back of a lost login is: who logs in, and who takes it over. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto


class Access(Enum):
    """Whether one worker is logged in, as far as the policy knows."""

    #: It is coming up, or there is no worker.
    UNKNOWN = auto()
    LOGGED_IN = auto()
    LOGGED_OUT = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
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

    def begin(self, slot: int) -> Renewal:
        """A slot is told to log in."""
        return replace(self, refresher=slot, is_due=False)

    def spread(self, slots: frozenset[int]) -> Renewal:
        """The login is there; these slots take it over."""
        return replace(self, refresher=None, was_restarted=False, vain_count=self.vain_count + 1, adopting=slots)

    def adopt(self, slot: int) -> Renewal:
        """A slot takes over a login that is good already."""
        return replace(self, adopting=self.adopting | {slot})

    def without(self, slot: int) -> Renewal:
        """Nothing is waited for from this slot any more."""
        refresher = None if self.refresher == slot else self.refresher
        return replace(self, refresher=refresher, adopting=self.adopting - {slot})

    def make_due(self) -> Renewal:
        """The login is good still, but not for long."""
        return replace(self, is_due=True)

    def proven(self) -> Renewal:
        """An order was done: the login is worth something."""
        return replace(self, vain_count=0) if self.vain_count else self
