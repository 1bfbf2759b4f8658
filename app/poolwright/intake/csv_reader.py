"""Reads delimited text (comma, semicolon, tab, pipe, ^, ~), columns of fixed width, or one column into rows of cells.

The delimiter is the one with which most rows are equally wide. Cells are kept unchanged. Text that follows the rules of
quoting is read by them; a row that breaks them is read by other programs' rules if these make it as wide as the others,
else literally, and a notice names it.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from poolwright.domain.packed_list import pack
from poolwright.intake.csv_parser import Dialect, ParsedRecords, parse_records
from poolwright.intake.errors import InputRefusedError
from poolwright.intake.grid import ROW_CODEC, ROWS_MAX, Budget, Grid, named_rows, number_rows

_RULE = re.compile(r"-{2,}(?: +-{2,})+ *")
_RULE_WITHIN = 12
#: Number of titles that may be above the table.
_TITLES_MAX = 6
#: A table has at least a header and a row, or two rows.
_ROWS_MIN = 2
#: Tables of fixed width have lines of these lengths.
_WIDTH_MIN, _WIDTH_MAX = 10, 1_000


def find_column_starts(text: str) -> tuple[int, ...]:
    """Return the positions where columns of fixed width begin; empty when the text is no such table.

    A gap between columns is blank in every row, and two blanks wide in most. If a line of dashes below the header
    marks the columns, as databases print them, the columns are read from it.
    """
    ruled = next(filter(None, map(_RULE.fullmatch, text.splitlines()[:_RULE_WITHIN])), None)
    if ruled:
        return tuple(run.start() for run in re.finditer("-+", ruled[0]))
    lines = [line for line in text.splitlines() if any(map(str.isalnum, line))]
    if any(line.startswith('"') for line in lines):
        return ()
    counts = range(min(_TITLES_MAX, len(lines) - _ROWS_MIN) + 1)
    return max((_column_starts(lines[title_count:]) for title_count in counts), key=len, default=())


def split_at(text: str, positions: Sequence[int], source: str) -> Iterator[tuple[str, ...]]:
    """Yield every line split at these positions; a title that does not fit stays whole.

    Raises:
        InputRefusedError: It holds more than a list may.
    """
    budget = Budget(source)
    ends = (*positions[1:], None)
    for line in text.splitlines():
        is_fitting = all(start > len(line) or line[start - 1].isspace() for start in positions if start)
        cells = (
            [line[start:end].strip() for start, end in zip(positions, ends, strict=True)]
            if is_fitting
            else [line.strip()]
        )
        yield budget.count(cells)


def _column_starts(lines: Sequence[str]) -> tuple[int, ...]:
    width = max(map(len, lines), default=0)
    if len(lines) < _ROWS_MIN or not _WIDTH_MIN <= width <= _WIDTH_MAX:
        return ()
    padded = [line.ljust(width) for line in lines]
    blank = [all(line[column].isspace() for line in padded) for column in range(width)]
    begins = [column for column in range(1, width) if blank[column - 1] and not blank[column]]
    starts = [column for column in begins if _is_wide(padded, column) and any(not flag for flag in blank[:column])]
    return (0, *starts) if starts else ()


def _is_wide(lines: Sequence[str], start: int) -> bool:
    """Return whether most rows have at least two blanks before a column."""
    return 2 * sum(line[max(0, start - 2) : start].isspace() and start > 1 for line in lines) > len(lines)


#: The first one wins where two split the rows equally well: those that are rarer in text and amounts come first.
_DELIMITERS = "\t;|,^~"
#: Splits nothing: text of one column.
_NO_DELIMITER = "\x1f"
_PROBE_LENGTH = 65_536
#: Share of equally wide rows that a delimiter needs: half of them, or less below a long title (three rows at least).
_EVEN_SHARE_MIN = 0.5
_TITLED_SHARE_MIN, _TITLED_COUNT_MIN = 0.2, 3
#: Where no two rows are equally wide, most must contain the delimiter at all.
_PARTED_SHARE_MIN = 0.5
#: First line that names the delimiter for Excel; it is not a row.
_DECLARATION = re.compile(r"(\"?)sep=([,;|\t^~])\1[ \t,;|^~]*(?:\r\n|\r|\n)", re.IGNORECASE)
#: A whole row in quotation marks; those within it are doubled.
_WRAPPED = re.compile(r'\s*"(?:[^"]|"")+"\s*')
_PARTED_ROWS_MIN, _CUT_ROWS_MIN = 2, 2
#: Five lines for each row that a sheet can have: each line takes memory, however short it is.
LINES_MAX = 5 * ROWS_MAX
#: Four cells of the largest kind.
LINE_LENGTH_MAX = 4_000_000


def read_csv(text: str, source: str) -> Grid:
    """Split a text into rows of cells.

    Raises:
        InputRefusedError: It holds more than a list may.
    """
    _refuse_flood(text, source)
    declared = _DECLARATION.match(text)
    body = text[declared.end() :] if declared else text
    dialect = find_dialect(body[:_PROBE_LENGTH], declared[2] if declared else _DELIMITERS)
    if declared and dialect.delimiter == _NO_DELIMITER:
        dialect = Dialect(delimiter=declared[2])
    if dialect.delimiter == _NO_DELIMITER and (starts := find_column_starts(text[:_PROBE_LENGTH])):
        notice = f"{source} has columns of fixed width; its rows were split where blanks align."
        return Grid(rows=pack(number_rows(split_at(text, starts, source), source), ROW_CODEC), notices=(notice,))
    bare = _unwrapped(body) if dialect.delimiter == _NO_DELIMITER else ""
    if bare:
        unwrapped = read_csv(bare, source)
        notice = f"Each row of {source} is in quotation marks as a whole; they were removed."
        return replace(unwrapped, notices=(notice, *unwrapped.notices))
    parted = parse_records(body, dialect, source)
    notices = (*_notices(parted, source), *_cut_notices(body, parted, source))
    return Grid(rows=pack(number_rows(parted.records, source), ROW_CODEC), notices=notices)


def find_dialect(text: str, delimiters: str = _DELIMITERS) -> Dialect:
    """Return the dialect with which most rows are equally wide; one that splits nothing when there is none."""
    best, best_evidence = Dialect(delimiter=_NO_DELIMITER), (0.0, 0.0)
    for delimiter in delimiters:
        for dialect in _dialects(text, delimiter):
            evidence = _evidence(parse_records(text, dialect))
            if evidence > best_evidence:
                best, best_evidence = dialect, evidence
    return best


def _dialects(text: str, delimiter: str) -> Iterator[Dialect]:
    """Yield the rules of quoting that the text may follow; those that most of its lines show come first."""
    lines = [line for line in text.splitlines() if line.strip()]
    between = re.escape(delimiter)
    marks = {
        Dialect(delimiter=delimiter, quote=quote): re.compile(rf"\s*{quote}.*{quote}{between} *{quote}.*{quote}\s*")
        for quote in "'`"
    } | {
        Dialect(delimiter=delimiter, is_spaced=True): re.compile(rf'.*{between} +".*'),
    }
    for dialect, mark in marks.items():
        if 2 * sum(bool(mark.fullmatch(line)) for line in lines) > len(lines):
            yield dialect
    yield Dialect(delimiter=delimiter)
    spaced = Dialect(delimiter=delimiter, is_spaced=True)
    if any(map(marks[spaced].fullmatch, lines)):
        yield spaced


def _notices(parted: ParsedRecords, source: str) -> Iterator[str]:
    if parted.literal:
        rows = named_rows([position + 1 for position in sorted(parted.literal)])
        yield f"Unpaired quotation marks in {rows} of {source}; the cells there were read as they are."
    if parted.mended:
        rows = named_rows([position + 1 for position in sorted(parted.mended)])
        yield f"Quotation marks in {rows} of {source} follow backslashes or are beside blanks; they were read as such."


def _cut_notices(text: str, parted: ParsedRecords, source: str) -> Iterator[str]:
    """Yield a notice if the file ends within a row, since a number there may have lost digits."""
    if text.endswith(("\n", "\r")):
        return
    widths = array("L", (len(record) for record in parted.records if any(record)))
    if len(widths) >= _CUT_ROWS_MIN and widths[-1] < min(widths[:-1]):
        yield f"The last row of {source} is shorter than all others and has no end: the file may be cut off there."


def _unwrapped(text: str) -> str:
    """Return the text without quotation marks around its rows; empty if they do not enclose whole rows."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < _PARTED_ROWS_MIN or not all(map(_WRAPPED.fullmatch, lines)):
        return ""
    bare = "\n".join(line.strip()[1:-1].replace('""', '"') for line in text.splitlines())
    return bare if find_dialect(bare[:_PROBE_LENGTH]).delimiter != _NO_DELIMITER else ""


def _evidence(parted: ParsedRecords) -> tuple[float, float]:
    """Return the share of records with the most frequent width, and that of split records; 0 when there are few."""
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
    """Refuse a text whose lines would exhaust the memory, before it is split into lines."""
    if text.count("\n") + text.count("\r") - text.count("\r\n") > LINES_MAX:
        raise InputRefusedError(f"{source} has more than {LINES_MAX:,} lines; split it into several lists.")
    start = 0
    while start + LINE_LENGTH_MAX < len(text):
        window = start, start + LINE_LENGTH_MAX + 1
        end = max(text.rfind("\n", *window), text.rfind("\r", *window))
        if end < 0:
            raise InputRefusedError(
                f"{source} has a line of more than {LINE_LENGTH_MAX:,} characters, which is not a row of a list; "
                "save it with one order in each row."
            )
        start = end + 1
