"""Runs a batch in the foreground with its view, log and signals; used by every command that processes orders."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loguru import logger

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli.batch_views import LiveView, OutputMode, View, format_notice, make_view
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


def sandbox_warnings(workers: WorkerConfig) -> tuple[str, ...]:
    """Return the warning that browsers run without their sandbox or may not start with it; empty if not needed."""
    return (workers.sandbox.sentence,) if workers.sandbox.is_notable else ()


def sandbox_notices(workers: WorkerConfig) -> tuple[Notice, ...]:
    """Return the notice for the log only: the sandbox is on, and why."""
    return () if workers.sandbox.is_notable else (Notice(level=Level.INFO, text=workers.sandbox.sentence),)


def log_options(mode: OutputMode, view: View | None, settings: Settings, file: Path | None) -> LogOptions:
    """Return the log destinations: a file, and warnings for people unless a live view uses the terminal."""
    people = None if isinstance(view, LiveView) else partial(console(sys.stderr).out, highlight=False)
    quiet_level = LogLevel.ERROR if mode.is_quiet else LogLevel.WARNING
    return LogOptions(
        level=LogLevel.DEBUG if mode.is_verbose else settings.log_level,
        file=file,
        people=people,
        people_level=LogLevel.DEBUG if mode.is_verbose else quiet_level,
        secrets=secret_texts(settings),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """How a batch is displayed and logged."""

    mode: OutputMode
    #: For the log level and the secrets to redact.
    settings: Settings
    #: The log file.
    log_file: Path
    #: Notices that are displayed before the start.
    notices: tuple[Notice, ...] = ()
    #: Those of them that people read again below the summary, since what comes first scrolls away.
    repeated: tuple[Notice, ...] = ()
    #: Notices for the log only.
    recorded: tuple[Notice, ...] = ()


def info_notices(texts: Iterable[str]) -> tuple[Notice, ...]:
    """Return texts as notices of level INFO."""
    return tuple(Notice(level=Level.INFO, text=text) for text in texts)


async def run_batch_session(job: BatchJob, display: Display, *observers: EventSink) -> BatchSummary:
    """Run a batch with its view, log and signals; print and return its summary.

    Args:
        job: The batch.
        display: How to display and log it.
        observers: Receive every event, too.

    Raises:
        PoolError: A precondition is not met: journal, profile or disk space.
    """
    clock = SystemClock()
    progress = Progress.start(
        total_count=len(job.orders.tasks),
        worker_count=job.pool.worker_count,
        tabs_per_worker=job.pool.worker.tabs_per_worker,
        now_s=clock.monotonic(),
    )
    view = make_view(display.mode, progress, job.orders.source, console(), clock)
    with configure_logging(log_options(display.mode, view, display.settings, display.log_file)):
        with view:
            observe = _fan_out(view, log_event, *observers)
            for notice in display.notices:
                observe(notice)
            for notice in display.recorded:
                log_event(notice)
            with batch_pidfile(display.settings.out / PRIVATE_NAME, clock.now()) as tell_draining:
                summary = await _run(job, view, observe, tell_draining)
        view.show_summary(summary)
        if not display.mode.is_json:
            for notice in display.repeated:
                console().print(format_notice(notice), style="yellow", soft_wrap=True)
        for text in stream_losses():
            logger.warning(text)
    return summary


async def _run(job: BatchJob, view: View, observe: EventSink, tell_draining: Callable[[], None]) -> BatchSummary:
    def describe() -> str:
        return stop_message(view.progress.in_flight_count, job.pool.shutdown_timeout_s)

    limit_s = job.pool.shutdown_timeout_s
    async with stop_signals(view.notify, describe, tell_draining, limit_s=limit_s) as signals:
        return await run_batch(job, observe=observe, stop=signals.stop, stop_now=signals.stop_now)


def _fan_out(*sinks: EventSink) -> EventSink:
    def publish(event: Event) -> None:
        for sink in sinks:
            sink(event)

    return publish
