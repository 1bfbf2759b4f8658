"""Parses one cell of a list by a portal's number rules: into a valid order number, or the reason why it is none. Pure.

The rules come from a portal pack (its table ``[numbers]``). The changes that spreadsheets make to numbers are
understood: ``4500012345.0``, a leading apostrophe, ``="0045"``, non-breaking spaces, full-width digits. Leading zeros
are kept. Nothing is guessed: a number that lost digits in a spreadsheet is invalid, and so is a cell that can be read
in more than one way; its detail names all readings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from poolwright.domain.outcomes import Reason
from poolwright.portal import number_text

#: Longer texts are not matched with a pack's pattern: no order number is so long.
_LENGTH_MAX = 120
#: Length to which a sentence shortens an invalid number.
_SHOWN_LENGTH = 40
#: Characters between a prefix and its number: ``PO-45``, ``PO# 45``, ``PO: 45``.
_AFTER_PREFIX = " -_#:./"
#: Maximum of the numbers that a sentence names.
_SHOWN_NUMBERS = 3


#: Parts of a pattern that match no letter: classes of digits and blanks, escaped signs, and the names of groups.
_WITHOUT_LETTERS = re.compile(r"\\[dsbBAZ]|\\[^\w\s]|\(\?[a-zA-Z]*[:)]|\(\?P<\w+>")


class LetterCase(StrEnum):
    """How the letters of a number are changed for the portal."""

    UPPER = "upper"
    LOWER = "lower"
    KEEP = "keep"


class NumberRules(BaseModel):
    """The rules for order numbers in a portal's pack."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    #: Removed for the portal's addresses, kept for people; compared without case. A prefix is optional.
    prefixes: tuple[str, ...] = ()
    #: Regular expression for the whole number without prefix and separators.
    pattern: str
    #: Characters inside a number that people add and the portal does not have.
    separators: str = " -"
    case: LetterCase = LetterCase.UPPER
    #: One phrase for messages that describes a number.
    describe: str = Field(min_length=1)
    #: A number that is valid by these rules.
    example: str = Field(min_length=1)

    @property
    def may_have_letters(self) -> bool:
        """Return whether the pattern may match letters, judged by what it is made of."""
        return bool(re.search(r"[a-z.]|\\[wWDSp]", _WITHOUT_LETTERS.sub("", self.pattern), re.IGNORECASE))

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        """Refuse a pattern that cannot be read, an empty prefix, an example that breaks the rules."""
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern {self.pattern!r} is not a valid regular expression: {error}") from error
        if not all(prefix.strip() for prefix in self.prefixes):
            raise ValueError("prefixes contains an empty text")
        match parse_number(self.example, self):
            case InvalidNumber():
                raise ValueError(f"example {self.example!r} is not valid by pattern {self.pattern!r}")
            case OrderNumber():
                return self


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderNumber:
    """A valid order number. Two cells with an equal ``portal_number`` are the same order."""

    #: For people: with the prefix that the user wrote, if any.
    po_number: str
    #: For the portal's addresses.
    portal_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidNumber:
    """A cell without a valid order number."""

    #: ``BAD_NUMBER`` or ``BLANK_NUMBER``.
    reason: Reason
    #: One sentence with the problem and what was expected.
    detail: str


def parse_number(text: str, rules: NumberRules, *, is_one: bool = False) -> OrderNumber | InvalidNumber:
    """Parse one cell by the rules of a portal.

    Args:
        text: The cell as a person sees it.
        rules: The portal's rules for order numbers.
        is_one: The cell is known to be a single number, so that signs between its digits do not split it.
    """
    plain = number_text.plain_text(text)
    if not plain:
        return InvalidNumber(reason=Reason.BLANK_NUMBER, detail="The cell has no order number.")
    lost = _lost(text, plain)
    if lost:
        return _bad(lost)
    if len(plain) <= _LENGTH_MAX:
        # An invisible character may be within one number, as a soft hyphen is, or between two, as the end of a cell is.
        apart = plain if text.isprintable() else number_text.plain_text(text, unseen=" ")
        is_grown = apart != plain and len(_numbers_alone(apart, rules)) > 1
        for bare in () if is_grown else number_text.bare_texts(plain):
            number = _sure_number(bare, rules, is_one=is_one)
            if number:
                return number
        doubt = _doubt(apart if is_grown else plain, rules)
        if doubt:
            return _bad(doubt)
    return _bad(
        f"{_shown(plain)} is not an order number of this portal: expected {rules.describe}, for example {rules.example}"
        f"{_look_alike(plain, rules)}."
    )


def _lost(text: str, plain: str) -> str:
    """Return a sentence if a spreadsheet lost digits of the number, or if another number is seen; else empty."""
    if number_text.is_shortened(plain):
        return (
            f"{_shown(plain)} is a number that the spreadsheet shortened, so its last digits are lost: format the "
            "column as text and fill in the full number."
        )
    if number_text.is_reversed(text):
        return (
            f"{_shown(plain)} is shown in reverse by an invisible character, so that another number is seen: fill in "
            "the number by hand."
        )
    return ""


def _bad(detail: str) -> InvalidNumber:
    return InvalidNumber(reason=Reason.BAD_NUMBER, detail=detail)


def _sure_number(text: str, rules: NumberRules, *, is_one: bool) -> OrderNumber | None:
    """Return the number if the text cannot be read in another way; else ``None``."""
    for prefix, rest in _readings(text, rules):
        parts = _parts(number_text.without_thousands(rest), rules.separators)
        number = _valid(prefix, "".join(parts), rules)
        if not number:
            continue
        if is_one:
            return number
        if len(parts) == 1:
            return None if number_text.is_address(rest) else number
        is_sure = number_text.is_one_number(parts) and not number_text.is_date(rest) and not _numbers_alone(rest, rules)
        return number if is_sure else None
    return None


def _doubt(plain: str, rules: NumberRules) -> str:
    """Return a sentence with all readings of an ambiguous text, or one with a number among other things; else empty."""
    if number_text.is_zero(plain):
        return f"{_shown(plain)} is zero, which spreadsheets show where a value is missing."
    if number_text.is_date(plain):
        return (
            f"{_shown(plain)} is a date, or a number that a spreadsheet took for one: format the column as text and "
            "fill in the order number."
        )
    alone = _numbers_alone(plain, rules)
    readings = [_alone_shown(alone)] if alone else []
    for prefix, rest in _readings(plain, rules):
        is_address = number_text.is_address(rest)
        glued = number_text.without_thousands(rest) if is_address else number_text.unsure_thousands(rest)
        glued = glued or "".join(_parts(rest, rules.separators))
        whole = _valid(prefix, glued, rules)
        if whole:
            if is_address:
                readings.append("an IP address")
            elif not alone:
                readings.append(f"{_shown(rest)}, which is not a single order number")
            readings.append(f"the order {whole.po_number}")
            break
    if not readings:
        return ""
    return f"{_shown(plain)} can be read as {', or as '.join(readings)}: keep only one order number in the cell."


def _look_alike(plain: str, rules: NumberRules) -> str:
    """Return a hint with the order number that results if letters are read as similar digits; else empty."""
    for prefix, rest in _readings(plain, rules) if len(plain) <= _LENGTH_MAX else ():
        number = _valid(prefix, number_text.as_digits(rest), rules)
        if number and any(map(str.isdigit, rest)):
            return f"; with digits for the letters that look like them it would be the order {number.po_number}"
    return ""


def _alone_shown(numbers: Sequence[OrderNumber]) -> str:
    names = [number.po_number for number in numbers[:_SHOWN_NUMBERS]]
    more = len(numbers) - len(names)
    if len(names) == 1:
        return f"the order {names[0]} with something else beside it"
    return f"the orders {', '.join(names)}" + (f" and {more} more" if more else "")


def _numbers_alone(text: str, rules: NumberRules) -> list[OrderNumber]:
    """Return the words of a text that are order numbers by themselves."""
    numbers: list[OrderNumber] = []
    for token in re.findall(r"\w+", text):
        valid = (_valid(prefix, rest, rules) for prefix, rest in _readings(token, rules))
        number = next(filter(None, valid), None)
        if number:
            numbers.append(number)
    return numbers


def _valid(prefix: str, number: str, rules: NumberRules) -> OrderNumber | None:
    cased = _cased(number, rules.case)
    if not re.fullmatch(rules.pattern, cased):
        return None
    if number_text.is_zero(cased) and not number_text.is_zero(rules.example):
        return None
    return OrderNumber(po_number=prefix + cased, portal_number=cased)


def _readings(plain: str, rules: NumberRules) -> Iterator[tuple[str, str]]:
    """Yield each split of the text into a prefix and a number: the longest prefix first, no prefix last."""
    for prefix in sorted(rules.prefixes, key=len, reverse=True):
        if number_text.as_latin(plain[: len(prefix)].upper()).casefold() == prefix.casefold():
            yield prefix, plain[len(prefix) :].lstrip(_AFTER_PREFIX)
    yield "", plain


def _parts(text: str, separators: str) -> list[str]:
    """Split a text at separators between two characters; one at an end stays, as ``-4500012345`` is not a number."""
    if not separators:
        return [text]
    return re.split(rf"(?<=\w)[{re.escape(separators)}]+(?=\w)", text)


def _cased(text: str, case: LetterCase) -> str:
    match case:
        case LetterCase.UPPER:
            return text.upper()
        case LetterCase.LOWER:
            return text.lower()
        case LetterCase.KEEP:
            return text


def _shown(text: str) -> str:
    return f"'{text}'" if len(text) <= _SHOWN_LENGTH else f"'{text[:_SHOWN_LENGTH]}…'"
