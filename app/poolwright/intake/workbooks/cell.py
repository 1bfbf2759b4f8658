"""Makes cells of a workbook: the text that a person sees, and the reason to doubt it as an order number. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import wraps
from typing import ParamSpec, cast

from openpyxl.utils.datetime import (
    CALENDAR_MAC_1904,
    CALENDAR_WINDOWS_1900,
    from_excel,  # pyright: ignore[reportUnknownVariableType]
)

from poolwright.intake.workbooks.number_format import FormatKind, NumberFormat, general_text, is_shown_whole

#: Converts a number of days to a date or a time; the library has no types.
_moment = cast("Callable[[float, datetime], date | time | timedelta]", from_excel)
#: A formula that aggregates cells; ``=SUM(A2+1)`` continues a numbering and is none.
_TOTAL = re.compile(
    r"\s*[+]?(?:_xlfn\.)?(SUM|SUBTOTAL|AGGREGATE|SUMIFS?|COUNT[A-Z]*|AVERAGE[A-Z]*)\(.*[:\[]", re.IGNORECASE
)
#: Cells added to each other, from the same sheet or another one: ``A2+A3``, ``RC[-1]+RC[-2]``, ``[.A2]+[.A3]``.
_ADDED = r"(?=[^\s+(\"]*[A-Z])[^\s+(\"]++"
_PLUS = re.compile(rf"\s*+[+]?{_ADDED}(?:\s*+\+\s*+{_ADDED})++\s*+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell with what is known about it."""

    text: str = ""
    #: One sentence with the reason why it is not an order number although it may look like one; else empty.
    doubt: str = ""
    #: It is a single number, so that signs between its digits do not split it.
    is_one: bool = False
    #: It is a number, a date or a time, not a text that looks like one.
    is_value: bool = False
    #: It is shown crossed out.
    is_struck: bool = False


EMPTY = Cell()
#: A formula whose value is an empty text: it shows nothing, or the program that wrote it cannot calculate.
SHOWS_NOTHING = Cell("")
UNSAVED_FORMULA = Cell(
    doubt="The cell holds a formula whose value was not saved: open the workbook in Excel, save it, and give it again."
)


#: Formats of most numbers, and the limit below which they show a whole number unchanged.
_PLAIN_CODES, _WHOLE_BELOW = frozenset({"General", "", "0", "@"}), 10**15
#: Whole numbers below this are written with all their digits, those above it in scientific notation.
_LONG_BELOW = 10**21
_DIGITS = re.compile(r"-?\d+", re.ASCII)
#: A fraction that is shown as zeros looks like none.
_FRACTION = re.compile(r"(?:^|\d)\.\d*[1-9]")
_SHOWN_LENGTH, _SECTIONS_BEFORE_TEXT = 40, 3
#: Zero in any format: programs that cannot calculate save it.
_ZERO = re.compile(r"[^1-9]*0[^1-9]*")
_UNCALCULATED = (
    "The formula in the cell has the value 0, which programs save that do not calculate: open the workbook in Excel, "
    "save it, and give it again."
)


P = ParamSpec("P")


def of_value(make: Callable[P, Cell]) -> Callable[P, Cell]:
    """Decorate a function that makes cells of numbers or dates, so that its cells are marked as values."""

    @wraps(make)
    def made(*args: P.args, **named: P.kwargs) -> Cell:
        return replace(make(*args, **named), is_value=True)

    return made


@of_value
def number_cell(number: float, code: str, *, is_1904: bool = False, written: str = "") -> Cell:
    """Return the cell of a number as its format shows it; one with too many digits for Excel has all of them.

    Args:
        number: The number.
        code: The number format.
        is_1904: Whether days are counted from 1904.
        written: The number as the file has it, if it has it as text: a float has not all digits of a long one.
    """
    if code in _PLAIN_CODES and abs(number) < _WHOLE_BELOW and number.is_integer():
        return Cell(str(int(number)))
    number_format = NumberFormat.parse(code)
    kind = number_format.kind(number)
    if kind in {FormatKind.DATE, FormatKind.ELAPSED}:
        return _moment_cell(number, kind, is_1904=is_1904)
    if is_long(number):
        return long_number_cell(number, written)
    text = number_format.format_number(number)
    held = general_text(number)
    is_one = number_format.splits_digits(number)
    is_same = number >= 0 or text.lstrip().startswith("-")
    is_same = is_same and not number_format.is_percentage(number) and not number_format.fills_with_digits(number)
    if is_same and any(map(str.isdigit, text)) and is_shown_whole(number):
        digits = "".join(filter(str.isdigit, text))
        if held.lstrip("-") in digits or "E" in held or not float(held).is_integer():
            return Cell(text, is_one=is_one)
    elif is_same and not is_shown_whole(number) and _FRACTION.search(text):
        return Cell(text)
    visible = repr(text) if text else "nothing"
    return Cell(text, doubt=f"The cell shows {visible} and holds {held}: format the column as text.")


def long_number_cell(number: float, written: str) -> Cell:
    """Return the cell of a whole number with more digits than Excel keeps; it is doubted, as some may be lost."""
    text = written.strip() if _DIGITS.fullmatch(written.strip()) else str(int(number))
    return Cell(
        text,
        doubt=f"The cell holds the number {text}; Excel keeps 15 digits of a number, so its last digits are lost: "
        "format the column as text and fill in the numbers again.",
    )


def is_long(number: float) -> bool:
    """Return whether a number is whole and has more digits than Excel keeps, and few enough to be written out."""
    return _WHOLE_BELOW <= abs(number) < _LONG_BELOW and number.is_integer()


def text_cell(text: str, code: str) -> Cell:
    """Return the cell of a text as its format shows it; most formats do not change it."""
    if code in _PLAIN_CODES or not ("@" in code or code.count(";") >= _SECTIONS_BEFORE_TEXT):
        return Cell(text)
    visible_text = NumberFormat.parse(code).format_text(text)
    if text.strip() and not visible_text.strip():
        return hidden_text_cell(text)
    return Cell(visible_text)


def hidden_text_cell(text: str) -> Cell:
    """Return the cell of a text that its format hides."""
    return Cell(text, doubt=f"The cell shows nothing and holds {text[:_SHOWN_LENGTH]!r}: remove its number format.")


def error_cell(text: str) -> Cell:
    """Return the cell of a formula with an error, such as ``#N/A``."""
    return Cell(text, doubt=f"The cell contains the error {text}: correct its formula in the workbook.")


@of_value
def moment_cell(moment: date | time | timedelta | str, held: str = "") -> Cell:
    """Return the cell of a date or a time of day, which may be given as text."""
    text = moment if isinstance(moment, str) else _moment_text(moment)
    holds = f" and holds the number {held}" if held else ""
    return Cell(
        text,
        doubt=f"The cell shows a date or time ({text}){holds}: format the column as text and fill in the order number.",
    )


def formula_cell(cell: Cell, formula: str) -> Cell:
    """Return a cell with the saved value of a formula; a formula that aggregates cells is doubted as a total."""
    return replace(_calculated(cell, formula), is_value=cell.is_value, is_struck=cell.is_struck)


def struck(cell: Cell, *, is_struck: bool = True) -> Cell:
    """Return the cell crossed out; an empty cell stays as it is, since it shows no line."""
    return replace(cell, is_struck=True) if is_struck and cell.text.strip() else cell


def _calculated(cell: Cell, formula: str) -> Cell:
    total = _TOTAL.match(formula)
    if total is None and _PLUS.fullmatch(formula):
        return Cell(cell.text, doubt="The cell adds up other cells: it is a total, not an order number.")
    if not total:
        return Cell(cell.text, doubt=_UNCALCULATED) if _ZERO.fullmatch(cell.text) and not cell.doubt else cell
    name = total[1].upper()
    return Cell(cell.text, doubt=f"The cell aggregates other cells (={name}): it is a total, not an order number.")


def _moment_cell(number: float, kind: FormatKind, *, is_1904: bool) -> Cell:
    held = general_text(number)
    try:
        if kind is FormatKind.ELAPSED:
            return moment_cell(timedelta(days=number), held)
        return moment_cell(_moment(number, CALENDAR_MAC_1904 if is_1904 else CALENDAR_WINDOWS_1900), held)
    except (OverflowError, ValueError):
        return Cell(
            held, doubt=f"The cell is formatted as a date and holds the number {held}: format the column as text."
        )


def _moment_text(moment: date | time | timedelta) -> str:
    """Return a date or a time as ISO 8601; midnight is left out."""
    if isinstance(moment, timedelta):
        return str(moment)
    if isinstance(moment, datetime):
        return moment.date().isoformat() if moment.time() == time.min else moment.isoformat(sep=" ")
    return moment.isoformat()
