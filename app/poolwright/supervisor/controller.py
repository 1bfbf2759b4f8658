"""Passes events to the policy one by one, and the commands that it returns to the executor.

An event is handled without interruption. Only the controller fires the state machine of the pool and opens the queue.
"""

from __future__ import annotations

import anyio

from poolwright.domain.state_machine import StateMachine
from poolwright.domain.states import POOL, PoolEvent, PoolStatus
from poolwright.ipc.messages import Finished
from poolwright.supervisor.command_executor import CommandExecutor
from poolwright.supervisor.policy.decide import decide
from poolwright.supervisor.policy.events import MessageReceived, PoolInput, TaskAssigned, VerificationDue, WorkerReady
from poolwright.supervisor.policy.state import PoolState
from poolwright.supervisor.policy.verification import vain_waits
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.submissions import Submissions
from poolwright.supervisor.task_queue import TaskFeeder


class Controller:
    """Receives events from the inbox, calls the policy for each, and executes its commands."""

    def __init__(self, context: PoolContext, state: PoolState, feeder: TaskFeeder, submissions: Submissions) -> None:
        """Start with the state before the first event."""
        self.state = state
        #: When the last event was handled, in seconds of ``anyio.current_time``.
        self.last_event_at_s = anyio.current_time()
        self._context = context
        self._feeder = feeder
        self._submissions = submissions
        observe = context.event_log.record_transition
        self._machine = StateMachine(POOL, "pool", clock=context.clock.now, observe=observe)

    @property
    def status(self) -> PoolStatus:
        """Lifecycle state of the pool."""
        return self._machine.state

    async def run(self, executor: CommandExecutor) -> None:
        """Handle events until cancelled."""
        inbox = self._context.inbox
        try:
            async for event in inbox:
                with inbox.unsettled.counted():
                    decision = decide(self.state, event)
                    self.state = decision.state
                    self._apply_state(event)
                    for command in decision.commands:
                        executor.execute(command, self.state)
                    self._end_vain_waits()
                self.last_event_at_s = anyio.current_time()
        finally:
            inbox.unsettled.release_all()

    def shut_down(self) -> None:
        """Move the pool to SHUTTING_DOWN."""
        self._machine.fire(PoolEvent.SHUT_DOWN)

    def close(self) -> None:
        """Move the pool to TERMINATED after its files were removed; does nothing if it never shut down."""
        self._try_to_move(PoolEvent.CLOSE)

    def _apply_state(self, event: PoolInput) -> None:
        """Move the pool's state machine, and open or close the queue, according to the state."""
        self._apply_to_gate(event)
        pauses = self.state.pauses.active
        self._feeder.set_open(is_open=not pauses and not self.state.is_stopping)
        if isinstance(event, WorkerReady):
            self._try_to_move(PoolEvent.STAFF)
        if pauses:
            self._try_to_move(PoolEvent.PAUSE)
            return
        self._try_to_move(PoolEvent.RESUME)
        if any(slot.held for slot in self.state.slots.values()):
            self._try_to_move(PoolEvent.WORK)
        elif self._submissions.unfinished.count == 0:
            self._try_to_move(PoolEvent.REST)

    def _apply_to_gate(self, event: PoolInput) -> None:
        """Tell the gate which orders are in hand, and what an order that has ended shows of the portal."""
        known = (event.task.task_id,) if isinstance(event, TaskAssigned) else ()
        held_count = sum(len(slot.held) for slot in self.state.slots.values())
        self._feeder.gate.set_held(held_count, known=known)
        if isinstance(event, MessageReceived) and isinstance(event.message, Finished):
            finished, report = event.message, event.message.report
            self._feeder.gate.charge(len(report.files) + len(report.missed) + finished.more_request_count)
            if finished.answer_s is not None and not finished.paused_s:  # the time of a suspended machine is not its
                self._feeder.gate.note_answer(finished.answer_s, report.duration_s)

    def _end_vain_waits(self) -> None:
        """Let results be verified at once when no order is left whose success could verify them."""
        for worker in vain_waits(self.state, self._submissions.unfinished.count):
            self._context.post(VerificationDue(worker=worker))

    def _try_to_move(self, event: PoolEvent) -> None:
        if self._machine.can(event):
            self._machine.fire(event)
