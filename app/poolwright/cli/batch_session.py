"""One batch in the foreground: its view, its log and its signals, the same for every command that runs orders.

The same path for every command that runs orders.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loguru import logger

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli.batch_views import LiveView, OutputMode, View, make_view
from poolwright.cli.progress import Progress
from poolwright.cli.signals import stop_message, stop_signals
from poolwright.cli.streams import stream_losses
from poolwright.cli.terminal import console
from poolwright.concurrency import SystemClock
from poolwright.domain.events import Event, Level, Notice
from poolwright.domain.ports import EventSink
from poolwright.service.batch import BatchJob, BatchSummary
from poolwright.service.batch_run import run_batch
from poolwright.service.log_setup import LogOptions, configure_logging, log_event
from poolwright.service.pidfile import batch_pidfile
from poolwright.service.pool_config import WorkerConfig, secret_texts
from poolwright.settings import LogLevel, Settings


def sandbox_warnings(crew: WorkerConfig) -> tuple[str, ...]:
    """What a person is told when browsers run without their sandbox, or may not start because of it."""
    return (crew.sandbox.sentence,) if crew.sandbox.is_notable else ()


def sandbox_notices(crew: WorkerConfig) -> tuple[Notice, ...]:
    """What only the log is told: that it is on, and why."""
    return () if crew.sandbox.is_notable else (Notice(level=Level.INFO, text=crew.sandbox.sentence),)


def log_options(manner: OutputMode, view: View | None, settings: Settings, file: Path | None) -> LogOptions:
    """Where the log goes: all of it to the file; to people what matters, unless a live view has their terminal."""
    people = None if isinstance(view, LiveView) else partial(console(sys.stderr).out, highlight=False)
    quiet_level = LogLevel.ERROR if manner.is_quiet else LogLevel.WARNING
    return LogOptions(
        level=LogLevel.DEBUG if manner.is_verbose else settings.log_level,
        file=file,
        people=people,
        people_level=LogLevel.DEBUG if manner.is_verbose else quiet_level,
        secrets=secret_texts(settings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """How one batch is shown and logged."""

    manner: OutputMode
    #: For the log's weight and its secrets.
    settings: Settings
    #: For the whole log.
    log_file: Path
    #: What the person should know before it starts.
    notices: tuple[Notice, ...] = ()
    #: What only the log is told.
    recorded: tuple[Notice, ...] = ()


def info_notices(texts: Iterable[str]) -> tuple[Notice, ...]:
    """What is good to know, as notices."""
    return tuple(Notice(level=Level.INFO, text=text) for text in texts)


async def run_batch_session(job: BatchJob, showing: Display, *observers: EventSink) -> BatchSummary:
    """Run a batch and show it. Returns how it ended, after that was shown. Signals are heard meanwhile.

    Args:
        job: What to do.
        showing: How to show it.
        observers: See all events too.

    Raises:
        PoolError: Something that must stand before the first order does not.
    """
    clock = SystemClock()
    progress = Progress.start(
        total_count=len(job.orders.tasks),
        worker_count=job.pool.worker_count,
        tabs_per_worker=job.pool.worker.tabs_per_worker,
        now_s=clock.monotonic(),
    )
    view = make_view(showing.manner, progress, job.orders.source, console(), clock)
    with configure_logging(log_options(showing.manner, view, showing.settings, showing.log_file)):
        with view:
            observe = _fan_out(view, log_event, *observers)
            for notice in showing.notices:
                observe(notice)
            for notice in showing.recorded:
                log_event(notice)
            with batch_pidfile(showing.settings.out / PRIVATE_NAME, clock.now()) as tell_draining:
                summary = await _run(job, view, observe, tell_draining)
        view.show_summary(summary)
        for text in stream_losses():
            logger.warning(text)
    return summary


async def _run(job: BatchJob, view: View, observe: EventSink, tell_draining: Callable[[], None]) -> BatchSummary:
    def describe() -> str:
        return stop_message(view.progress.in_flight_count, job.pool.shutdown_timeout_s)

    limit_s = job.pool.shutdown_timeout_s
    async with stop_signals(view.notify, describe, tell_draining, limit_s=limit_s) as wishes:
        return await run_batch(job, observe=observe, stop=wishes.stop, stop_now=wishes.stop_now)


def _fan_out(*sinks: EventSink) -> EventSink:
    def tell(event: Event) -> None:
        for sink in sinks:
            sink(event)

    return tell
