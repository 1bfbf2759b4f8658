"""One cell of a workbook: the text that a person sees in it, and what makes that text doubtful as a number. Pure."""

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

#: A number of days as a date or a time; the library tells no types.
_moment = cast("Callable[[float, datetime], date | time | timedelta]", from_excel)
#: Of the formulas that put others together; ``=SUM(A2+1)`` counts on and is none of them.
_TOTAL = re.compile(
    r"\s*[+]?(?:_xlfn\.)?(SUM|SUBTOTAL|AGGREGATE|SUMIFS?|COUNT[A-Z]*|AVERAGE[A-Z]*)\(.*[:\[]", re.IGNORECASE
)
#: Cells added to each other, from the same sheet or another one: ``A2+A3``, ``RC[-1]+RC[-2]``, ``[.A2]+[.A3]``.
_PLUS = re.compile(r"\s*[+]?[^\s+(\"]*[A-Z][^\s+(\"]*(?:\s*\+\s*[^\s+(\"]*[A-Z][^\s+(\"]*)+\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell."""

    text: str = ""
    #: One sentence: why it is no order number, whatever its text looks like.
    doubt: str = ""
    #: It holds a single number, so that signs between its digits part nothing.
    is_one: bool = False
    #: It holds a number, a date or a time, and no text that looks like one.
    is_value: bool = False
    #: It is shown crossed out.
    is_struck: bool = False


EMPTY = Cell()
#: A formula whose value is a text without a character: it shows nothing, or a program wrote it that cannot calculate.
SHOWS_NOTHING = Cell("")
UNSAVED_FORMULA = Cell(
    doubt="The cell holds a formula whose value was not saved: open the workbook in Excel, save it, and give it again."
)


#: Formats that most numbers have, and numbers that they show as they are.
_PLAIN_CODES, _WHOLE_BELOW = frozenset({"General", "", "0", "@"}), 10**15
_SHOWN_LENGTH, _SECTIONS_BEFORE_TEXT = 40, 3
#: Zero, however a format shows it: programs that cannot calculate save it.
_ZERO = re.compile(r"[^1-9]*0[^1-9]*")
_UNCALCULATED = (
    "The formula in the cell has the value 0, which programs save that do not calculate: open the workbook in Excel, "
    "save it, and give it again."
)


P = ParamSpec("P")


def of_value(make: Callable[P, Cell]) -> Callable[P, Cell]:
    """Let what makes cells of numbers and moments say that they are such."""

    @wraps(make)
    def made(*args: P.args, **named: P.kwargs) -> Cell:
        return replace(make(*args, **named), is_value=True)

    return made


@of_value
def number_cell(number: float, code: str, *, is_1904: bool = False) -> Cell:
    """A number as its format shows it."""
    if code in _PLAIN_CODES and abs(number) < _WHOLE_BELOW and number.is_integer():
        return Cell(str(int(number)))
    number_format = NumberFormat.of(code)
    kind = number_format.kind(number)
    if kind in {FormatKind.DATE, FormatKind.ELAPSED}:
        return _moment_cell(number, kind, is_1904=is_1904)
    text = number_format.shown(number)
    held = general_text(number)
    is_one = number_format.is_parting(number)
    is_same = not number_format.is_percentage(number)
    if is_same and any(map(str.isdigit, text)) and is_shown_whole(number):
        digits = "".join(filter(str.isdigit, text))
        if held.lstrip("-") in digits or "E" in held or not float(held).is_integer():
            return Cell(text, is_one=is_one)
    elif is_same and not is_shown_whole(number) and "." in text:
        return Cell(text)
    seen = repr(text) if text else "nothing"
    return Cell(text, doubt=f"The cell shows {seen} and holds {held}: format the column as text.")


def text_cell(text: str, code: str) -> Cell:
    """A text as its format shows it; most formats leave it alone."""
    if code in _PLAIN_CODES or not ("@" in code or code.count(";") >= _SECTIONS_BEFORE_TEXT):
        return Cell(text)
    shown = NumberFormat.of(code).shown_text(text)
    if text.strip() and not shown.strip():
        return Cell(text, doubt=f"The cell shows nothing and holds {text[:_SHOWN_LENGTH]!r}: take its format off.")
    return Cell(shown)


def error_cell(text: str) -> Cell:
    """The error of a formula, such as ``#N/A``."""
    return Cell(text, doubt=f"The cell contains the error {text}: correct its formula in the workbook.")


@of_value
def moment_cell(moment: date | time | timedelta | str, held: str = "") -> Cell:
    """A date or a time of day, or its text where it came as one."""
    text = moment if isinstance(moment, str) else _moment_text(moment)
    holds = f" and holds the number {held}" if held else ""
    return Cell(
        text,
        doubt=f"The cell shows a date or time ({text}){holds}: format the column as text and fill in the order number.",
    )


def formula_cell(cell: Cell, formula: str) -> Cell:
    """A cell with the saved value of a formula; one that adds up others is a total."""
    return replace(_calculated(cell, formula), is_value=cell.is_value, is_struck=cell.is_struck)


def struck(cell: Cell, *, is_struck: bool = True) -> Cell:
    """The same cell, crossed out; one that shows nothing shows no line either."""
    return replace(cell, is_struck=True) if is_struck and cell.text.strip() else cell


def _calculated(cell: Cell, formula: str) -> Cell:
    total = _TOTAL.match(formula)
    if total is None and _PLUS.fullmatch(formula):
        return Cell(cell.text, doubt="The cell adds up other cells: it is a total, not an order number.")
    if not total:
        return Cell(cell.text, doubt=_UNCALCULATED) if _ZERO.fullmatch(cell.text) and not cell.doubt else cell
    name = total[1].upper()
    return Cell(cell.text, doubt=f"The cell puts others together (={name}): it is a total, not an order number.")


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
    """ISO 8601; a day without a time of day is a day."""
    if isinstance(moment, timedelta):
        return str(moment)
    if isinstance(moment, datetime):
        return moment.date().isoformat() if moment.time() == time.min else moment.isoformat(sep=" ")
    return moment.isoformat()
