"""How a portal writes its order numbers: one cell of a list becomes a number that it knows, or a reason why not.

Pure. The rules come from a portal pack (its table ``[numbers]``); what spreadsheets do to numbers is understood here:
``4500012345.0``, a leading apostrophe, ``="0045"``, non-breaking spaces, full-width digits. Leading zeros are kept.
Nothing is guessed: digits that a spreadsheet dropped are asked for, not made up.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.domain.failures import Reason

#: Longer than any order number; nothing longer is tried against a pack's pattern.
_LENGTH_MAX = 120
#: So much of a wrong number is shown in a sentence.
_SHOWN_LENGTH = 40
#: What people write between a prefix and its number: ``PO-45``, ``PO# 45``, ``PO: 45``.
_AFTER_PREFIX = " -_#:./"
#: In front of a number they keep a spreadsheet from reading it as one.
_APOSTROPHES = "'`\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}"
_FORMULA = re.compile(r'="(.*)"')
_WHOLE_FLOAT = re.compile(r"(\d+)[.,]0{1,2}")
_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?E[+-]\d+", re.IGNORECASE)


class Case(StrEnum):
    """What happens to the letters of a number before the portal sees it."""

    UPPER = "upper"
    LOWER = "lower"
    KEEP = "keep"


class NumberRules(BaseModel):
    """The order numbers of one portal, as its pack tells them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Removed for the portal's addresses, kept for people; compared without case. A number may come without one.
    prefixes: tuple[str, ...] = ()
    #: Regular expression for the whole number once prefix and separators are gone.
    pattern: str
    #: Characters inside a number that people add and the portal does not have.
    separators: str = " -"
    case: Case = Case.UPPER
    #: One phrase for messages: what a number looks like.
    describe: str = Field(min_length=1)
    #: A number that is valid by these rules.
    example: str = Field(min_length=1)

    @model_validator(mode="after")
    def _hold_together(self) -> Self:
        """Refuse a pattern that cannot be read, an empty prefix, an example that breaks the rules."""
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise ValueError(f"pattern {self.pattern!r} is no regular expression: {error}") from error
        if not all(prefix.strip() for prefix in self.prefixes):
            raise ValueError("prefixes holds an empty one")
        match parse_number(self.example, self):
            case BadNumber():
                raise ValueError(f"example {self.example!r} is not valid by pattern {self.pattern!r}")
            case Number():
                return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A valid order number. Two cells mean the same order when their ``portal_number`` is equal."""

    #: For people: with the prefix that the user wrote, if any.
    po_number: str
    #: For the portal's addresses.
    portal_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BadNumber:
    """A cell that holds no order number."""

    #: ``BAD_NUMBER`` or ``BLANK_NUMBER``.
    reason: Reason
    #: One sentence: what is wrong and what was expected.
    detail: str


def parse_number(text: str, rules: NumberRules) -> Number | BadNumber:
    """Read one cell by the rules of a portal."""
    plain = _plain(text)
    if not plain:
        return BadNumber(reason=Reason.BLANK_NUMBER, detail="There is no order number.")
    if _SCIENTIFIC.fullmatch(plain):
        return BadNumber(
            reason=Reason.BAD_NUMBER,
            detail=f"{_shown(plain)} is a number that the spreadsheet shortened, so its last digits are lost: format "
            "the column as text and fill in the full number.",
        )
    if len(plain) <= _LENGTH_MAX:
        for prefix, rest in _readings(plain, rules):
            number = _cased(_joined(rest, rules.separators), rules.case)
            if re.fullmatch(rules.pattern, number):
                return Number(po_number=prefix + number, portal_number=number)
    return BadNumber(
        reason=Reason.BAD_NUMBER,
        detail=f"{_shown(plain)} is no order number of this portal: expected {rules.describe}, for example "
        f"{rules.example}.",
    )


def _plain(text: str) -> str:
    """The text without what spreadsheets, web pages and keyboards put around and into it."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_plain_character, unicodedata.normalize("NFKC", text)))
    text = " ".join(text.split())
    formula = _FORMULA.fullmatch(text)
    if formula:
        text = formula[1]
    text = text.lstrip(_APOSTROPHES).strip()
    whole = _WHOLE_FLOAT.fullmatch(text)
    return whole[1] if whole else text


def _plain_character(character: str) -> str:
    """Any decimal digit as ASCII, any dash as a hyphen; invisible characters vanish."""
    if character.isspace():
        return " "
    match unicodedata.category(character):
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Pd":
            return "-"
        case "Cc" | "Cf":
            return ""
        case _:
            return character


def _readings(plain: str, rules: NumberRules) -> Iterator[tuple[str, str]]:
    """Each way to part the text into a prefix and a number: longest prefix first, none last."""
    for prefix in sorted(rules.prefixes, key=len, reverse=True):
        if plain[: len(prefix)].casefold() == prefix.casefold():
            yield prefix, plain[len(prefix) :].lstrip(_AFTER_PREFIX)
    yield "", plain


def _joined(text: str, separators: str) -> str:
    """Without separators between two characters; one at an end stays, since ``-4500012345`` is no number."""
    if not separators:
        return text
    return re.sub(rf"(?<=\w)[{re.escape(separators)}]+(?=\w)", "", text)


def _cased(text: str, case: Case) -> str:
    match case:
        case Case.UPPER:
            return text.upper()
        case Case.LOWER:
            return text.lower()
        case Case.KEEP:
            return text


def _shown(text: str) -> str:
    return f"'{text}'" if len(text) <= _SHOWN_LENGTH else f"'{text[:_SHOWN_LENGTH]}…'"
