"""The one place where facts become commands: an inbox, the plan's standing, and the pool's own machine.

Facts are dealt with one after another, each at once. Nobody else moves the pool's machine or opens the queue.
"""

from __future__ import annotations

import contextlib
import math
from types import TracebackType
from typing import Self

import anyio

from poolwright.concurrency import WaitGroup
from poolwright.domain.state_machine import StateMachine
from poolwright.domain.states import PoolEvent, PoolStatus
from poolwright.supervisor import plan
from poolwright.supervisor.dispatch import Dispatch
from poolwright.supervisor.facts import Fact, WorkerReady
from poolwright.supervisor.performing import Performance
from poolwright.supervisor.standing import Standing


class Steering:
    """Receives events through ``post``, asks the policy about each, and has its commands executed."""

    def __init__(
        self,
        standing: Standing,
        machine: StateMachine[PoolStatus, PoolEvent],
        dispatch: Dispatch,
        open_tasks: WaitGroup,
    ) -> None:
        """Start with a standing in which nothing has happened yet."""
        self.standing = standing
        self.machine = machine
        #: Facts and filings that are not dealt with yet.
        self.unsettled = WaitGroup()
        #: When the last fact was dealt with, in seconds of ``anyio.current_time``.
        self.dealt_at_s = anyio.current_time()
        self._dispatch = dispatch
        self._open_tasks = open_tasks
        self._facts, self._inbox = anyio.create_memory_object_stream[Fact](math.inf)

    def __enter__(self) -> Self:
        """Open the inbox."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the inbox."""
        self._facts.close()
        self._inbox.close()

    def report(self, fact: Fact) -> None:
        """Queue an event and return at once; events after the end are ignored."""
        with contextlib.suppress(anyio.ClosedResourceError):
            self._facts.send_nowait(fact)
            self.unsettled.add()

    async def steer(self, performance: Performance) -> None:
        """Decide and act until cancelled."""
        try:
            async for fact in self._inbox:
                with self.unsettled.counted():
                    decision = plan.react(self.standing, fact)
                    self.standing = decision.standing
                    self._follow(fact)
                    for command in decision.commands:
                        performance.perform(command)
                self.dealt_at_s = anyio.current_time()
        finally:
            self.unsettled.call_off()

    def _follow(self, fact: Fact) -> None:
        """Move the pool's machine, and open or close the queue, as the standing says."""
        holds = self.standing.holds.active
        self._dispatch.set_open(is_open=not holds and not self.standing.is_stopping)
        if isinstance(fact, WorkerReady):
            self._try_to_move(PoolEvent.STAFF)
        if holds:
            self._try_to_move(PoolEvent.PAUSE)
            return
        self._try_to_move(PoolEvent.RESUME)
        if any(slot.held for slot in self.standing.slots.values()):
            self._try_to_move(PoolEvent.WORK)
        elif self._open_tasks.count == 0:
            self._try_to_move(PoolEvent.REST)

    def _try_to_move(self, event: PoolEvent) -> None:
        if self.machine.can(event):
            self.machine.fire(event)
