"""The views of a batch: summary only, plain lines, JSON lines or a live display, and the choice between them.

Every object has ``type`` (``moved``, ``task_started``, ``task_ended``, ``task_returned``, ``worker_seen``,
``memory_relieved``, ``notice``, ``summary``) and ``at`` (UTC); the rest are the fields of the event by their names.

``draw`` is pure: a state and a moment become something to print. ``LiveView`` redraws it in place and leaves nothing
behind but what was said for good.
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
from poolwright.cli.terminal import OUTCOME_STYLES, format_outcome, is_unicode
from poolwright.domain.events import Event, Level, MemoryRelieved, Notice, TaskEnded, TaskReturned
from poolwright.domain.outcomes import ReturnReason
from poolwright.domain.ports import Clock
from poolwright.service.batch import BatchSummary
from poolwright.service.daemon.event_stream import dump_event, event_kind


class View(Protocol):
    """Shows a run while its block lasts. Takes events at once and never raises for them."""

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        ...

    def __call__(self, event: Event, /) -> None:
        """Take one event."""
        ...

    def notify(self, text: str) -> None:
        """Tell the person something now."""
        ...

    def show_summary(self, summary: BatchSummary) -> None:
        """Show how the run ended. After the block."""
        ...

    def __enter__(self) -> Self:
        """Begin to show."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Stop showing, and leave the terminal as it was."""
        ...


class QuietView:
    """Keeps count, and shows only how the run ended."""

    def __init__(self, progress: Progress, *, console: Console, clock: Clock) -> None:
        """Begin at ``progress``, with the times of ``clock``; print to ``console``."""
        self._progress = progress
        self._console = console
        self._clock = clock

    @property
    def progress(self) -> Progress:
        """How far the run is."""
        return self._progress

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self._progress = advance(self._progress, event, self._clock.monotonic())

    def notify(self, text: str) -> None:
        """Take it as a notice."""
        self(Notice(level=Level.WARNING, text=text))

    def show_summary(self, summary: BatchSummary) -> None:
        """Print the summary."""
        for line in summary_lines(summary, self.progress):
            self._console.print(line, soft_wrap=True)

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Nothing to end."""


def format_event(event: Event, before: Progress, after: Progress) -> str:
    """What one event is worth in a line; empty for nothing."""
    match event:
        case TaskEnded():
            return _format_ended(event, after)
        case TaskReturned() if not isinstance(event.why, ReturnReason):
            again = f"again in {terminal.format_duration(event.delay_s)}" if event.delay_s else "again soon"
            detail = f": {event.detail}" if event.detail else ""
            return f"{before.order_name(event.task_id)} {event.why.value}{detail} ({again})"
        case Notice() | MemoryRelieved():
            return format_notice(event)
        case _:
            return ""


def format_notice(event: Notice | MemoryRelieved) -> str:
    """A sentence for people, with whom it is about."""
    notice = event if isinstance(event, Notice) else event.notice
    who = f"{notice.worker.worker_id}: " if notice.worker else ""
    weight = "" if notice.level is Level.INFO else f"{notice.level.value}: "
    return f"{weight}{who}{notice.text}"


def _format_ended(event: TaskEnded, after: Progress) -> str:
    report = event.report
    size_bytes = sum(file.size_bytes for file in report.files)
    files = (
        f"{terminal.format_count(len(report.files), 'file')} {terminal.format_size(size_bytes)}" if report.files else ""
    )
    why = "" if report.meaning.action.value == "done" else report.detail or report.meaning.next_step
    place = f"{after.done_count}/{after.total_count}"
    told = (place, event.task.po_number, report.outcome.value, files, terminal.format_duration(report.duration_s), why)
    return " ".join(filter(None, told))


class PlainView(QuietView):
    """Prints lines as things happen."""

    def __call__(self, event: Event) -> None:
        """Print what the event is worth."""
        before = self.progress
        super().__call__(event)
        line = format_event(event, before, self.progress)
        if line:
            self._console.out(line, highlight=False)


@cache
def _summary_adapter() -> TypeAdapter[BatchSummary]:
    return TypeAdapter(BatchSummary)  # at the end of a run, and not when it starts


def event_json(event: Event, at: datetime, *, is_ascii: bool = False) -> str:
    """One event as one line; ``is_ascii`` for whoever takes no other letters."""
    return json.dumps({"type": event_kind(event), "at": at.isoformat(), **dump_event(event)}, ensure_ascii=is_ascii)


def summary_json(summary: BatchSummary, at: datetime, *, is_ascii: bool = False) -> str:
    """How a run ended as one line, with the exit code."""
    fields = _summary_adapter().dump_python(summary, mode="json")
    code = exit_code_of_summary(summary).value
    return json.dumps({"type": "summary", "at": at.isoformat(), "exit_code": code, **fields}, ensure_ascii=is_ascii)


class JsonView(QuietView):
    """Writes lines as things happen."""

    def __call__(self, event: Event) -> None:
        """Write the event."""
        super().__call__(event)
        self._write(event_json(event, self._clock.now(), is_ascii=not is_unicode(self._console)))

    def show_summary(self, summary: BatchSummary) -> None:
        """Write the summary."""
        self._write(summary_json(summary, self._clock.now(), is_ascii=not is_unicode(self._console)))

    def _write(self, line: str) -> None:
        self._console.out(line, highlight=False)


#: Wider than this the eye loses the line.
WIDTH_MAX = 110
#: Notices shown at once; the log has all of them.
NOTICES_SHOWN = 3
#: Often enough to look alive, seldom enough to cost nothing.
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
#: What is left is not done any more by then.
_FINAL_STATES = frozenset({"shutting_down", "terminated"})
_LEVEL_STYLES = {Level.INFO: "dim", Level.WARNING: "yellow", Level.ERROR: "red"}


def render(progress: Progress, title: str, now_s: float) -> RenderableType:
    """One picture of a run, at any width."""
    parts: list[RenderableType] = [_head(progress, title, now_s), _bar(progress), _throughput(progress, now_s)]
    if progress.done_count:
        parts.append(_outcomes(progress))
    parts += [Text(), _workers(progress)]
    if progress.notices:
        parts += [Text(), _notices(progress.notices[-NOTICES_SHOWN:], progress.begun_at_s)]
    return Constrain(Group(*parts), WIDTH_MAX)


def _head(progress: Progress, title: str, now_s: float) -> Table:
    state = {"initializing": "starting", "shutting_down": "stopping", "terminated": "ended"}.get(progress.pool, "")
    files = f"{terminal.format_count(progress.files_count, 'file')}, {terminal.format_size(progress.files_bytes)}   "
    passed = Text.assemble(
        files if progress.files_count else "", terminal.format_clock(now_s - progress.begun_at_s), style="dim"
    )
    return _two_sided(Text.assemble((title, "bold"), ("  " + state if state else "", "cyan")), passed)


def _bar(progress: Progress) -> Table:
    bar = ProgressBar(
        total=max(progress.total_count, 1),
        completed=progress.done_count if progress.total_count else 1,
        complete_style="green",
        finished_style="green",
    )
    line = Table.grid(expand=True)  # a bar does not end its own line
    line.add_row(bar)
    return line


def _throughput(progress: Progress, now_s: float) -> Table:
    done, total = progress.done_count, progress.total_count
    share = f"  {done * 100 // total} %" if total else ""
    left = Text.assemble((f"{done:,}", "bold"), f" of {terminal.format_count(total, 'order')}", (share, "dim"))
    per_s, left_s = progress.rate_per_s(now_s), progress.remaining_s(now_s)
    if per_s is None or left_s is None or done >= total or progress.pool in _FINAL_STATES:
        return _two_sided(left, Text())
    return _two_sided(
        left, Text.assemble(terminal.format_rate(per_s), (f"   about {terminal.format_clock(left_s)} left", "dim"))
    )


def _outcomes(progress: Progress) -> Text:
    told = (
        Text(f"{progress.outcomes[outcome]:,} {format_outcome(outcome)}", style)
        for outcome, style in OUTCOME_STYLES.items()
        if progress.outcomes.get(outcome)
    )
    return Text("   ").join(told)


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
    # An order stays with its worker until its files are filed; its tab is free for the next one before that.
    yield Text(f"{min(len(row.orders), tabs_count)}/{tabs_count}", "" if row.orders else "dim")
    yield Text(terminal.format_size(row.memory_bytes) if row.memory_bytes else "")
    yield Text(f"{row.done_count:,}")


def _notices(said: Iterable[TimedNotice], begun_at_s: float) -> Table:
    lines = Table.grid(Column(justify="right", no_wrap=True, style="dim"), Column(ratio=1), padding=(0, 2, 0, 0))
    for each in said:
        who = f"{each.notice.worker.worker_id}: " if each.notice.worker else ""
        text = Text(f"{who}{each.notice.text}", _LEVEL_STYLES[each.notice.level])
        lines.add_row(terminal.format_clock(each.at_s - begun_at_s), text)
    return lines


class LiveView(QuietView):
    """Draws a run in place: while its block lasts, the terminal's lower lines belong to it."""

    def __init__(self, progress: Progress, title: str, *, console: Console, clock: Clock) -> None:
        """Draw ``progress`` under ``title`` on ``console``."""
        super().__init__(progress, console=console, clock=clock)
        self._live = Live(
            # The cursor rests on an empty line: there the terminal's own "^C" moves nothing.
            get_renderable=lambda: Group(render(self.progress, title, clock.monotonic()), Text()),
            console=console,
            refresh_per_second=REFRESHES_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def __enter__(self) -> Self:
        """Take the terminal's lower lines."""
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """Give them back."""
        self._live.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputMode:
    """How a person wants to see a run."""

    is_json: bool = False
    is_quiet: bool = False
    is_verbose: bool = False


def make_view(manner: OutputMode, progress: Progress, title: str, screen: Console, clock: Clock) -> View:
    """The view for this manner on this screen."""
    if manner.is_json:
        return JsonView(progress, console=screen, clock=clock)
    if manner.is_quiet:
        return QuietView(progress, console=screen, clock=clock)
    if screen.is_terminal and not manner.is_verbose:
        return LiveView(progress, title, console=screen, clock=clock)
    return PlainView(progress, console=screen, clock=clock)
