"""The limits of Excel, the texts that become numbers or dates, and the content that a report could not show.

A text becomes a number only if it is the one way to write that number: ``1234.50`` and ``25%``, never ``007``,
``1,234`` or ``4500012345678901``. So a cell shows the same text as the list, and can be summed and sorted.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from poolwright.files.disk import is_gone

#: Excel's own limits. A workbook beyond them counts as damaged, or loses the excess without a warning.
ROWS_MAX = 1_048_576
COLUMNS_MAX = 16_384
LINKS_MAX = 65_530
LINK_LENGTH_MAX = 2_079
#: Longest text of a cell in UTF-16 units: a letter beyond the basic plane counts twice.
TEXT_MAX = 32_767

TEXT_FORMAT = "@"
#: Digits of a number in a cell; further digits are lost.
_DIGITS_MAX = 15
#: Earlier dates are wrong in Excel, which treats 1900 as a leap year.
_FIRST_DAY = date(1900, 3, 1)

#: Characters that XML cannot hold.
_NOT_IN_XML = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The beginning of a text that Excel reads as an escaped letter, ``_x0041_``; its underscore is escaped itself.
_ESCAPE_START = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")

_PADDED = re.compile(rf"0\d{{1,{_DIGITS_MAX - 1}}}", re.ASCII)
#: A very large or small number as a workbook shows it; in other lists it may be a name.
_SCIENTIFIC = re.compile(rf"-?[1-9](\.\d{{1,{_DIGITS_MAX - 1}}})?E[+-]\d{{2,3}}", re.ASCII)
_LONG_DECIMAL = re.compile(r"-?\d+\.\d+", re.ASCII)
_NEGATIVE_NOTHING = re.compile(r"-[0.]+%?")

_Number: TypeAlias = int | float | date | datetime | time


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedValue:
    """A number, date or time, with the format that shows it as its text."""

    value: _Number
    number_format: str


def parse_typed(text: str, *, is_value: bool = False) -> TypedValue | None:
    """Parse a text as a number, date or time if Excel would show it unchanged; ``None`` if it is just text.

    Args:
        text: The text in the list.
        is_value: Whether the list has it as a value, so that leading zeros belong to its format.
    """
    if not text or text[0] not in "-0123456789":
        return None
    is_rounded = not is_value and _LONG_DECIMAL.fullmatch(text) and _digit_count(text) > _DIGITS_MAX
    if is_rounded or _NEGATIVE_NOTHING.fullmatch(text):  # a cell would lose digits or the sign
        return None
    if is_value and _PADDED.fullmatch(text):
        return TypedValue(value=int(text), number_format="0" * len(text))
    if is_value and _SCIENTIFIC.fullmatch(text) and math.isfinite(float(text)):
        return TypedValue(value=float(text), number_format="General")
    for pattern, read in _KINDS:
        if pattern.fullmatch(text):
            return read(text)
    return None


def is_identifier(text: str) -> bool:
    """Whether digits are an identifier: they have leading zeros, or more digits than a number can hold."""
    return text.isdigit() and len(text) > 1 and (text[0] == "0" or len(text) > _DIGITS_MAX)


def text_columns(rows: Iterable[tuple[str, tuple[str, ...]]]) -> frozenset[int]:
    """Return the indexes of columns that stay text as a whole: order numbers, and identifiers of digits.

    Args:
        rows: The cell of the order number, and all cells, of every row.
    """
    columns: set[int] = set()
    for number, cells in rows:
        columns.update(
            index
            for index, cell in enumerate(cells)
            if index not in columns and (cell == number or is_identifier(cell))
        )
    return frozenset(columns)


def escape_text(text: str) -> str:
    """Escape a text so that Excel shows it unchanged. Characters that XML cannot hold become U+FFFD."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _ESCAPE_START.sub("_x005F_", _NOT_IN_XML.sub("\ufffd", lines))


def excel_length(text: str) -> int:
    """Return the length of a text as Excel counts it."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def shorten_text(text: str, mark: str) -> str:
    """Shorten a text to what a cell holds, with ``mark`` at its end; unchanged if it fits.

    The escaped text fits as well.
    """
    if len(text) * 2 <= TEXT_MAX and "_" not in text:
        return text
    if excel_length(escape_text(text)) <= TEXT_MAX:
        return text
    counts = range(min(len(text), TEXT_MAX) + 1)
    room = TEXT_MAX - len(mark)
    too_many = bisect_right(counts, room, key=lambda count: excel_length(escape_text(text[:count])))
    return text[: too_many - 1] + mark


def _whole(text: str) -> TypedValue | None:
    return TypedValue(value=int(text), number_format="0")


def _digit_count(text: str) -> int:
    """Return the number of digits that count in a number."""
    return len(text.lstrip("-0.").rstrip("%").replace(".", ""))


def _decimal(text: str) -> TypedValue | None:
    if _digit_count(text) > _DIGITS_MAX:
        return _as_programs_write(text)  # digits of a binary fraction, which no person typed
    places = len(text.partition(".")[2])
    return TypedValue(value=float(text), number_format=f"0.{'0' * places}") if places <= _DIGITS_MAX else None


def _as_programs_write(text: str) -> TypedValue | None:
    """Parse a number in the form of ``repr``; one with more digits, or too small for a float, is text."""
    value = float(text)
    return TypedValue(value=value, number_format="General") if repr(value) == text else None


def _percent(text: str) -> TypedValue | None:
    if _digit_count(text) > _DIGITS_MAX:
        return None
    digits = text.removesuffix("%")
    places = len(digits.partition(".")[2])
    return TypedValue(value=float(Decimal(digits) / 100), number_format=f"0{'.' * bool(places)}{'0' * places}%")


def _day(text: str) -> TypedValue | None:
    return _moment(text, date.fromisoformat, "yyyy-mm-dd")


def _day_and_time(text: str) -> TypedValue | None:
    separator = "\\T" if text[10] == "T" else " "
    number_format = f"yyyy-mm-dd{separator}{_clock(text[11:])}"
    return _moment(text, datetime.fromisoformat, number_format)


def _time_of_day(text: str) -> TypedValue | None:
    return _moment(text, time.fromisoformat, _clock(text))


def _clock(text: str) -> str:
    return "hh:mm:ss" if text.count(":") > 1 else "hh:mm"


def _moment(text: str, read: Callable[[str], date | time], number_format: str) -> TypedValue | None:
    try:
        value = read(text)
    except ValueError:
        return None
    day = value.date() if isinstance(value, datetime) else value
    return None if isinstance(day, date) and day < _FIRST_DAY else TypedValue(value=value, number_format=number_format)


_KINDS: tuple[tuple[re.Pattern[str], Callable[[str], TypedValue | None]], ...] = tuple(
    (re.compile(pattern, re.ASCII), read)
    for pattern, read in (
        (r"0|-?[1-9]\d{0,14}", _whole),
        (r"-?(0|[1-9]\d{0,14})\.\d{1,25}", _decimal),
        # The form in which a workbook reader writes very small or large numbers; 12E4 is a name.
        (r"-?[1-9](\.\d+)?e[+-]\d{2,3}", _as_programs_write),
        (r"-?(0|[1-9]\d{0,11})(\.\d{1,10})?%", _percent),
        (r"\d{4}-\d\d-\d\d", _day),
        (r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?", _day_and_time),
        (r"\d\d:\d\d(:\d\d)?", _time_of_day),
    )
)


#: The end of a shortened text.
CUT_MARK = " ... [cut]"


@dataclass(slots=True)
class Omissions:
    """Counts the content that did not fit into a workbook while it is written."""

    #: Name of the file with the whole content.
    full_report: str
    cut_count: int = 0
    first_cut: str = ""
    column_count: int = 0
    row_count: int = 0
    unlinked_count: int = 0

    def shorten(self, text: str, row_no: int, column: str) -> str:
        """Return a text, shortened and counted if it does not fit into a cell."""
        shortened = shorten_text(text, CUT_MARK)
        if shortened is not text:
            self.cut_count += 1
            location = f"row {row_no}, {column}: {excel_length(text):,} characters"
            self.first_cut = self.first_cut or location
        return shortened

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each kind of omission."""
        if self.cut_count:
            more = f", and {self.cut_count - 1:,} more" if self.cut_count > 1 else ""
            limit = f"an Excel cell holds at most {TEXT_MAX:,} characters"
            yield f"Shortened ({self.first_cut}{more}): {limit}; the full text is in {self.full_report}."
        if self.column_count:
            columns = f"A sheet holds {COLUMNS_MAX:,} columns; the last {self.column_count:,} of the list"
            yield f"{columns} are only in {self.full_report}."
        if self.row_count:
            yield f"A sheet holds {ROWS_MAX:,} rows; the other {self.row_count:,} rows are only in {self.full_report}."
        if self.unlinked_count:
            yield f"{self.unlinked_count:,} folders have no link: Excel limits the number and the length of links."


@dataclass(slots=True)
class MissingFolders:
    """Counts the folders of orders that were removed or moved since they were filed."""

    #: The output folder; ``None`` if it is unknown.
    out: Path | None
    count: int = 0
    first: str = ""

    def check(self, folder: str) -> None:
        """Count a folder if it is missing, but not if the disk does not answer. Blocking."""
        if self.out is not None and is_gone(self.out / folder):
            self.count += 1
            self.first = self.first or folder

    def sentences(self) -> Iterator[str]:
        """Yield the sentence for people, if a folder is missing."""
        if self.count:
            more = f" and {self.count - 1:,} more" if self.count > 1 else ""
            missing = f"{self.first}{more}: no longer in {self.out}, where the files were put"
            yield f"{missing}. Move them back, or run the list again to download the missing files."
