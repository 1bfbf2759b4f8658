"""What people may ask of a running pool. Each returns at once; the plan decides what comes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod

from poolwright.domain.options import Limits
from poolwright.supervisor.facts import Fact
from poolwright.supervisor.holds import HoldCause
from poolwright.supervisor.pool_facts import HoldOver, LimitsChanged, PauseAsked, RestartAsked, StopNeeded
from poolwright.supervisor.stops import StopCause


class Wishes(ABC):
    """Requests that people and programs can make of a running pool."""

    #: How many slots there are.
    worker_count: int

    @abstractmethod
    def _report(self, fact: Fact) -> None:
        """Bring a fact before the plan."""

    def pause(self) -> None:
        """Let no further task start until ``resume``; those in flight are finished."""
        self._report(PauseAsked())

    def resume(self) -> None:
        """Let tasks start again after ``pause``, or when somebody has logged in."""
        self._report(HoldOver(cause=HoldCause.OPERATOR))
        self._report(HoldOver(cause=HoldCause.LOGIN_REQUIRED))

    def restart_worker(self, slot: int) -> None:
        """Recycle a working worker: it finishes its tasks and restarts with a fresh browser.

        Raises:
            ValueError: There is no such slot.
        """
        if not 1 <= slot <= self.worker_count:
            msg = f"there is no worker {slot}; this pool has {self.worker_count}, counted from 1"
            raise ValueError(msg)
        self._report(RestartAsked(slot=slot))

    def set_limits(self, limits: Limits) -> None:
        """Apply other limits from now on; an attempt that has begun keeps its timeout."""
        self._report(LimitsChanged(limits=limits))

    def stop(self) -> None:
        """No new task; those in flight are finished when the pool is left. ``finish`` returns."""
        self._report(StopNeeded(cause=StopCause.ASKED))
