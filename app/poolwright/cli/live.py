"""The live view of a run on a terminal: bar, rate, time left, a row for each worker, the last few notices.

``draw`` is pure: a state and a moment become something to print. ``LiveView`` redraws it in place and leaves nothing
behind but what was said for good.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from poolwright.cli import words
from poolwright.cli.outcomes import STYLES, in_words
from poolwright.cli.progress import Progress, Said, WorkerRow
from poolwright.cli.view import QuietView
from poolwright.domain.events import Level
from poolwright.domain.ports import Clock

#: Wider than this the eye loses the line.
WIDTH_MAX = 110
#: Notices shown at once; the log has all of them.
NOTICES_SHOWN = 3
#: Often enough to look alive, seldom enough to cost nothing.
REDRAWS_PER_S = 6

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
_STATES_OF_THE_END = frozenset({"shutting_down", "terminated"})
_LEVEL_STYLES = {Level.INFO: "dim", Level.WARNING: "yellow", Level.ERROR: "red"}


def draw(progress: Progress, title: str, now_s: float) -> RenderableType:
    """One picture of a run, at any width."""
    parts: list[RenderableType] = [_head(progress, title, now_s), _bar(progress), _pace(progress, now_s)]
    if progress.done_count:
        parts.append(_outcomes(progress))
    parts += [Text(), _workers(progress)]
    if progress.notices:
        parts += [Text(), _notices(progress.notices[-NOTICES_SHOWN:], progress.begun_at_s)]
    return Constrain(Group(*parts), WIDTH_MAX)


def _head(progress: Progress, title: str, now_s: float) -> Table:
    state = {"initializing": "starting", "shutting_down": "stopping", "terminated": "ended"}.get(progress.pool, "")
    files = f"{words.count(progress.files_count, 'file')}, {words.size(progress.files_bytes)}   "
    passed = Text.assemble(files if progress.files_count else "", words.clock(now_s - progress.begun_at_s), style="dim")
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


def _pace(progress: Progress, now_s: float) -> Table:
    done, total = progress.done_count, progress.total_count
    share = f"  {done * 100 // total} %" if total else ""
    left = Text.assemble((f"{done:,}", "bold"), f" of {words.count(total, 'order')}", (share, "dim"))
    per_s, left_s = progress.rate_per_s(now_s), progress.left_s(now_s)
    if per_s is None or left_s is None or done >= total or progress.pool in _STATES_OF_THE_END:
        return _two_sided(left, Text())
    return _two_sided(left, Text.assemble(words.rate(per_s), (f"   about {words.clock(left_s)} left", "dim")))


def _outcomes(progress: Progress) -> Text:
    told = (
        Text(f"{progress.outcomes[outcome]:,} {in_words(outcome)}", style)
        for outcome, style in STYLES.items()
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
    yield Text(words.size(row.memory_bytes) if row.memory_bytes else "")
    yield Text(f"{row.done_count:,}")


def _notices(said: Iterable[Said], begun_at_s: float) -> Table:
    lines = Table.grid(Column(justify="right", no_wrap=True, style="dim"), Column(ratio=1), padding=(0, 2, 0, 0))
    for each in said:
        who = f"{each.notice.worker.worker_id}: " if each.notice.worker else ""
        text = Text(f"{who}{each.notice.text}", _LEVEL_STYLES[each.notice.level])
        lines.add_row(words.clock(each.at_s - begun_at_s), text)
    return lines


class LiveView(QuietView):
    """Draws a run in place: while its block lasts, the terminal's lower lines belong to it."""

    def __init__(self, progress: Progress, title: str, *, console: Console, clock: Clock) -> None:
        """Draw ``progress`` under ``title`` on ``console``."""
        super().__init__(progress, console=console, clock=clock)
        self._live = Live(
            # The cursor rests on an empty line: there the terminal's own "^C" moves nothing.
            get_renderable=lambda: Group(draw(self.progress, title, clock.monotonic()), Text()),
            console=console,
            refresh_per_second=REDRAWS_PER_S,
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
