"""Ctrl+C and SIGTERM: the first stops in order, the second stops now. Handled here alone, in the leading process.

SIGHUP, which a terminal sends when it is closed, is heard alike where it has no other meaning (``nohup``, a daemon).
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
    """How a run is asked to end."""

    #: Finish the orders in flight, then end.
    stop: anyio.Event = field(default_factory=anyio.Event)
    #: End without waiting for them.
    stop_now: anyio.Event = field(default_factory=anyio.Event)


def termination_signals(*, is_hangup_one: bool = True) -> tuple[signal.Signals, ...]:
    """Those that ask this program to end: none that somebody made it deaf to."""
    hangup: signal.Signals | None = getattr(signal, "SIGHUP", None)
    all_of_them = (signal.SIGINT, signal.SIGTERM, *((hangup,) if hangup is not None and is_hangup_one else ()))
    return tuple(one for one in all_of_them if signal.getsignal(one) is not signal.SIG_IGN)


def stop_message(in_flight_count: int, limit_s: float) -> str:
    """What a person reads after the first signal."""
    if not in_flight_count:
        return "Stopping; press Ctrl+C again to stop at once."
    orders = terminal.format_count(in_flight_count, "order")
    return f"Stopping: finishing {orders} in progress, at most {limit_s:.0f} s; press Ctrl+C again to stop at once."


async def run_cancellable(work: Callable[[], Awaitable[T]]) -> T:
    """Do work that knows no orderly stop of its own: a signal cancels it, and what it holds is wound up.

    Raises:
        KeyboardInterrupt: It was cancelled by a signal.
    """
    results: list[T] = []
    try:
        async with anyio.create_task_group() as beside:
            await beside.start(_cancel_on_signal, beside.cancel_scope)
            results.append(await work())
            beside.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from None
    if not results:
        raise KeyboardInterrupt
    return results[0]


async def run_stoppable(work: Callable[[anyio.Event], Awaitable[T]], say: Callable[[], None]) -> T:
    """Do work that comes to its end in order when its event is set: the first signal sets it, the second cancels.

    Args:
        work: Gets the event.
        say: Tells the person what the first signal does.

    Raises:
        KeyboardInterrupt: It was cancelled by a second signal.
    """
    enough = anyio.Event()
    results: list[T] = []
    try:
        async with anyio.create_task_group() as beside:
            await beside.start(_finish_on_signal, enough, say, beside.cancel_scope)
            results.append(await work(enough))
            beside.cancel_scope.cancel()
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
    is_hangup_one: bool = True,
) -> AsyncGenerator[StopSignals]:
    """Turn signals into wishes while the block lasts. Errors of the block leave it as they are.

    A program that is there still long after the first one hangs, and is ended by ``last_resort``.

    A platform that offers no signal handlers to an event loop stops by KeyboardInterrupt, without a first step.

    Args:
        say: Tells the person what happens now.
        describe: The words for the first signal, asked for when it comes.
        at_stop: Called at the first signal, for whoever else is to know.
        limit_s: How long orders in flight may take then.
        is_hangup_one: Whether SIGHUP is one of them too.
    """
    wishes = StopSignals()

    def hear() -> None:
        if wishes.stop.is_set():
            say("Stopping at once; orders in progress go back to the queue.")
            wishes.stop_now.set()
            return
        hurry_at_last()
        say(describe())
        at_stop()
        wishes.stop.set()

    try:
        with forced_exit(limit_s + EXTRA_TIME_S) as hurry_at_last:
            async with anyio.create_task_group() as beside:
                await beside.start(_listen, termination_signals(is_hangup_one=is_hangup_one), hear)
                yield wishes
                beside.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise unwrap_group(group) from None


async def _listen(
    signals: tuple[signal.Signals, ...], hear: Callable[[], None], *, task_status: TaskStatus[None]
) -> None:
    try:
        with anyio.open_signal_receiver(*signals) as received:
            task_status.started()
            async for _ in received:
                hear()
    except NotImplementedError:
        task_status.started()
