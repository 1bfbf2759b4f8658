"""Formulas of conditions, as far as they compare, count letters and look for words; all others are not known. Pure.

Enough for the rules by which people cross out what is done or cancelled. A formula of another kind is no error: whoever
asks is told that it is not known, and can say so.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

Value: TypeAlias = str | float | bool | None
#: What a cell shows, by its row from 1 and its column from 0; nothing where it is blank.
CellAt: TypeAlias = Callable[[int, int], Value]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"]|\"\")*\")|(?P<number>\d+(?:\.\d+)?)(?![\d.A-Za-z])"
    r"|\[?\.?(?P<ref>\$?[A-Za-z]{1,3}\$?\d{1,7})\]?(?![\w(])"
    r"|(?P<call>[A-Za-z]+)\s*\(|(?P<word>TRUE|FALSE)\b(?!\s*\()|(?P<sign><>|<=|>=|[=<>,;()&-]))",
    re.IGNORECASE,
)
_REF = re.compile(r"(\$?)([A-Z]{1,3})(\$?)(\d+)", re.IGNORECASE)
_DEPTH_MAX = 20
_LITERALS: Mapping[str, Callable[[str], Value]] = MappingProxyType(
    {
        "text": lambda told: told[1:-1].replace('""', '"'),
        "number": float,
        "word": lambda told: told.upper() == "TRUE",
    }
)


class UnknownError(Exception):
    """The formula, or a value that it needs, is of a kind that is not known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaPosition:
    """Where a formula is asked: references without a dollar move with it."""

    cell_at: CellAt
    #: Rows and columns below and right of the cell that the formula was written for.
    down: int = 0
    right: int = 0


def evaluate(formula: str, place: FormulaPosition) -> Value:
    """What a formula comes to.

    Raises:
        UnknownError: That is not known.
    """
    return _Reader(formula, place).value()


def is_true(formula: str, place: FormulaPosition) -> bool:
    """Whether a condition is met.

    Raises:
        UnknownError: That is not known.
    """
    return _truth(evaluate(formula, place))


def compare_values(value: Value, sign: str, other: Value) -> bool:
    """Whether two values compare so: texts without case, and every text behind every number.

    Raises:
        UnknownError: That is not known.
    """
    compare = _COMPARISONS[sign]
    left, right = _same_kind(value, other), _same_kind(other, value)
    if type(left) is type(right):
        return bool(compare(left, right))
    if isinstance(left, bool) or isinstance(right, bool) or sign in {"=", "<>"}:
        return sign == "<>" or (sign != "=" and compare(_rank(left), _rank(right)))
    return bool(compare(_rank(left), _rank(right)))


def _rank(value: Value) -> int:
    return 2 if isinstance(value, bool) else int(isinstance(value, str))


def _same_kind(value: Value, other: Value) -> str | float | bool:
    """A value as it is compared; a blank cell is whatever the other one is."""
    if value is None:
        return "" if isinstance(other, str) else 0.0
    return value.casefold() if isinstance(value, str) else value


@lru_cache
def _tokens(formula: str) -> tuple[tuple[str, str], ...]:
    """The words of a formula; it is asked for every cell anew."""
    tokens: list[tuple[str, str]] = []
    end = 0
    while end < len(formula):
        found = _TOKEN.match(formula, end)
        if found is None or found.lastgroup is None:
            raise UnknownError(formula)
        tokens.append((found.lastgroup, found[found.lastgroup]))
        end = found.end()
    return tuple(tokens)


class _Reader:
    """Reads a formula once, from its beginning to its end, and tells its value."""

    def __init__(self, formula: str, place: FormulaPosition) -> None:
        self._place = place
        self._tokens = _tokens(formula.strip().removeprefix("="))
        self._at = 0

    def value(self) -> Value:
        value = self._comparison(0)
        if self._at != len(self._tokens):
            raise UnknownError
        return value

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("", "")

    def _take(self) -> tuple[str, str]:
        found = self._next()
        self._at += 1
        return found

    def _comparison(self, depth: int) -> Value:
        left = self._joined(depth)
        while self._next()[1] in _COMPARISONS and self._next()[0] == "sign":
            sign = self._take()[1]
            left = compare_values(left, sign, self._joined(depth))
        return left

    def _joined(self, depth: int) -> Value:
        left = self._single(depth)
        while self._next() == ("sign", "&"):
            self._take()
            left = text_of(left) + text_of(self._single(depth))
        return left

    def _single(self, depth: int) -> Value:
        if depth > _DEPTH_MAX:
            raise UnknownError
        kind, told = self._take()
        match kind:
            case "ref":
                return self._cell(told)
            case "call":
                return self._called(told.upper(), self._arguments(depth + 1))
            case "sign":
                return self._signed(told, depth + 1)
            case _ if kind in _LITERALS:
                return _LITERALS[kind](told)
            case _:
                raise UnknownError

    def _signed(self, sign: str, depth: int) -> Value:
        if sign == "-":
            return -_number(self._single(depth))
        value = self._comparison(depth) if sign == "(" else None
        if sign != "(" or self._take() != ("sign", ")"):
            raise UnknownError
        return value

    def _arguments(self, depth: int) -> list[Value]:
        if self._next() == ("sign", ")"):
            self._take()
            return []
        values = [self._comparison(depth)]
        while True:
            kind, told = self._take()
            if kind != "sign" or told not in {",", ";", ")"}:
                raise UnknownError
            if told == ")":
                return values
            values.append(self._comparison(depth))

    def _cell(self, reference: str) -> Value:
        found = _REF.fullmatch(reference)
        if found is None:
            raise UnknownError
        column = 0
        for letter in found[2].upper():
            column = 26 * column + ord(letter) - ord("A") + 1
        row_no = int(found[4]) + (0 if found[3] else self._place.down)
        return self._place.cell_at(row_no, column - 1 + (0 if found[1] else self._place.right))

    def _called(self, name: str, values: Sequence[Value]) -> Value:
        function = _FUNCTIONS.get(name)
        if function is None:
            raise UnknownError(name)
        try:
            return function(values)
        except IndexError as error:  # something is missing
            raise UnknownError(name) from error


def text_of(value: Value) -> str:
    """A value as it is put beside texts."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.15g}"
    return value if isinstance(value, str) else ""


def _number(value: Value) -> float:
    if isinstance(value, str):
        raise UnknownError
    return float(value or 0)


def _truth(value: Value) -> bool:
    if isinstance(value, str):
        raise UnknownError
    return bool(value) and value == value  # noqa: PLR0124 - what is no number is equal to nothing


def _count(given: Sequence[Value]) -> int:
    """How many letters are asked for: one where nothing is said."""
    return int(_number(given[1])) if len(given) > 1 else 1


def _found_at(wanted: str, within: str, begin: Sequence[Value]) -> Value:
    """The place of a text in another one; the error where it is not in it is equal to nothing, and not true."""
    if "*" in wanted or "?" in wanted:
        raise UnknownError
    place = within.find(wanted, int(_number(begin[0])) - 1 if begin else 0)
    return float(place + 1) if place >= 0 else math.nan


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = MappingProxyType(
    {
        "=": operator.eq,
        "<>": operator.ne,
        "<": operator.lt,
        ">": operator.gt,
        "<=": operator.le,
        ">=": operator.ge,
    }
)
_FUNCTIONS: Mapping[str, Callable[[Sequence[Value]], Value]] = MappingProxyType(
    {
        "AND": lambda given: all(map(_truth, given)),
        "OR": lambda given: any(map(_truth, given)),
        "NOT": lambda given: not _truth(given[0]),
        "TRUE": lambda _: True,
        "FALSE": lambda _: False,
        "ISBLANK": lambda given: given[0] is None,
        "ISTEXT": lambda given: isinstance(given[0], str),
        "ISNUMBER": lambda given: isinstance(given[0], float) and not math.isnan(given[0]),
        "LEN": lambda given: float(len(text_of(given[0]))),
        "TRIM": lambda given: " ".join(text_of(given[0]).split()),
        "UPPER": lambda given: text_of(given[0]).upper(),
        "LOWER": lambda given: text_of(given[0]).lower(),
        "LEFT": lambda given: text_of(given[0])[: _count(given)],
        "RIGHT": lambda given: text_of(given[0])[max(0, len(text_of(given[0])) - _count(given)) :],
        "EXACT": lambda given: text_of(given[0]) == text_of(given[1]),
        "SEARCH": lambda given: _found_at(text_of(given[0]).casefold(), text_of(given[1]).casefold(), given[2:]),
        "FIND": lambda given: _found_at(text_of(given[0]), text_of(given[1]), given[2:]),
    }
)
