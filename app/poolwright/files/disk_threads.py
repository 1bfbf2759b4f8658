"""Threads for blocking disk work; a disk that hangs never keeps the program from exiting.

A call that is cancelled before its work began is dropped. Work that runs already gets a short grace time; then it is
abandoned, and whether its change was written is unknown until the next start reads the journal. Abandoned work keeps
its thread until it ends, so later calls never share a thread with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Generator
from queue import SimpleQueue
from threading import Thread, local
from typing import Generic, TypeVar

import anyio
from anyio import from_thread

#: How long a cancelled call waits for the end of its running work.
CANCEL_GRACE_S = 1.0

T = TypeVar("T")
_here = local()


class DiskJob(Generic[T]):
    """One blocking call in a thread."""

    def __init__(self, work: Callable[[], T], begun_s: float) -> None:
        """Store the work without starting it."""
        self.begun_s = begun_s
        self.is_over = anyio.Event()
        #: Whether no caller waits for it any more.
        self.is_abandoned = False
        self._work = work
        self._results: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        """Do the work; called in a thread of the pool."""
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: ASYNC103, BLE001 - raised again where it is waited for
            self._error = error

    @property
    def is_done(self) -> bool:
        """Whether the work is complete; false if it was broken off because no caller waited."""
        return self.is_over.is_set() and not isinstance(self._error, asyncio.CancelledError)

    def result(self) -> T:
        """Return the result, or raise the error of the work."""
        if self._error is not None:
            raise self._error
        return self._results[0]


class DiskThreads:
    """A fixed number of threads. ``start`` and ``run`` belong to one event loop."""

    def __init__(self, count: int, *, patience_s: float, refusal: Callable[[], Exception]) -> None:
        """Create the pool without starting its threads.

        Args:
            count: The number of threads.
            patience_s: The longest time of work that does not hang. No call waits longer for abandoned work.
            refusal: Creates the error that such a call raises.
        """
        #: The free threads; a thread is taken until its work ends.
        self.free = anyio.CapacityLimiter(count)
        self._count = count
        self._patience_s = patience_s
        self._refusal = refusal
        self._jobs: SimpleQueue[DiskJob[object] | None] = SimpleQueue()
        self._abandoned: set[DiskJob[object]] = set()
        self._waiting: set[anyio.CancelScope] = set()

    def start(self) -> None:
        """Start the threads. The exit of the program does not wait for them."""
        loop = asyncio.get_running_loop()
        for _ in range(self._count):
            Thread(target=self._work, args=(loop,), name="journal", daemon=True).start()

    async def close(self, last: Callable[[], None], limit_s: float) -> None:
        """End the threads after all queued work and ``last``; wait at most ``limit_s``, even if cancelled.

        Work that hangs keeps its thread. If it continues later, the rest follows; if not, the program ends without it.
        """
        job = DiskJob(last, math.inf)
        self._jobs.put(job)  # pyright: ignore[reportArgumentType] - as in run
        for _ in range(self._count):
            self._jobs.put(None)
        with anyio.move_on_after(limit_s, shield=True):
            await job.is_over.wait()
            job.result()

    async def run(self, work: Callable[[], T]) -> T:
        """Run blocking work in a thread.

        Raises:
            Exception: The error of the work; or the refusal, if all threads hang in abandoned work.
        """
        job = DiskJob(work, math.inf)
        with self._waiting_for_turn() as turn:
            await self.free.acquire_on_behalf_of(job)
        if turn.cancelled_caught:
            raise self._refusal()
        job.begun_s = anyio.current_time()
        self._jobs.put(job)  # pyright: ignore[reportArgumentType] - the thread does not use the result
        try:
            await job.is_over.wait()
        except anyio.get_cancelled_exc_class():  # noqa: ASYNC103 - a complete result is returned; the next await is cancelled
            job.is_abandoned = True
            if not _is_cancellation_repeated():
                raise
            with anyio.move_on_after(CANCEL_GRACE_S, shield=True):
                await job.is_over.wait()
            if not job.is_over.is_set():
                self._abandon(job)
            if not job.is_done:
                raise
        return job.result()

    def _abandon(self, job: DiskJob[T]) -> None:
        self._abandoned.add(job)  # pyright: ignore[reportArgumentType] - as above
        for scope in self._waiting:
            scope.deadline = self._due_s()

    def _due_s(self) -> float:
        """Return the deadline of waiting for a thread: infinite, unless abandoned work has all threads."""
        if len(self._abandoned) < self._count:
            return math.inf
        return min(job.begun_s for job in self._abandoned) + self._patience_s

    @contextlib.contextmanager
    def _waiting_for_turn(self) -> Generator[anyio.CancelScope]:
        with anyio.CancelScope(deadline=self._due_s()) as scope:
            self._waiting.add(scope)
            try:
                yield scope
            finally:
                self._waiting.discard(scope)

    def _work(self, loop: asyncio.AbstractEventLoop) -> None:
        while (job := self._jobs.get()) is not None:
            _here.job = job
            job.run()
            with contextlib.suppress(RuntimeError):  # the loop is closed: no caller waits any more
                loop.call_soon_threadsafe(self._on_done, job)

    def _on_done(self, job: DiskJob[object]) -> None:
        self._abandoned.discard(job)
        for scope in self._waiting:
            scope.deadline = self._due_s()
        if job.begun_s < math.inf:  # the last work of ``close`` takes no token of the limiter
            self.free.release_on_behalf_of(job)
        job.is_over.set()


def check_cancelled() -> None:
    """Raise in this thread if its caller has given up; long work calls it regularly."""
    job: DiskJob[object] | None = getattr(_here, "job", None)
    if job is None:
        with contextlib.suppress(RuntimeError):  # neither a thread of ours nor of anyio
            from_thread.check_cancelled()
    elif job.is_abandoned:
        raise asyncio.CancelledError


def _is_cancellation_repeated() -> bool:
    """Whether a caught cancellation is raised again at the next await: a native one of asyncio is not."""
    return anyio.current_effective_deadline() == -math.inf
