"""Formats numbers as a workbook shows them: leading zeros, fixed text between digits, dates. Pure.

Thousands separators are left out, since they differ between countries. Fractions and powers of ten are formatted as
General. An unknown format is General too: German programs write ``Standard`` for it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from enum import Enum, auto
from functools import lru_cache

_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<width>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]?'
    r"|(?P<general>General|G/(?=[^\x00-\x7f])[^;]*)|(?P<half>AM/PM|A/P)|(?P<power>E[+-])|(?P<digit>[0#?])|(?P<point>\.)"
    r"|(?P<comma>,)|(?P<end>;)|(?P<text>@)|(?P<letters>[^\W\d_]+)|(?P<sign>.)",
    re.IGNORECASE | re.DOTALL,
)
_DATE_LETTERS = frozenset("ymdhsegb")
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_CURRENCY = re.compile(r"\$([^-]*)(?:-.*)?")
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
#: Letters of a date in another language: ``TT.MM.JJJJ``.
_DOUBLED = re.compile(r"(?:([^\W\d_])\1+)+")
#: Excel stores 15 digits of a number; the rest are zeros.
EXACT_DIGITS = 15
_EXACT_BELOW = 10**EXACT_DIGITS
#: Excel allows half of that; the digits that such a format can show.
_CODE_LENGTH_MAX = 500
_ROOMY = Context(prec=2_000)
_TWO, _THREE = 2, 3
#: Signs with a meaning of their own unless they are quoted.
_SIGNS = {"%": "percent", "/": "slash"}


class FormatKind(Enum):
    """Kinds of formatted numbers."""

    GENERAL = auto()
    NUMBER = auto()
    DATE = auto()
    #: Hours or minutes, which may exceed a day.
    ELAPSED = auto()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Section:
    kind: FormatKind
    tokens: tuple[_Token, ...]
    condition: tuple[str, float] | None = None

    def holds(self, number: float) -> bool:
        """Return whether a number meets the condition; a section without a condition accepts every number."""
        if self.condition is None:
            return True
        sign, limit = self.condition
        return {
            "<": number < limit,
            "<=": number <= limit,
            ">": number > limit,
            ">=": number >= limit,
            "=": number == limit,
            "<>": number != limit,
        }[sign]


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """One format, split into its sections."""

    sections: tuple[_Section, ...]
    #: The section for text: the fourth one, or the last one of a shorter format if it has the sign for text.
    text_section: _Section | None = None

    @staticmethod
    @lru_cache(maxsize=4096)
    def parse(code: str) -> NumberFormat:
        """Parse a format code."""
        is_usual = code.strip() and len(code) <= _CODE_LENGTH_MAX
        sections = tuple(map(_section, _parted(code if is_usual else "General")))
        is_textual = len(sections) > _THREE or any(token.kind == "text" for token in sections[-1].tokens)
        return NumberFormat(sections=sections[:_THREE], text_section=sections[-1] if is_textual else None)

    def kind(self, number: float) -> FormatKind:
        """Return the kind of a formatted number."""
        return self._section(number)[0].kind

    def format_number(self, number: float) -> str:
        """Return a number as the cell shows it. Not for dates."""
        section, is_signed = self._section(number)
        if section.kind is not FormatKind.NUMBER or not abs(number) < _EXACT_BELOW:
            return _around(section, general_text(number))
        return _filled(section.tokens, _exact(number if is_signed else abs(number)))

    def format_text(self, text: str) -> str:
        """Return a text as the cell shows it: some formats add fixed text around it, and one hides it."""
        section = self.text_section
        if section is None:
            return text
        replacements = {"text": text, "general": text}
        return "".join(
            replacements.get(token.kind, token.text if token.kind == "literal" else "") for token in section.tokens
        )

    def splits_digits(self, number: float) -> bool:
        """Return whether fixed text is between the digits that it shows."""
        kinds = [token.kind for token in self._section(number)[0].tokens if token.kind != "width"]
        digits = [index for index, kind in enumerate(kinds) if kind == "digit"]
        return bool(digits) and "literal" in kinds[digits[0] : digits[-1]]

    def fills_with_digits(self, number: float) -> bool:
        """Return whether the width of the column decides how many digits it shows: ``*0`` repeats a zero."""
        return any(token.kind == "fill" and token.text.isdigit() for token in self._section(number)[0].tokens)

    def is_percentage(self, number: float) -> bool:
        """Return whether it shows a hundred times the number."""
        return any(token.kind == "percent" for token in self._section(number)[0].tokens)

    def _section(self, number: float) -> tuple[_Section, bool]:
        """Return the section for a number, and whether the number is shown with its own sign."""
        if any(section.condition for section in self.sections):
            fitting = [section for section in self.sections if section.holds(number)]
            return (fitting[0] if fitting else self.sections[-1]), True
        count = len(self.sections)
        if number < 0 and count >= _TWO:
            return self.sections[1], False
        if number == 0 and count >= _THREE:
            return self.sections[2], True
        return self.sections[0], True


def general_text(number: float) -> str:
    """Return a number without a format: whole ones without a fraction, none with more digits than Excel stores.

    A longer one is written in scientific notation, which is not taken for an order.
    """
    if not abs(number) < _EXACT_BELOW:  # true for not-a-number too
        return f"{number:.15G}"
    if is_shown_whole(number):
        return str(round(number))
    return f"{number:.15G}"


def is_shown_whole(number: float) -> bool:
    """Return whether a number is whole within the digits that Excel stores."""
    if float(number).is_integer():
        return True
    if not math.isfinite(number):
        return False
    exact = _exact(number)
    return exact == exact.to_integral_value()


def _exact(number: float) -> Decimal:
    """Return the number with the digits that Excel stores, so without the noise after them."""
    return Decimal(f"{number:.{EXACT_DIGITS}G}")


def _parted(code: str) -> list[list[_Token]]:
    sections: list[list[_Token]] = [[]]
    for match in _TOKEN.finditer(code):
        kind = match.lastgroup or "sign"
        if kind == "end":
            sections.append([])
        else:
            sections[-1].append(_token(kind, match[kind]))
    return sections


def _token(kind: str, text: str) -> _Token:
    if kind == "sign" and text in _SIGNS:
        return _Token(_SIGNS[text], text)
    if kind in {"quoted", "escaped", "sign"}:
        return _Token("literal", text)
    if kind == "bracket":
        if _ELAPSED.fullmatch(text):
            return _Token("elapsed", text)
        currency = _CURRENCY.fullmatch(text)
        return _Token("literal", currency[1]) if currency else _Token("bracket", text)
    return _Token(kind, text)


def _section(tokens: list[_Token]) -> _Section:
    condition = next((parsed for token in tokens if (parsed := _condition(token))), None)
    kinds = {token.kind for token in tokens}
    if "elapsed" in kinds:
        return _Section(FormatKind.ELAPSED, (), condition)
    letters = [token.text.casefold() for token in tokens if token.kind == "letters"]
    if letters or "half" in kinds:
        kind = _kind_of_letters(letters, has_digits="digit" in kinds)
        if kind is FormatKind.NUMBER:
            tokens = [_Token("literal", token.text) if token.kind == "letters" else token for token in tokens]
        return _Section(kind, tuple(tokens) if kind is FormatKind.NUMBER else (), condition)
    is_fraction = {"digit", "slash"} <= kinds
    if kinds & {"general", "text", "power"} or is_fraction:
        return _Section(FormatKind.GENERAL, tuple(tokens), condition)
    return _Section(FormatKind.NUMBER, tuple(tokens), condition)


def _condition(token: _Token) -> tuple[str, float] | None:
    match = _CONDITION.fullmatch(token.text) if token.kind == "bracket" else None
    return (match[1], float(match[2])) if match else None


def _kind_of_letters(words: list[str], *, has_digits: bool) -> FormatKind:
    """Return the kind of a format with letters.

    It is a date if all plain letters are those of dates, in English or doubled. Otherwise the letters are a name of
    General, or unquoted text beside the digits.
    """
    latin = "".join(words).encode("ascii", "ignore").decode()
    if latin and _DATE_LETTERS.issuperset(latin):
        return FormatKind.DATE
    if has_digits:
        return FormatKind.NUMBER
    return FormatKind.DATE if all(map(_DOUBLED.fullmatch, words)) else FormatKind.GENERAL


def _around(section: _Section, text: str) -> str:
    """Return a General number between the fixed text of its section."""
    kinds = [token.kind for token in section.tokens]
    index = next((kinds.index(kind) for kind in ("general", "text") if kind in kinds), None)
    if index is None:
        return text
    before, after = section.tokens[:index], section.tokens[index + 1 :]
    return (_literals(before) + text + _literals(after)).strip()


def _literals(tokens: tuple[_Token, ...]) -> str:
    return "".join(
        token.text if token.kind == "literal" else " " for token in tokens if token.kind in {"literal", "width"}
    )


def _filled(tokens: tuple[_Token, ...], number: Decimal) -> str:
    """Return the digits of a number in the digit positions of its format."""
    kinds = [token.kind for token in tokens]
    point = kinds.index("point") if "point" in kinds else len(kinds)
    last_digit = max((index for index, kind in enumerate(kinds[:point]) if kind == "digit"), default=-1)
    last_decimal = max((index for index, kind in enumerate(kinds) if kind == "digit"), default=-1)
    behind = kinds[last_digit + 1 : point] + (kinds[last_decimal + 1 :] if last_decimal > point else [])
    thousands = behind.count("comma") if last_digit >= 0 else 0
    decimals = sum(kind == "digit" for kind in kinds[point:])
    scaled = number.scaleb(2 * kinds.count("percent") - 3 * thousands, _ROOMY)
    rounded = scaled.quantize(Decimal(1).scaleb(-decimals, _ROOMY), ROUND_HALF_UP, _ROOMY)
    whole, _, fraction = f"{abs(rounded):f}".partition(".")
    text = _whole_part(tokens[:point], whole) + _fraction_part(tokens[point:], fraction)
    return ("-" if rounded < 0 else "") + text.strip()


def _whole_part(tokens: tuple[_Token, ...], whole: str) -> str:
    """Fill in digits from the right; those without a position of their own are in the first one."""
    digits = [] if whole == "0" else list(whole)
    positions = [token.text for token in tokens if token.kind == "digit"]
    is_zero_after = False
    pieces: list[str] = []
    fills: list[str] = []
    for position in positions:
        is_zero_after = is_zero_after or position == "0"
        fills.append("0" if is_zero_after else "")
    open_count = len(positions)
    for token in reversed(tokens):
        if token.kind == "digit":
            open_count -= 1
            rest = "".join(digits) if not open_count else (digits.pop() if digits else "")
            pieces.append(rest or fills[open_count])
        elif token.kind in {"literal", "percent", "width"}:
            pieces.append(" " if token.kind == "width" else token.text)
    return "".join(reversed(pieces))


def _fraction_part(tokens: tuple[_Token, ...], fraction: str) -> str:
    if not tokens:
        return ""
    pieces: list[str] = []
    needed = max(
        (index for index, token in enumerate(tokens) if token.kind == "digit" and token.text == "0"), default=0
    )
    digits = iter(fraction)
    left = fraction
    for index, token in enumerate(tokens):
        if token.kind == "digit":
            if index <= needed or left.strip("0"):
                pieces.append(next(digits, "0"))
            left = left[1:]
        elif token.kind == "point":
            pieces.append("." if fraction.strip("0") or needed else "")
        elif token.kind in {"literal", "percent", "width"}:
            pieces.append(" " if token.kind == "width" else token.text)
    return "".join(pieces)
