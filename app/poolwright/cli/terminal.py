"""The terminal of every command: its console, formatted sizes, times and counts, and the colours of outcomes."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import IO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Column, Table
from rich.text import Text

from poolwright.domain.outcomes import Outcome


def console(stream: IO[str] | None = None) -> Console:
    """Return a console on standard output, or on ``stream``, that does not interpret markup."""
    return Console(file=stream or sys.stdout, markup=False, emoji=False, highlight=False)


def is_unicode(screen: Console) -> bool:
    """Return whether the console can show every character."""
    return screen.encoding.startswith("utf")


class FittingTable:
    """A table that becomes one block of lines for each row if its columns do not fit into the terminal.

    The library drops columns for which there is no room, without a sign; in the blocks every value has its title.
    """

    def __init__(self, table: Table) -> None:
        """Show a table whose titles and cells are texts. Words that are too long for their column are not cut off."""
        self._table = table
        for column in table.columns:
            if not column.no_wrap:
                column.overflow = "fold"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the table, or its blocks."""
        columns = self._table.columns
        gaps = self._table.padding[1] + self._table.padding[3]
        if sum(_needed_width(column) + gaps for column in columns) <= options.max_width + gaps:
            yield self._table
            return
        titles = [str(column.header) for column in columns]
        for number, row in enumerate(zip(*(map(_text, column.cells) for column in columns), strict=True)):
            if number:
                yield Text()
            yield from (_titled(title, cell) for title, cell in zip(titles, row, strict=True) if cell)


def _needed_width(column: Column) -> int:
    """Return the width in which a column loses nothing: whole cells, or whole words where it may be wrapped."""
    texts = [str(column.header)]
    if column.ratio is None:
        texts += [_text(cell).plain for cell in column.cells]
    parts: Sequence[str] = texts if column.no_wrap else [word for text in texts for word in text.split()]
    return max((cell_len(part) for part in parts), default=0)


def _text(cell: object) -> Text:
    return cell if isinstance(cell, Text) else Text(str(cell))


def _titled(title: str, cell: Text) -> Text:
    return Text.assemble((f"{title}: ", "dim"), cell) if title else cell


_UNITS = ("B", "kB", "MB", "GB", "TB")
_MINUTE_S, _HOUR_S = 60, 3600
#: Smaller amounts have one decimal.
_COARSE = 9.95


def format_size(count_bytes: int) -> str:
    """Return a size in powers of a thousand: ``812 B``, ``1.2 MB``, ``340 MB``."""
    power = min(int(math.log10(count_bytes) // 3), len(_UNITS) - 1) if count_bytes > 0 else 0
    amount = count_bytes / 1000**power
    return f"{amount:.1f} {_UNITS[power]}" if power and amount < _COARSE else f"{amount:.0f} {_UNITS[power]}"


def format_clock(duration_s: float) -> str:
    """Return a duration for a live display: ``0:07``, ``12:40``, ``3:05:00``."""
    minutes, seconds = divmod(round(duration_s), _MINUTE_S)
    hours, minutes = divmod(minutes, _MINUTE_S)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def format_duration(duration_s: float) -> str:
    """Return a duration for a sentence: ``2.1 s``, ``43 s``, ``3 min 12 s``, ``2 h 5 min``."""
    if duration_s < _COARSE:
        return f"{duration_s:.1f} s"
    whole_s = round(duration_s)
    if whole_s < _MINUTE_S:
        return f"{whole_s} s"
    if whole_s < _HOUR_S:
        return f"{whole_s // _MINUTE_S} min {whole_s % _MINUTE_S} s"
    return f"{whole_s // _HOUR_S} h {whole_s % _HOUR_S // _MINUTE_S} min"


def format_count(number: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun: ``1 order``, ``2,400 orders``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def format_rate(per_s: float) -> str:
    """Return a rate per second, or per minute if it is below 1: ``2.1 orders/s``, ``14 orders/min``."""
    return f"{per_s:.1f} orders/s" if per_s >= 1 else f"{per_s * _MINUTE_S:.0f} orders/min"


OUTCOME_STYLES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.COMPLETED: "green",
        Outcome.NO_ATTACHMENTS: "green",
        Outcome.PARTIAL: "yellow",
        Outcome.NOT_FOUND: "yellow",
        Outcome.FORBIDDEN: "yellow",
        Outcome.INVALID: "yellow",
        Outcome.FAILED: "red",
        Outcome.QUARANTINED: "red",
        Outcome.CANCELLED: "yellow",
    }
)


def format_outcome(outcome: Outcome) -> str:
    """Return an outcome for people: ``no attachments``."""
    return outcome.value.replace("_", " ").lower()
