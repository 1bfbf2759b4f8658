"""Text in columns of fixed width, as printers write it: blanks below each other part the cells. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from poolwright.intake.budget import Budget

_RULE = re.compile(r"-{2,}(?: +-{2,})+ *")
_RULE_WITHIN = 12
#: So many titles may stand above the table.
_TITLES_MAX = 6
#: A table has at least a header and a row, or two rows.
_ROWS_MIN = 2
#: Shorter and longer lines are no printed tables.
_WIDTH_MIN, _WIDTH_MAX = 10, 1_000


def gutters(text: str) -> tuple[int, ...]:
    """Where new columns begin; nothing when the text is no such table.

    A gutter is blank in every row, and two blanks wide in most; a single blank between two numbers is none. Where a
    line of dashes below the header draws the columns, as databases print them, it tells them.
    """
    ruled = next(filter(None, map(_RULE.fullmatch, text.splitlines()[:_RULE_WITHIN])), None)
    if ruled:
        return tuple(run.start() for run in re.finditer("-+", ruled[0]))
    lines = [line for line in text.splitlines() if any(map(str.isalnum, line))]
    if any(line.startswith('"') for line in lines):
        return ()
    counts = range(min(_TITLES_MAX, len(lines) - _ROWS_MIN) + 1)
    return max((_gutters(lines[title_count:]) for title_count in counts), key=len, default=())


def part_at(text: str, places: Sequence[int], source: str) -> Iterator[tuple[str, ...]]:
    """Every line cut at these places, unless it is a title that does not fit.

    Raises:
        InputRefusedError: It holds more than a list may.
    """
    budget = Budget(source)
    ends = (*places[1:], None)
    for line in text.splitlines():
        is_fitting = all(place > len(line) or line[place - 1].isspace() for place in places if place)
        cells = (
            [line[start:end].strip() for start, end in zip(places, ends, strict=True)] if is_fitting else [line.strip()]
        )
        yield budget.spent(cells)


def _gutters(lines: Sequence[str]) -> tuple[int, ...]:
    width = max(map(len, lines), default=0)
    if len(lines) < _ROWS_MIN or not _WIDTH_MIN <= width <= _WIDTH_MAX:
        return ()
    padded = [line.ljust(width) for line in lines]
    blank = [all(line[place].isspace() for line in padded) for place in range(width)]
    begins = [place for place in range(1, width) if blank[place - 1] and not blank[place]]
    places = [place for place in begins if _is_wide(padded, place) and any(not flag for flag in blank[:place])]
    return (0, *places) if places else ()


def _is_wide(lines: Sequence[str], place: int) -> bool:
    """Whether most rows have two blanks at least before a column."""
    return 2 * sum(line[max(0, place - 2) : place].isspace() and place > 1 for line in lines) > len(lines)
