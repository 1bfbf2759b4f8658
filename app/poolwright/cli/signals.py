"""Ctrl+C and SIGTERM: the first stops in order, the second at once. Only this module handles them, in the main process.

SIGHUP, which a closing terminal sends, has the same effect unless it is ignored (``nohup``) or reloads a daemon.
"""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import anyio
from anyio.abc import TaskStatus

from poolwright.cli import terminal
from poolwright.cli.process_exit import EXTRA_TIME_S, forced_exit
from poolwright.domain.errors import unwrap_group
from poolwright.domain.options import SHUTDOWN_TIMEOUT_MAX_S

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StopSignals:
    """The requests to stop a run."""

    #: Finish the orders in progress, then end.
    stop: anyio.Event = field(default_factory=anyio.Event)
    #: End without waiting for the orders in progress.
    stop_now: anyio.Event = field(default_factory=anyio.Event)


def termination_signals(*, includes_hangup: bool = True) -> tuple[signal.Signals, ...]:
    """Return the signals that stop this program, without ignored ones."""
    hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)
    candidates = (signal.SIGINT, signal.SIGTERM, *((hangup,) if hangup is not None and includes_hangup else ()))
    return tuple(item for item in candidates if signal.getsignal(item) is not signal.SIG_IGN)


def stop_message(in_flight_count: int, limit_s: float) -> str:
    """Return the message after the first signal."""
    if not in_flight_count:
        return "Stopping; press Ctrl+C again to stop at once."
    orders = terminal.format_count(in_flight_count, "order")
    return f"Stopping: finishing {orders} in progress, at most {limit_s:.0f} s; press Ctrl+C again to stop at once."


async def run_cancellable(work: Callable[[], Awaitable[T]]) -> T:
    """Do work that a signal cancels, and return its result.

    Raises:
        KeyboardInterrupt: A signal cancelled the work.
    """
    results: list[T] = []
    try:
        async with anyio.create_task_group() as tasks:
            await tasks.start(_cancel_on_signal, tasks.cancel_scope)
            results.append(await work())
            tasks.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from None
    if not results:
        raise KeyboardInterrupt
    return results[0]


async def run_stoppable(work: Callable[[anyio.Event], Awaitable[T]], say: Callable[[], None]) -> T:
    """Do work that ends in order when its event is set, and return its result.

    The first signal sets the event, the second one cancels the work.

    Args:
        work: Receives the event.
        say: Called at the first signal, to inform the person.

    Raises:
        KeyboardInterrupt: A second signal cancelled the work.
    """
    enough = anyio.Event()
    results: list[T] = []
    try:
        async with anyio.create_task_group() as tasks:
            await tasks.start(_finish_on_signal, enough, say, tasks.cancel_scope)
            results.append(await work(enough))
            tasks.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from None
    if not results:
        raise KeyboardInterrupt
    return results[0]


async def _finish_on_signal(
    enough: anyio.Event, say: Callable[[], None], scope: anyio.CancelScope, *, task_status: TaskStatus[None]
) -> None:
    try:
        with anyio.open_signal_receiver(*termination_signals()) as received:
            task_status.started()
            async for _ in received:
                if enough.is_set():
                    scope.cancel()
                else:
                    say()
                    enough.set()
    except NotImplementedError:
        task_status.started()


async def _cancel_on_signal(scope: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
    try:
        with anyio.open_signal_receiver(*termination_signals()) as received:
            task_status.started()
            async for _ in received:
                scope.cancel()
    except NotImplementedError:
        task_status.started()


@asynccontextmanager
async def stop_signals(
    say: Callable[[str], None],
    describe: Callable[[], str],
    at_stop: Callable[[], None] = lambda: None,
    *,
    limit_s: float = SHUTDOWN_TIMEOUT_MAX_S,
    includes_hangup: bool = True,
) -> AsyncGenerator[StopSignals]:
    """Turn signals into stop requests for the duration of the block, whose errors are passed on.

    If the program is still running long after the first signal, ``forced_exit`` ends it.

    On a platform without signal handlers for event loops, a signal stops the program by KeyboardInterrupt at once.

    Args:
        say: Shows a message to the person.
        describe: Returns the message for the first signal.
        at_stop: Called at the first signal.
        limit_s: Time limit for orders in progress after the first signal.
        includes_hangup: Whether SIGHUP stops the program, too.
    """
    requests = StopSignals()

    def on_signal() -> None:
        if requests.stop.is_set():
            say("Stopping at once; orders in progress go back to the queue.")
            requests.stop_now.set()
            return
        start_time_limit()
        say(describe())
        at_stop()
        requests.stop.set()

    try:
        with forced_exit(limit_s + EXTRA_TIME_S) as start_time_limit:
            async with anyio.create_task_group() as tasks:
                await tasks.start(_listen, termination_signals(includes_hangup=includes_hangup), on_signal)
                yield requests
                tasks.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from None


async def _listen(
    signals: tuple[signal.Signals, ...], on_signal: Callable[[], None], *, task_status: TaskStatus[None]
) -> None:
    try:
        with anyio.open_signal_receiver(*signals) as received:
            task_status.started()
            async for _ in received:
                on_signal()
    except NotImplementedError:
        task_status.started()
