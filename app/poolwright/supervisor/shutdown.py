"""How a pool comes to its end: within its time, whatever hangs.

Each stage has its mark in the time that there is, and what one does not need is left for the next. Who does not come to
an end by the last mark is left behind: a worker's tree is killed by then, a filing is taken up by the next start, and
what the journal did not take is reported.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import anyio

from poolwright.concurrency import WaitGroup
from poolwright.domain.events import Level
from poolwright.supervisor.controller import Controller
from poolwright.supervisor.policy.commands import StopCause
from poolwright.supervisor.policy.events import StopRequested
from poolwright.supervisor.pool_context import PoolContext
from poolwright.supervisor.processes.worker import Worker
from poolwright.supervisor.retrying_journal import RetryingJournal
from poolwright.supervisor.submissions import Submissions
from poolwright.supervisor.task_queue import TaskFeeder

#: Shares of the time for all of it by which a stage is over: events that came before the end are dealt with; tasks in
#: flight are finished; workers are gone; what came of them is written; nothing is waited for any more.
SETTLED, DRAINED, ENDED, WRITTEN, LEFT = 0.1, 0.7, 0.85, 0.9, 0.95
#: A stage has so long even where its mark is over: a time of a second is meant for workers, not for what comes after.
STAGE_MIN_S = 0.5
#: The same for removing clones, the last of all.
CLEAR_MIN_S = 1.0


@dataclass(slots=True, kw_only=True)
class Shutdown:
    """The end of one pool. ``run`` it once."""

    context: PoolContext
    controller: Controller
    feeder: TaskFeeder
    submissions: Submissions
    workers: Sequence[Worker]
    #: Generations of workers that are not over yet.
    alive: WaitGroup
    #: The journal of the context, which knows what it could not write.
    journal: RetryingJournal
    #: Set when nothing of it is waited for any more.
    is_over: anyio.Event = field(default_factory=anyio.Event)
    #: Ends the waiting for tasks in flight.
    _draining: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    #: When the pool must be gone, in seconds of ``anyio.current_time``; ``None`` before its end has begun.
    _gone_at_s: float | None = None

    def hurry(self) -> None:
        """Do not wait for tasks in flight any longer."""
        self._draining.cancel()

    async def run(self, limit_s: float) -> None:
        """Let workers finish what they have, end them, and bring everything undone back to the queue."""
        try:
            await self._run(limit_s)
        finally:
            self.submissions.close()
            self.is_over.set()

    async def _run(self, limit_s: float) -> None:
        begun_s = anyio.current_time()
        self._gone_at_s = begun_s + limit_s
        self.context.deadline.set(begun_s + max(limit_s * LEFT, limit_s * DRAINED + 3 * STAGE_MIN_S))
        self.context.post(StopRequested(cause=StopCause.ASKED))
        await _by(begun_s + limit_s * SETTLED, self.context.inbox.unsettled.wait_idle)
        self.controller.shut_down()
        self.feeder.stop_feeding()
        with self._draining:
            await _by(begun_s + limit_s * DRAINED, self._drain)
        for worker in self.workers:
            worker.kill()
        are_gone = await _by(begun_s + limit_s * ENDED, self.alive.wait_idle)
        is_written = await _by(begun_s + limit_s * WRITTEN, self.context.inbox.unsettled.wait_idle)
        is_returned = await _by(begun_s + limit_s * LEFT, self._return_rest)
        self._report_loss(is_all_done=are_gone and is_written and is_returned)

    def clearing(self, limit_s: float) -> anyio.CancelScope:
        """A scope for what is done last, whoever is cancelled: within the time, or in a moment where that is over.

        Args:
            limit_s: The time for all of it, where the end begins only now: of a pool that never came up.
        """
        now_s = anyio.current_time()
        if self._gone_at_s is None:
            self._gone_at_s = now_s + limit_s
        return anyio.CancelScope(shield=True, deadline=max(self._gone_at_s, now_s + CLEAR_MIN_S))

    async def _drain(self) -> None:
        async with anyio.create_task_group() as asking:
            for worker in self.workers:  # side by side: one that does not listen keeps nobody waiting
                asking.start_soon(worker.drain)
            await self.alive.wait_idle()

    async def _return_rest(self) -> None:
        await self.feeder.release_all()

    def _report_loss(self, *, is_all_done: bool) -> None:
        if loss := self.journal.loss:
            self.context.event_log.notice(Level.ERROR, loss)
        elif not is_all_done:
            hang = "The shutdown did not finish in time: a process, a disk or the journal hangs."
            self.context.event_log.notice(Level.ERROR, f"{hang} The next start resumes what is left.")


async def _by(at_s: float, work: Callable[[], Awaitable[None]]) -> bool:
    """Do something until a time; return whether it was done by then."""
    with anyio.move_on_after(max(STAGE_MIN_S, at_s - anyio.current_time())):
        await work()
        return True
    return False
