"""The views of a batch: summary only, plain lines, JSON lines or a live display, and the choice between them.

Every JSON object has ``type`` (``moved``, ``task_started``, ``task_ended``, ``task_returned``, ``worker_seen``,
``memory_relieved``, ``notice``, ``summary``) and ``at`` (UTC); the others are the fields of the event.

``render`` is pure: it turns a progress and a time into a renderable, which ``LiveView`` redraws in place and removes
at its end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Protocol, Self

from pydantic import TypeAdapter
from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from poolwright.cli import terminal
from poolwright.cli.process_exit import exit_code_of_summary
from poolwright.cli.progress import Progress, TimedNotice, WorkerRow, advance
from poolwright.cli.summary import summary_lines
from poolwright.cli.terminal import OUTCOME_STYLES, FittingTable, format_outcome, is_unicode
from poolwright.domain.events import Event, Level, MemoryRelieved, Notice, TaskEnded, TaskReturned
from poolwright.domain.outcomes import ReturnReason
from poolwright.domain.ports import Clock
from poolwright.service.batch import BatchSummary
from poolwright.service.daemon.event_stream import dump_event, event_kind


class View(Protocol):
    """Displays a run for the duration of its block. Handles events at once and never raises for them."""

    @property
    def progress(self) -> Progress:
        """The progress of the run."""
        ...

    def __call__(self, event: Event, /) -> None:
        """Handle one event."""
        ...

    def notify(self, text: str) -> None:
        """Show a text to the person now."""
        ...

    def show_summary(self, summary: BatchSummary) -> None:
        """Show the summary of the run, after the block."""
        ...

    def __enter__(self) -> Self:
        """Start the display."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Stop the display and restore the terminal."""
        ...


class QuietView:
    """Tracks the progress and shows the summary only."""

    def __init__(self, progress: Progress, *, console: Console, clock: Clock) -> None:
        """Start with ``progress``; print to ``console``."""
        self._progress = progress
        self._console = console
        self._clock = clock

    @property
    def progress(self) -> Progress:
        """The progress of the run."""
        return self._progress

    def __call__(self, event: Event) -> None:
        """Handle one event."""
        self._progress = advance(self._progress, event, self._clock.monotonic())

    def notify(self, text: str) -> None:
        """Handle the text as a notice."""
        self(Notice(level=Level.WARNING, text=text))

    def show_summary(self, summary: BatchSummary) -> None:
        """Print the summary."""
        for line in summary_lines(summary, self.progress):
            self._console.print(line, soft_wrap=True)

    def __enter__(self) -> Self:
        """Return the view; there is nothing to start."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Do nothing: there is nothing to stop."""


def format_event(event: Event, before: Progress, after: Progress) -> str:
    """Return an event as one line; empty if it is not shown."""
    match event:
        case TaskEnded():
            return _format_ended(event, after)
        case TaskReturned() if not isinstance(event.why, ReturnReason):
            retry_text = f"again in {terminal.format_duration(event.delay_s)}" if event.delay_s else "again soon"
            detail = f": {event.detail}" if event.detail else ""
            return f"{before.order_name(event.task_id)} {event.why.value}{detail} ({retry_text})"
        case Notice() | MemoryRelieved():
            return format_notice(event)
        case _:
            return ""


def format_notice(event: Notice | MemoryRelieved) -> str:
    """Return a notice for people, with its level and worker."""
    notice = event if isinstance(event, Notice) else event.notice
    worker = f"{notice.worker.worker_id}: " if notice.worker else ""
    level = "" if notice.level is Level.INFO else f"{notice.level.value}: "
    return f"{level}{worker}{notice.text}"


def _format_ended(event: TaskEnded, after: Progress) -> str:
    report = event.report
    size_bytes = sum(file.size_bytes for file in report.files)
    files = (
        f"{terminal.format_count(len(report.files), 'file')} {terminal.format_size(size_bytes)}" if report.files else ""
    )
    is_quiet = report.meaning.action.value == "done" and event.task.known_files is None
    cause = "" if is_quiet else report.detail or report.meaning.next_step
    position = f"{after.done_count}/{after.total_count}"
    took = terminal.format_duration(report.duration_s)
    parts = (position, event.task.po_number, report.outcome.value, files, took, cause)
    return " ".join(filter(None, parts))


class PlainView(QuietView):
    """Prints one line per event."""

    def __call__(self, event: Event) -> None:
        """Handle one event and print its line."""
        before = self.progress
        super().__call__(event)
        line = format_event(event, before, self.progress)
        if line:
            self._console.out(line, highlight=False)


@cache
def _summary_adapter() -> TypeAdapter[BatchSummary]:
    return TypeAdapter(BatchSummary)  # built at the end of a run: it is not needed at the start


def event_json(event: Event, at: datetime, *, is_ascii: bool = False) -> str:
    """Return an event as one JSON line; ``is_ascii`` escapes other characters."""
    return json.dumps({"type": event_kind(event), "at": at.isoformat(), **dump_event(event)}, ensure_ascii=is_ascii)


def summary_json(summary: BatchSummary, at: datetime, *, is_ascii: bool = False) -> str:
    """Return the summary with the exit code as one JSON line."""
    fields = _summary_adapter().dump_python(summary, mode="json")
    code = exit_code_of_summary(summary).value
    return json.dumps({"type": "summary", "at": at.isoformat(), "exit_code": code, **fields}, ensure_ascii=is_ascii)


class JsonView(QuietView):
    """Writes one JSON line per event."""

    def __call__(self, event: Event) -> None:
        """Handle one event and write its line."""
        super().__call__(event)
        self._write(event_json(event, self._clock.now(), is_ascii=not is_unicode(self._console)))

    def show_summary(self, summary: BatchSummary) -> None:
        """Write the line of the summary."""
        self._write(summary_json(summary, self._clock.now(), is_ascii=not is_unicode(self._console)))

    def _write(self, line: str) -> None:
        self._console.out(line, highlight=False)


#: Maximum width in columns: wider lines are hard to read.
WIDTH_MAX = 110
#: Notices shown at once; the log has all of them.
NOTICES_SHOWN = 3
#: Smooth enough, at low cost.
REFRESHES_PER_S = 6

_STATE_STYLES = {
    "processing": "green",
    "ready": "cyan",
    "idle": "dim",
    "crashed": "red",
    "restarting": "yellow",
    "terminating": "dim",
    "terminated": "dim",
}
#: States of a pool that starts no more orders.
_FINAL_STATES = frozenset({"shutting_down", "terminated"})
_LEVEL_STYLES = {Level.INFO: "dim", Level.WARNING: "yellow", Level.ERROR: "red"}


def render(progress: Progress, title: str, now_s: float) -> RenderableType:
    """Return the display of a run, for any width."""
    parts: list[RenderableType] = [_head(progress, title, now_s), _bar(progress), _throughput(progress, now_s)]
    if progress.done_count:
        parts.append(_outcomes(progress))
    parts += [Text(), FittingTable(_workers(progress))]
    if progress.notices:
        parts += [Text(), _notices(progress.notices[-NOTICES_SHOWN:], progress.begun_at_s)]
    return Constrain(Group(*parts), WIDTH_MAX)


def _head(progress: Progress, title: str, now_s: float) -> Table:
    state = {"initializing": "starting", "shutting_down": "stopping", "terminated": "ended"}.get(progress.pool, "")
    files = f"{terminal.format_count(progress.files_count, 'file')}, {terminal.format_size(progress.files_bytes)}   "
    elapsed = Text.assemble(
        files if progress.files_count else "", terminal.format_clock(now_s - progress.begun_at_s), style="dim"
    )
    return _two_sided(Text.assemble((title, "bold"), ("  " + state if state else "", "cyan")), elapsed)


def _bar(progress: Progress) -> Table:
    bar = ProgressBar(
        total=max(progress.total_count, 1),
        completed=progress.done_count if progress.total_count else 1,
        complete_style="green",
        finished_style="green",
    )
    line = Table.grid(expand=True)  # a bar alone has no line break
    line.add_row(bar)
    return line


def _throughput(progress: Progress, now_s: float) -> Table:
    done_count, total_count = progress.done_count, progress.total_count
    share = f"  {done_count * 100 // total_count} %" if total_count else ""
    orders = terminal.format_count(total_count, "order")
    done_text = Text.assemble((f"{done_count:,}", "bold"), f" of {orders}", (share, "dim"))
    per_s, remaining_s = progress.rate_per_s(now_s), progress.remaining_s(now_s)
    if per_s is None or remaining_s is None or done_count >= total_count or progress.pool in _FINAL_STATES:
        return _two_sided(done_text, Text())
    estimate = f"   about {terminal.format_clock(remaining_s)} left"
    return _two_sided(done_text, Text.assemble(terminal.format_rate(per_s), (estimate, "dim")))


def _outcomes(progress: Progress) -> Text:
    texts = (
        Text(f"{progress.outcomes[outcome]:,} {format_outcome(outcome)}", style)
        for outcome, style in OUTCOME_STYLES.items()
        if progress.outcomes.get(outcome)
    )
    return Text("   ").join(texts)


def _two_sided(left: Text, right: Text) -> Table:
    line = Table.grid(Column(ratio=1, no_wrap=True, overflow="ellipsis"), Column(no_wrap=True), expand=True)
    line.add_row(left, right)
    return line


def _workers(progress: Progress) -> Table:
    table = Table(
        Column("worker", no_wrap=True),
        Column("state", no_wrap=True, min_width=10),
        Column("orders", ratio=1, no_wrap=True, overflow="ellipsis"),
        Column("tabs", justify="right", no_wrap=True),
        Column("memory", justify="right", no_wrap=True, min_width=7),
        Column("done", justify="right", no_wrap=True, min_width=5),
        box=None,
        expand=True,
        header_style="dim",
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for row in progress.rows:
        table.add_row(*_worker(row, progress.tabs_per_worker))
    return table


def _worker(row: WorkerRow, tabs_count: int) -> Iterable[Text]:
    state = row.state or "waiting"
    yield Text(row.worker_id)
    yield Text(state, _STATE_STYLES.get(state, "cyan"))
    yield Text("  ".join(row.orders.values()))
    # A worker keeps an order until its files are filed, but its tab is free before that.
    yield Text(f"{min(len(row.orders), tabs_count)}/{tabs_count}", "" if row.orders else "dim")
    yield Text(terminal.format_size(row.memory_bytes) if row.memory_bytes else "")
    yield Text(f"{row.done_count:,}")


def _notices(notices: Iterable[TimedNotice], begun_at_s: float) -> Table:
    lines = Table.grid(Column(justify="right", no_wrap=True, style="dim"), Column(ratio=1), padding=(0, 2, 0, 0))
    for timed in notices:
        worker = f"{timed.notice.worker.worker_id}: " if timed.notice.worker else ""
        text = Text(f"{worker}{timed.notice.text}", _LEVEL_STYLES[timed.notice.level])
        lines.add_row(terminal.format_clock(timed.at_s - begun_at_s), text)
    return lines


class LiveView(QuietView):
    """Displays a run in the lower lines of the terminal, redrawn in place, for the duration of its block."""

    def __init__(self, progress: Progress, title: str, *, console: Console, clock: Clock) -> None:
        """Display ``progress`` under ``title`` on ``console``."""
        super().__init__(progress, console=console, clock=clock)
        self._live = Live(
            # The cursor is on an empty line, where the "^C" that the terminal prints moves nothing.
            get_renderable=lambda: Group(render(self.progress, title, clock.monotonic()), Text()),
            console=console,
            refresh_per_second=REFRESHES_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        """Start the live display."""
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Stop and remove the live display."""
        self._live.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMode:
    """The output options of a command."""

    is_json: bool = False
    is_quiet: bool = False
    is_verbose: bool = False


def make_view(mode: OutputMode, progress: Progress, title: str, screen: Console, clock: Clock) -> View:
    """Return the view for the output options and the console."""
    if mode.is_json:
        return JsonView(progress, console=screen, clock=clock)
    if mode.is_quiet:
        return QuietView(progress, console=screen, clock=clock)
    if screen.is_terminal and not mode.is_verbose:
        return LiveView(progress, title, console=screen, clock=clock)
    return PlainView(progress, console=screen, clock=clock)
