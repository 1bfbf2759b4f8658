"""Parses CSV text into records by the rules of quoting, row by row where a file breaks the rules. Pure."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from poolwright.intake.grid import Budget

#: A quoted cell with more lines than this is a quote mark that was never closed.
_CELL_LINES_MAX = 200
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LINE_END = re.compile(r"\r\n|\r|\n")
#: In a smaller table or a shorter cell, the lines of an address may look like rows.
_TELLING_WIDTH, _TELLING_LINES, _PARTED_WIDTH = 3, 3, 2
#: Unless codes of so many digits stand below each other in them.
_DIGIT, _CODE_DIGITS = re.compile(r"\d"), 4
#: A backslash that is none of a quote mark: Windows' paths have them.
_PLAIN_BACKSLASH = re.compile(r"\\(?![\"'\\])")
#: So many lines are looked at to find out how wide the others are.
_PROBE_LINES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How a program writes cells."""

    delimiter: str
    quote: str = '"'
    #: Blanks stand between a delimiter and a quote mark.
    is_spaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRecords:
    """Text parted into records, blank ones included."""

    records: list[tuple[str, ...]]
    #: Positions of records whose quote marks did not pair up.
    literal: frozenset[int] = frozenset()
    #: Positions of records that were read by other rules than the rest.
    mended: frozenset[int] = frozenset()


def parse_records(text: str, dialect: Dialect, source: str | None = None) -> ParsedRecords:
    """Part text; a probe, which has no source, may be as wide as it likes.

    Raises:
        InputRefusedError: It holds more than a list may.
    """
    try:
        records = list(map(_counted(source), _reader(_lines(text), dialect)))
    except csv.Error:
        return _part_line_by_line(list(_lines(text)), dialect, source)
    width = _commonest(map(len, records))
    if any(_swallows_rows(record, dialect.delimiter, width) for record in records) or _is_odd(text, records, dialect):
        return _part_line_by_line(list(_lines(text)), dialect, source)
    return ParsedRecords(records=records)


def _reader(lines: Iterable[str], dialect: Dialect, escape: str | None = None) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        skipinitialspace=dialect.is_spaced,
        escapechar=escape,
        strict=True,
    )


def _is_odd(text: str, records: Sequence[tuple[str, ...]], dialect: Dialect) -> bool:
    """Whether quote marks behind backslashes made some rows wider than others, without breaking a rule."""
    return f"\\{dialect.quote}" in text and len({len(record) for record in records if any(record)}) > 1


def _counted(source: str | None) -> Callable[[Sequence[str]], tuple[str, ...]]:
    return tuple if source is None else Budget(source).count


def _lines(text: str) -> Iterator[str]:
    """Lines with their ends, split where the rules of CSV see an end and nowhere else."""
    return (match[0] for match in _LINE.finditer(text))


def _part_line_by_line(lines: Sequence[str], dialect: Dialect, source: str | None) -> ParsedRecords:
    """Part text that breaks the rules of quoting somewhere, so that one bad row spoils no other."""
    width = _commonest(filter(None, (_width(line, dialect) for line in lines[:_PROBE_LINES])))
    counted = _counted(source)
    records: list[tuple[str, ...]] = []
    literal: set[int] = set()
    mended: set[int] = set()
    line_no = 0
    while line_no < len(lines):
        record, line_count = _record_at(lines, line_no, dialect)
        swallows = record is not None and _swallows_rows(record, dialect.delimiter, width)
        if record is None or swallows or (f"\\{dialect.quote}" in lines[line_no] and len(record) != width):
            other, other_count = _mended_at(lines, line_no, dialect, width)
            if other is not None:
                mended.add(len(records))
                record, line_count = other, other_count
            elif record is None or swallows:
                literal.add(len(records))
                record, line_count = _loose_record(lines[line_no], dialect), 1
        records.append(counted(record))
        line_no += line_count
    return ParsedRecords(records=records, literal=frozenset(literal), mended=frozenset(mended))


def _width(line: str, dialect: Dialect) -> int:
    """How wide a line is by the rules alone; 0 where it breaks them or may go on in the next one."""
    if dialect.quote not in line:
        return line.count(dialect.delimiter) + 1 if line.strip() else 0
    if f"\\{dialect.quote}" in line:
        return 0
    try:
        return len(next(_reader([line], dialect)))
    except csv.Error:
        return 0


def _record_at(lines: Sequence[str], line_no: int, dialect: Dialect) -> tuple[tuple[str, ...] | None, int]:
    """One record by the rules and the number of its lines; no record when the rules are broken there."""
    line = lines[line_no]
    if dialect.quote not in line:
        return tuple(line.rstrip("\r\n").split(dialect.delimiter)), 1
    return _first_record(lines[line_no : line_no + _CELL_LINES_MAX], dialect)


def _first_record(
    lines: Iterable[str], dialect: Dialect, escape: str | None = None
) -> tuple[tuple[str, ...] | None, int]:
    """One record and the number of its lines, of which no more are taken than it has."""
    taken = 0

    def counted() -> Iterator[str]:
        nonlocal taken
        for taken, line in enumerate(lines, start=1):  # noqa: B007  # read after the reader stopped
            yield line

    try:
        return tuple(next(_reader(counted(), dialect, escape))), taken
    except csv.Error:
        return None, 1


def _mended_at(lines: Sequence[str], line_no: int, dialect: Dialect, width: int) -> tuple[tuple[str, ...] | None, int]:
    """One record by the rules of other programs, where they make it as wide as the other rows."""
    window = lines[line_no : line_no + _CELL_LINES_MAX]
    beside = rf"{dialect.quote}[ \t]+(?={re.escape(dialect.delimiter)}|[\r\n]|$)"
    # Most records end in their first line: the others are changed only when they are asked for.
    ways = (
        ((_PLAIN_BACKSLASH.sub(r"\\\\", line) for line in window), "\\"),
        ((re.sub(beside, dialect.quote, line) for line in window), None),
    )
    for changed, escape in ways:
        record, line_count = _first_record(changed, dialect, escape)
        if record is not None and len(record) == width > 1 and not _swallows_rows(record, dialect.delimiter, width):
            return record, line_count
    return None, 1


def _swallows_rows(record: tuple[str, ...], delimiter: str, width: int) -> bool:
    """Whether a cell, cut at its line ends, gives rows: a quote mark without partner met another one by chance."""
    for position, cell in enumerate(record):
        if "\n" not in cell and "\r" not in cell:
            continue
        lines = _LINE_END.split(cell)
        counts = [line.count(delimiter) for line in lines]
        counts[0] += position
        counts[-1] += len(record) - 1 - position
        if len(counts) > _CELL_LINES_MAX:
            return True
        if width < _PARTED_WIDTH or set(counts) != {width - 1}:
            continue
        if width >= _TELLING_WIDTH and len(counts) >= _TELLING_LINES:
            return True
        rows = [line.split(delimiter) for line in lines]
        rows = [[*record[:position], *rows[0]], *rows[1:-1], [*rows[-1], *record[position + 1 :]]]
        if any(map(_are_codes_alike, zip(*rows, strict=True))):
            return True
    return False


def _are_codes_alike(cells: Sequence[str]) -> bool:
    """Whether cells below each other are codes of one make, such as order numbers."""
    shapes = {_DIGIT.sub("9", cell.strip()) for cell in cells}
    return len(shapes) == 1 and shapes.pop().count("9") >= _CODE_DIGITS


def _commonest(widths: Iterable[int]) -> int:
    """The commonest of some widths; 0 when there are none."""
    return max(Counter(widths).items(), key=lambda item: item[1], default=(0, 0))[0]


def _loose_record(line: str, dialect: Dialect) -> tuple[str, ...]:
    """A line with stray quote marks: an unpaired one is a character, paired ones still hold a cell together."""
    if line.count(dialect.quote) % 2 or len(line) > csv.field_size_limit():
        return tuple(line.rstrip("\r\n").split(dialect.delimiter))
    loose = csv.reader([line], delimiter=dialect.delimiter, quotechar=dialect.quote, skipinitialspace=dialect.is_spaced)
    return tuple(next(loose))
