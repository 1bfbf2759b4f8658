"""A number as its format shows it: leading zeros, fixed text between digits, dates. Pure.

Signs between thousands are left out, since they differ from country to country. What is no plain number (a fraction, a
power of ten) is shown in General. A format that no program would understand is General too: German programs write
``Standard`` where others write ``General``, and both mean the same.
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
#: Excel keeps 15 digits of a number and makes the rest zeros.
EXACT_DIGITS = 15
_EXACT_BELOW = 10**EXACT_DIGITS
#: Room for every digit that a format of Excel's greatest length can ask for.
_ROOMY = Context(prec=1_000)
_TWO, _THREE = 2, 3
#: Signs that stand for themselves when they are quoted.
_SIGNS = {"%": "percent", "/": "slash"}


class FormatKind(Enum):
    """What a format makes of a number."""

    GENERAL = auto()
    NUMBER = auto()
    DATE = auto()
    #: Hours or minutes that count on beyond a day.
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
        """Whether its condition holds; one without a condition takes anything."""
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
    """One format, parted into its sections."""

    sections: tuple[_Section, ...]
    #: What happens to text: the fourth section, or a shorter format's last one with the sign for text.
    text_section: _Section | None = None

    @staticmethod
    @lru_cache(maxsize=4096)
    def of(code: str) -> NumberFormat:
        """The format that is written so."""
        sections = tuple(map(_section, _parted(code if code.strip() else "General")))
        is_textual = len(sections) > _THREE or any(token.kind == "text" for token in sections[-1].tokens)
        return NumberFormat(sections=sections[:_THREE], text_section=sections[-1] if is_textual else None)

    def kind(self, number: float) -> FormatKind:
        """What it makes of a number."""
        return self._section(number)[0].kind

    def shown(self, number: float) -> str:
        """A number as it stands in the cell. Not for dates."""
        section, is_signed = self._section(number)
        if section.kind is not FormatKind.NUMBER or not abs(number) < _EXACT_BELOW:
            return _around(section, general_text(number))
        return _filled(section.tokens, _exact(number if is_signed else abs(number)))

    def shown_text(self, text: str) -> str:
        """A text as it stands in the cell: some formats put fixed text around it, and one hides it."""
        section = self.text_section
        if section is None:
            return text
        shown = {"text": text, "general": text}
        return "".join(shown.get(token.kind, token.text if token.kind == "literal" else "") for token in section.tokens)

    def is_parting(self, number: float) -> bool:
        """Whether fixed text stands between the digits that it shows."""
        kinds = [token.kind for token in self._section(number)[0].tokens if token.kind != "width"]
        places = [place for place, kind in enumerate(kinds) if kind == "digit"]
        return bool(places) and "literal" in kinds[places[0] : places[-1]]

    def is_percentage(self, number: float) -> bool:
        """Whether it shows a hundred times the number."""
        return any(token.kind == "percent" for token in self._section(number)[0].tokens)

    def _section(self, number: float) -> tuple[_Section, bool]:
        """The section for a number, and whether the number brings its own sign."""
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
    """A number without a format: whole ones without a fraction, none with more digits than Excel keeps.

    A longer one is written in its scientific notation, which nobody takes for an order.
    """
    if not abs(number) < _EXACT_BELOW:  # nor what is no number at all
        return f"{number:.15G}"
    if is_shown_whole(number):
        return str(round(number))
    return f"{number:.15G}"


def is_shown_whole(number: float) -> bool:
    """Whether nothing but noise stands behind the point of a number."""
    if float(number).is_integer():
        return True
    if not math.isfinite(number):
        return False
    exact = _exact(number)
    return exact == exact.to_integral_value()


def _exact(number: float) -> Decimal:
    """The number with the digits that Excel keeps, so without the noise behind them."""
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
    condition = next((found for token in tokens if (found := _condition(token))), None)
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
    """A date where all plain letters are those of dates, in English or doubled.

    Otherwise a name of General, or letters that somebody forgot to quote beside the places of digits.
    """
    latin = "".join(words).encode("ascii", "ignore").decode()
    if latin and _DATE_LETTERS.issuperset(latin):
        return FormatKind.DATE
    if has_digits:
        return FormatKind.NUMBER
    return FormatKind.DATE if all(map(_DOUBLED.fullmatch, words)) else FormatKind.GENERAL


def _around(section: _Section, text: str) -> str:
    """General text between the fixed text of its section."""
    kinds = [token.kind for token in section.tokens]
    place = next((kinds.index(kind) for kind in ("general", "text") if kind in kinds), None)
    if place is None:
        return text
    before, after = section.tokens[:place], section.tokens[place + 1 :]
    return (_literals(before) + text + _literals(after)).strip()


def _literals(tokens: tuple[_Token, ...]) -> str:
    return "".join(
        token.text if token.kind == "literal" else " " for token in tokens if token.kind in {"literal", "width"}
    )


def _filled(tokens: tuple[_Token, ...], number: Decimal) -> str:
    """The digits of a number in the places of its format."""
    kinds = [token.kind for token in tokens]
    point = kinds.index("point") if "point" in kinds else len(kinds)
    last_digit = max((place for place, kind in enumerate(kinds[:point]) if kind == "digit"), default=-1)
    thousands = sum(kind == "comma" for kind in kinds[last_digit + 1 : point]) if last_digit >= 0 else 0
    decimals = sum(kind == "digit" for kind in kinds[point:])
    scaled = number.scaleb(2 * kinds.count("percent") - 3 * thousands, _ROOMY)
    rounded = scaled.quantize(Decimal(1).scaleb(-decimals, _ROOMY), ROUND_HALF_UP, _ROOMY)
    whole, _, fraction = f"{abs(rounded):f}".partition(".")
    text = _whole_part(tokens[:point], whole) + _fraction_part(tokens[point:], fraction)
    return ("-" if rounded < 0 else "") + text.strip()


def _whole_part(tokens: tuple[_Token, ...], whole: str) -> str:
    """Digits from the right; those for which there is no place stand in the first one."""
    digits = [] if whole == "0" else list(whole)
    places = [token.text for token in tokens if token.kind == "digit"]
    is_zero_after = False
    shown: list[str] = []
    fills: list[str] = []
    for place in places:
        is_zero_after = is_zero_after or place == "0"
        fills.append("0" if is_zero_after else "")
    open_count = len(places)
    for token in reversed(tokens):
        if token.kind == "digit":
            open_count -= 1
            rest = "".join(digits) if not open_count else (digits.pop() if digits else "")
            shown.append(rest or fills[open_count])
        elif token.kind in {"literal", "percent", "width"}:
            shown.append(" " if token.kind == "width" else token.text)
    return "".join(reversed(shown))


def _fraction_part(tokens: tuple[_Token, ...], fraction: str) -> str:
    if not tokens:
        return ""
    shown: list[str] = []
    needed = max(
        (place for place, token in enumerate(tokens) if token.kind == "digit" and token.text == "0"), default=0
    )
    digits = iter(fraction)
    left = fraction
    for place, token in enumerate(tokens):
        if token.kind == "digit":
            if place <= needed or left.strip("0"):
                shown.append(next(digits, "0"))
            left = left[1:]
        elif token.kind == "point":
            shown.append("." if fraction.strip("0") or needed else "")
        elif token.kind in {"literal", "percent", "width"}:
            shown.append(" " if token.kind == "width" else token.text)
    return "".join(shown)
