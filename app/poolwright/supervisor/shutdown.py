"""The shutdown of a pool, which ends within its time limit, whatever hangs.

Each stage must end by a fixed share of the limit; time that it does not need is left for the next ones. Work that is
unfinished after the last stage is abandoned: the processes of the workers are killed by then, the next start repeats an
unfinished filing, and changes that the journal did not store are reported.
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

#: Shares of the time limit by which each stage ends: earlier events are handled; tasks in flight are finished; workers
#: are gone; their results are written; the other tasks are back in the queue.
SETTLED, DRAINED, ENDED, WRITTEN, LEFT = 0.1, 0.7, 0.85, 0.9, 0.95
#: Shortest time of a stage, even if its share is over: a limit of one second is meant for the workers alone.
STAGE_MIN_S = 0.5
#: Shortest time for removing the clones, which is the last step.
CLEAR_MIN_S = 1.0


@dataclass(slots=True, kw_only=True)
class Shutdown:
    """Shuts one pool down. ``run`` is called once."""

    context: PoolContext
    controller: Controller
    feeder: TaskFeeder
    submissions: Submissions
    workers: Sequence[Worker]
    #: Generations of workers that have not ended yet.
    alive: WaitGroup
    #: The journal of the context, which counts the changes that it could not write.
    journal: RetryingJournal
    #: Set when the shutdown is over.
    is_over: anyio.Event = field(default_factory=anyio.Event)
    #: Cancelled to stop waiting for tasks in flight.
    _draining: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    #: When the pool must have ended, in seconds of ``anyio.current_time``; ``None`` before the shutdown.
    _gone_at_s: float | None = None

    def stop_waiting(self) -> None:
        """Stop waiting for tasks in flight."""
        self._draining.cancel()

    async def run(self, limit_s: float) -> None:
        """Let workers finish their tasks, end them, and return all other tasks to the queue."""
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
        await _run_until(begun_s + limit_s * SETTLED, self.context.inbox.unsettled.wait_idle)
        self.controller.shut_down()
        self.feeder.stop_feeding()
        with self._draining:
            await _run_until(begun_s + limit_s * DRAINED, self._drain)
        for worker in self.workers:
            worker.kill()
        are_gone = await _run_until(begun_s + limit_s * ENDED, self.alive.wait_idle)
        is_written = await _run_until(begun_s + limit_s * WRITTEN, self.context.inbox.unsettled.wait_idle)
        is_returned = await _run_until(begun_s + limit_s * LEFT, self._return_rest)
        self._report_loss(is_all_done=are_gone and is_written and is_returned)

    def removal_scope(self, limit_s: float) -> anyio.CancelScope:
        """Return a shielded scope for removing files, which lasts to the limit, or ``CLEAR_MIN_S`` if that is longer.

        Args:
            limit_s: The limit of a shutdown that begins only now, because the pool never started.
        """
        now_s = anyio.current_time()
        if self._gone_at_s is None:
            self._gone_at_s = now_s + limit_s
        return anyio.CancelScope(shield=True, deadline=max(self._gone_at_s, now_s + CLEAR_MIN_S))

    async def _drain(self) -> None:
        async with anyio.create_task_group() as drains:
            for worker in self.workers:  # concurrently: a worker that hangs must not delay the others
                drains.start_soon(worker.drain)
            await self.alive.wait_idle()

    async def _return_rest(self) -> None:
        await self.feeder.release_all()

    def _report_loss(self, *, is_all_done: bool) -> None:
        if loss := self.journal.loss:
            self.context.event_log.notice(Level.ERROR, loss)
        elif not is_all_done:
            problem = "The shutdown did not finish in time: a process, a disk or the journal hangs."
            self.context.event_log.notice(Level.ERROR, f"{problem} The next start resumes the remaining orders.")


async def _run_until(at_s: float, work: Callable[[], Awaitable[None]]) -> bool:
    """Run a stage until a time; return ``True`` if it was done by then."""
    with anyio.move_on_after(max(STAGE_MIN_S, at_s - anyio.current_time())):
        await work()
        return True
    return False
