"""The gate through which every order passes before it starts: pace, number and hours that the portal may be asked.

The workers ask for nothing: the queue that they all take their orders from waits at the gate.
"""

from __future__ import annotations

from collections.abc import Collection

import anyio

from poolwright.concurrency import periodic
from poolwright.domain.events import Level
from poolwright.domain.ids import TaskId
from poolwright.domain.options import Courtesy
from poolwright.supervisor.policy.courtesy.pace import Pace
from poolwright.supervisor.policy.courtesy.tab_limit import TabLimit, TimedAnswer
from poolwright.supervisor.policy.events import HoursBegan, HoursEnded, PoolInput
from poolwright.supervisor.pool_context import PoolContext

#: How often the hours are compared with the clock, so that a clock that was set counts soon.
CHECK_INTERVAL_S = 15.0
#: Added to each wait for a request, against rounding.
_ROUNDING_S = 0.001
_AS_USUAL = "The portal no longer gets slower: as many orders as usual are open at once again."


class PortalGate:
    """Limits the orders that start."""

    def __init__(self, context: PoolContext, courtesy: Courtesy, tab_count: int) -> None:
        """Open the gate.

        Args:
            context: The context of the pool.
            courtesy: The limits.
            tab_count: Number of tabs that can be open at the same time.
        """
        self._context = context
        self._courtesy = courtesy
        self._pace = Pace.full(courtesy.rate_per_min, context.clock.monotonic())
        self._tab_limit = TabLimit.starting_at(min(tab_count, courtesy.concurrency or tab_count))
        #: Orders that left the queue and that the policy does not know of yet.
        self._passed: set[TaskId] = set()
        self._held_count = 0
        self._changed = anyio.Event()

    async def wait(self) -> None:
        """Wait until an order may start; another one may pass before the caller does."""
        while (wait_s := self._wait_s()) != 0.0:
            with anyio.move_on_after(wait_s):
                await self._changed.wait()

    def pass_through(self, task_id: TaskId) -> bool:
        """Let an order pass and return true; false if it may not start now."""
        if self._wait_s() != 0.0:
            return False
        self._passed.add(task_id)
        self._pace = self._pace.charge(1, self._context.clock.monotonic())
        return True

    def turn_back(self, task_id: TaskId) -> None:
        """Undo ``pass_through`` for an order that was not begun; any other one is ignored."""
        if task_id in self._passed:
            self._passed.discard(task_id)
            self._pace = self._pace.charge(-1, self._context.clock.monotonic())
            self._notify()

    def set_held(self, held_count: int, *, known: Collection[TaskId] = ()) -> None:
        """Note how many orders the workers hold, and which of those that passed are among them by now."""
        self._passed.difference_update(known)
        if known or held_count != self._held_count:
            self._held_count = held_count
            self._notify()

    def charge(self, request_count: int) -> None:
        """Count the requests for the files of an order that has ended, and for what was of no use."""
        self._pace = self._pace.charge(request_count, self._context.clock.monotonic())

    def note_answer(self, answer_s: float, duration_s: float) -> None:
        """Note how long the portal took to answer for the page of an order that has just ended.

        Fewer orders start from now on if it answers more slowly than before, and more if it is quick again.

        Args:
            answer_s: Seconds until it answered.
            duration_s: Seconds since the order began.
        """
        if not self._courtesy.slow_down:
            return
        now_s, before = self._context.clock.monotonic(), self._tab_limit
        answer = TimedAnswer(answer_s=answer_s, begun_s=now_s - duration_s, tabs=self._held_count + 1)
        self._tab_limit = after = before.add(answer, now_s)
        if after.limit > before.limit:
            self._notify()
        if after.is_lowered and not before.is_lowered:
            self._context.event_log.notice(Level.WARNING, after.sentence)
        elif before.is_lowered and not after.is_lowered:
            self._context.event_log.notice(Level.INFO, _AS_USUAL)

    @property
    def slow_down(self) -> str:
        """Why fewer orders are open than usual, as a sentence; empty if the portal is as quick as usual."""
        return self._tab_limit.sentence

    async def watch_hours(self) -> None:
        """Report when the portal's hours begin and end, until cancelled; returns at once if it has none."""
        if (sentence := self._courtesy.sentence) != "":
            self._context.event_log.notice(Level.INFO, sentence)
        hours, is_open = self._courtesy.hours, True
        if hours is None:
            return
        async for _ in periodic(CHECK_INTERVAL_S):
            now = self._context.clock.now()
            if hours.includes(now) == is_open:
                continue
            is_open = not is_open
            begin = hours.next_begin(now)
            event: PoolInput = HoursBegan()
            if not is_open:
                event = HoursEnded(
                    detail=f"Outside the portal's working hours ({hours.text}).", begin=f"{begin:%a %d %b %H:%M %Z}"
                )
            self._context.post(event)

    def _notify(self) -> None:
        """Let all who wait look again."""
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def _wait_s(self) -> float | None:
        """Return the seconds until an order may start: 0 for now, ``None`` if something else must happen first."""
        limits = [self._courtesy.concurrency, self._tab_limit.limit if self._tab_limit.is_lowered else None]
        if any(limit is not None and self._held_count + len(self._passed) >= limit for limit in limits):
            return None
        wait_s = self._pace.wait_s(self._context.clock.monotonic())
        return wait_s + _ROUNDING_S if wait_s else 0.0
