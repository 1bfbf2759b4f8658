"""Parses CSV text into records by the rules of quoting, row by row where a file breaks these rules. Pure."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from poolwright.domain.packed_list import ListPacker, pack
from poolwright.intake.grid import RECORD_CODEC, Budget

#: A quoted cell with more lines than this is a quotation mark that was never closed.
_CELL_LINES_MAX = 200
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LINE_END = re.compile(r"\r\n|\r|\n")
#: In a smaller table or a shorter cell, the lines of an address may look like rows.
_TELLING_WIDTH, _TELLING_LINES, _PARTED_WIDTH = 3, 3, 2
#: Unless codes of at least this many digits are below each other in them.
_DIGIT, _CODE_DIGITS = re.compile(r"\d"), 4
#: A backslash that does not escape a quotation mark: Windows' paths have them.
_PLAIN_BACKSLASH = re.compile(r"\\(?![\"'\\])")
#: Number of lines from which the width of the others is determined.
_PROBE_LINES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The delimiter and the quoting by which a program writes cells."""

    delimiter: str
    quote: str = '"'
    #: Blanks are between a delimiter and a quotation mark.
    is_spaced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedRecords:
    """The records of a text, blank ones included."""

    records: Sequence[tuple[str, ...]]
    #: Positions of records with an unpaired quotation mark.
    literal: frozenset[int] = frozenset()
    #: Positions of records that were read by other rules than the rest.
    mended: frozenset[int] = frozenset()


def parse_records(text: str, dialect: Dialect, source: str | None = None) -> ParsedRecords:
    """Split a text into records. A probe, which has no source, has no limit of its width.

    Raises:
        InputRefusedError: It holds more than a list may.
    """
    try:
        records = pack(map(_counted(source), _reader(_lines(text), dialect)), RECORD_CODEC)
    except csv.Error:
        return _part_line_by_line(list(_lines(text)), dialect, source)
    width = _commonest(map(len, records))
    is_quoted = dialect.quote in text  # else no cell has several lines
    if is_quoted and (
        any(_swallows_rows(record, dialect.delimiter, width) for record in records) or _is_odd(text, records, dialect)
    ):
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
    """Return whether quotation marks behind backslashes made some rows wider than others, without breaking a rule."""
    return f"\\{dialect.quote}" in text and len({len(record) for record in records if any(record)}) > 1


def _counted(source: str | None) -> Callable[[Sequence[str]], tuple[str, ...]]:
    return tuple if source is None else Budget(source).count


def _lines(text: str) -> Iterator[str]:
    """Yield the lines with their line ends, split only at the line ends that CSV knows."""
    return (match[0] for match in _LINE.finditer(text))


def _part_line_by_line(lines: Sequence[str], dialect: Dialect, source: str | None) -> ParsedRecords:
    """Split a text that breaks the rules of quoting, so that one bad row affects no other."""
    width = _commonest(filter(None, (_width(line, dialect) for line in lines[:_PROBE_LINES])))
    counted = _counted(source)
    records = ListPacker(RECORD_CODEC)
    record_count = 0
    literal: set[int] = set()
    mended: set[int] = set()
    line_no = 0
    while line_no < len(lines):
        record, line_count = _record_at(lines, line_no, dialect)
        swallows = record is not None and _swallows_rows(record, dialect.delimiter, width)
        if record is None or swallows or (f"\\{dialect.quote}" in lines[line_no] and len(record) != width):
            other, other_count = _mended_at(lines, line_no, dialect, width)
            if other is not None:
                mended.add(record_count)
                record, line_count = other, other_count
            elif record is None or swallows:
                literal.add(record_count)
                record, line_count = _loose_record(lines[line_no], dialect), 1
        records.append(counted(record))
        record_count += 1
        line_no += line_count
    return ParsedRecords(records=records.packed(), literal=frozenset(literal), mended=frozenset(mended))


def _width(line: str, dialect: Dialect) -> int:
    """Return the number of cells in a line; 0 if it breaks the rules or may continue in the next line."""
    if dialect.quote not in line:
        return line.count(dialect.delimiter) + 1 if line.strip() else 0
    if f"\\{dialect.quote}" in line:
        return 0
    try:
        return len(next(_reader([line], dialect)))
    except csv.Error:
        return 0


def _record_at(lines: Sequence[str], line_no: int, dialect: Dialect) -> tuple[tuple[str, ...] | None, int]:
    """Return one record and the number of its lines; ``None`` as the record where the rules are broken."""
    line = lines[line_no]
    if dialect.quote not in line:
        return tuple(line.rstrip("\r\n").split(dialect.delimiter)), 1
    return _first_record(lines[line_no : line_no + _CELL_LINES_MAX], dialect)


def _first_record(
    lines: Iterable[str], dialect: Dialect, escape: str | None = None
) -> tuple[tuple[str, ...] | None, int]:
    """Return one record and the number of its lines; no more lines are read than it has."""
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
    """Return one record by the rules of other programs, if it is as wide as the other rows by them."""
    window = lines[line_no : line_no + _CELL_LINES_MAX]
    beside = rf"{dialect.quote}[ \t]+(?={re.escape(dialect.delimiter)}|[\r\n]|$)"
    # Most records end in their first line, so the other lines are changed lazily.
    variants = (
        ((_PLAIN_BACKSLASH.sub(r"\\\\", line) for line in window), "\\"),
        ((re.sub(beside, dialect.quote, line) for line in window), None),
    )
    for changed, escape in variants:
        record, line_count = _first_record(changed, dialect, escape)
        if record is not None and len(record) == width > 1 and not _swallows_rows(record, dialect.delimiter, width):
            return record, line_count
    return None, 1


def _swallows_rows(record: tuple[str, ...], delimiter: str, width: int) -> bool:
    """Return whether a cell, split at its line ends, gives rows: two unpaired quotation marks formed a pair."""
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
    """Return whether cells below each other are codes of one shape, such as order numbers."""
    shapes = {_DIGIT.sub("9", cell.strip()) for cell in cells}
    return len(shapes) == 1 and shapes.pop().count("9") >= _CODE_DIGITS


def _commonest(widths: Iterable[int]) -> int:
    """Return the most frequent width; 0 when there are none."""
    return max(Counter(widths).items(), key=lambda item: item[1], default=(0, 0))[0]


def _loose_record(line: str, dialect: Dialect) -> tuple[str, ...]:
    """Split a line with stray quotation marks: an unpaired one is a character, paired ones still enclose a cell."""
    if line.count(dialect.quote) % 2 or len(line) > csv.field_size_limit():
        return tuple(line.rstrip("\r\n").split(dialect.delimiter))
    loose = csv.reader([line], delimiter=dialect.delimiter, quotechar=dialect.quote, skipinitialspace=dialect.is_spaced)
    return tuple(next(loose))
