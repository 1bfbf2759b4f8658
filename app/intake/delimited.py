"""Delimited text becomes rows of cells: comma, semicolon, tab, pipe, or one column without any.

The delimiter is the one under which most rows are equally wide. Cells are kept as they stand. Text that follows the
rules of quoting is read by them; a row whose quote marks do not pair up is taken literally, alone, and told.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.intake.budget import Budget
from app.intake.errors import InputRefusedError
from app.intake.grid import ROWS_MAX, Grid, number_rows

#: Where two delimiters part the rows equally well, the one that text and amounts hold more rarely comes first.
_DELIMITERS = "\t;|,"
#: Parts nothing: text of one column.
_NO_DELIMITER = "\x1f"
_PROBE_LENGTH = 65_536
#: So many rows must be equally wide before their delimiter is believed: half of them, or three below a long title.
_EVEN_SHARE_MIN = 0.5
_TITLED_SHARE_MIN, _TITLED_COUNT_MIN = 0.2, 3
#: Where no two rows are equally wide, most must be parted at all.
_PARTED_SHARE_MIN = 0.5
#: A quoted cell with more lines than this is a quote mark that was never closed.
_CELL_LINES_MAX = 200
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
#: First line by which some programs tell Excel the delimiter; it is no row.
_DECLARATION = re.compile(r"sep=([,;|\t])[ \t,;|]*(?:\r\n|\r|\n)", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\r|\n")
#: In a smaller table or a shorter cell, the lines of an address may look like rows.
_TELLING_WIDTH, _TELLING_LINES = 3, 3
_SHOWN_ROWS = 5
#: Five lines for each row that a sheet can have: each line costs memory of its own, however short it is.
LINES_MAX = 5 * ROWS_MAX
#: Four cells of the largest kind.
LINE_LENGTH_MAX = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parted:
    """Text parted into records, blank ones included."""

    records: list[tuple[str, ...]]
    #: Positions of records whose quote marks did not pair up.
    literal: frozenset[int] = frozenset()


def read_delimited(text: str, source: str) -> Grid:
    """Part text into rows of cells.

    Raises:
        InputRefusedError: It holds more than a list may.
    """
    _refuse_flood(text, source)
    declared = _DECLARATION.match(text)
    delimiter = declared[1] if declared else find_delimiter(text[:_PROBE_LENGTH])
    parted = _part(text[declared.end() :] if declared else text, delimiter, source)
    notices: tuple[str, ...] = ()
    if parted.literal:
        shown = _shown_rows(sorted(parted.literal))
        notices = (f"Quote marks do not pair up in {shown} of {source}; the cells there were taken as they stand.",)
    return Grid(rows=tuple(number_rows(parted.records, source)), notices=notices)


def find_delimiter(text: str) -> str:
    """The delimiter under which the most rows are equally wide, or a character that parts nothing."""
    best, best_evidence = _NO_DELIMITER, (0.0, 0.0)
    for delimiter in _DELIMITERS:
        evidence = _evidence(_part(text, delimiter))
        if evidence > best_evidence:
            best, best_evidence = delimiter, evidence
    return best


def _evidence(parted: _Parted) -> tuple[float, float]:
    """Share of the records that have the commonest width, then share of those that are parted at all; 0 when few."""
    widths = Counter[int]()
    filled_count = 0
    for position, record in enumerate(parted.records):
        if len(record) > 1 or any(record):
            filled_count += 1
            if len(record) > 1 and position not in parted.literal:
                widths[len(record)] += 1
    if not widths:
        return 0.0, 0.0
    even_count, parted_count = max(widths.values()), widths.total()
    even_share_min = _TITLED_SHARE_MIN if even_count >= _TITLED_COUNT_MIN else _EVEN_SHARE_MIN
    return (
        even_count / filled_count if even_count >= even_share_min * filled_count else 0.0,
        parted_count / filled_count if parted_count > _PARTED_SHARE_MIN * filled_count else 0.0,
    )


def _refuse_flood(text: str, source: str) -> None:
    """Refuse text whose lines alone would exhaust the memory, before any of them is cut out."""
    if text.count("\n") + text.count("\r") - text.count("\r\n") > LINES_MAX:
        raise InputRefusedError(f"{source} has more than {LINES_MAX:,} lines; split it into several lists.")
    start = 0
    while start + LINE_LENGTH_MAX < len(text):
        window = start, start + LINE_LENGTH_MAX + 1
        end = max(text.rfind("\n", *window), text.rfind("\r", *window))
        if end < 0:
            raise InputRefusedError(
                f"{source} has a line of more than {LINE_LENGTH_MAX:,} characters, which is no row of a list; "
                "save it with one order in each row."
            )
        start = end + 1


def _part(text: str, delimiter: str, source: str | None = None) -> _Parted:
    """Part text; a probe, which has no source, may be as wide as it likes."""
    try:
        records = list(map(_counted(source), csv.reader(_lines(text), delimiter=delimiter, strict=True)))
    except csv.Error:
        return _part_line_by_line(list(_lines(text)), delimiter, source)
    width = _commonest(map(len, records))
    if any(_swallows_rows(record, delimiter, width) for record in records):
        return _part_line_by_line(list(_lines(text)), delimiter, source)
    return _Parted(records=records)


def _counted(source: str | None) -> Callable[[Sequence[str]], tuple[str, ...]]:
    return tuple if source is None else Budget(source).spent


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, split where the rules of CSV see an end and nowhere else."""
    return (match[0] for match in _LINE.finditer(text))


def _part_line_by_line(lines: Sequence[str], delimiter: str, source: str | None) -> _Parted:
    """Part text that breaks the rules of quoting somewhere, so that one bad row spoils no other."""
    width = _commonest(line.count(delimiter) + 1 for line in lines if '"' not in line)
    counted = _counted(source)
    records: list[tuple[str, ...]] = []
    literal: set[int] = set()
    line_no = 0
    while line_no < len(lines):
        record, line_count = _record_at(lines, line_no, delimiter)
        if record is None or _swallows_rows(record, delimiter, width):
            literal.add(len(records))
            record, line_count = _loose_record(lines[line_no], delimiter), 1
        records.append(counted(record))
        line_no += line_count
    return _Parted(records=records, literal=frozenset(literal))


def _record_at(lines: Sequence[str], line_no: int, delimiter: str) -> tuple[tuple[str, ...] | None, int]:
    """One record by the rules and the number of its lines; no record when the rules are broken there."""
    line = lines[line_no]
    if '"' not in line:
        return tuple(line.rstrip("\r\n").split(delimiter)), 1
    reader = csv.reader(lines[line_no : line_no + _CELL_LINES_MAX], delimiter=delimiter, strict=True)
    try:
        return tuple(next(reader)), reader.line_num
    except csv.Error:
        return None, 1


def _swallows_rows(record: tuple[str, ...], delimiter: str, width: int) -> bool:
    """Whether a cell, cut at its line ends, gives rows: a quote mark without partner met another one by chance."""
    for position, cell in enumerate(record):
        if "\n" not in cell and "\r" not in cell:
            continue
        counts = [line.count(delimiter) for line in _LINE_END.split(cell)]
        counts[0] += position
        counts[-1] += len(record) - 1 - position
        if len(counts) > _CELL_LINES_MAX:
            return True
        if width >= _TELLING_WIDTH and len(counts) >= _TELLING_LINES and set(counts) == {width - 1}:
            return True
    return False


def _commonest(widths: Iterable[int]) -> int:
    """The commonest of some widths; 0 when there are none."""
    return max(Counter(widths).items(), key=lambda item: item[1], default=(0, 0))[0]


def _loose_record(line: str, delimiter: str) -> tuple[str, ...]:
    """A line with stray quote marks: an unpaired one is a character, paired ones still hold a cell together."""
    if line.count('"') % 2 or len(line) > csv.field_size_limit():
        return tuple(line.rstrip("\r\n").split(delimiter))
    return tuple(next(csv.reader([line], delimiter=delimiter)))


def _shown_rows(positions: Sequence[int]) -> str:
    """``row 3`` or ``rows 3, 5 and 4 more``, as a person counts them."""
    numbers = [str(position + 1) for position in positions[:_SHOWN_ROWS]]
    more = len(positions) - len(numbers)
    if more:
        return f"rows {', '.join(numbers)} and {more} more"
    return f"row {numbers[0]}" if len(numbers) == 1 else f"rows {', '.join(numbers)}"
