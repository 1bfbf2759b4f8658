"""Evaluates formulas of conditions that compare values, count letters or search for words. Pure.

These are enough for the rules by which people cross out orders that are done or cancelled. Any other formula raises
``UnknownError``, so that the caller can report it.
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
#: Returns the value of a cell by its row from 1 and its column from 0; ``None`` for a blank cell.
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
        "text": lambda word: word[1:-1].replace('""', '"'),
        "number": float,
        "word": lambda word: word.upper() == "TRUE",
    }
)


class UnknownError(Exception):
    """The formula, or a value in it, is of an unsupported kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaPosition:
    """The cell for which a formula is evaluated: references without a dollar are relative to it."""

    cell_at: CellAt
    #: Distance in rows and columns from the cell for which the formula was written.
    down: int = 0
    right: int = 0


def evaluate(formula: str, position: FormulaPosition) -> Value:
    """Return the value of a formula.

    Raises:
        UnknownError: The formula is not supported.
    """
    return _Reader(formula, position).value()


def is_true(formula: str, position: FormulaPosition) -> bool:
    """Return whether a condition is met.

    Raises:
        UnknownError: The formula is not supported.
    """
    return _truth(evaluate(formula, position))


def compare_values(value: Value, sign: str, other: Value) -> bool:
    """Return whether a comparison is true: texts compare without case, and every text is above every number.

    Raises:
        UnknownError: A value is not supported.
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
    """Return a value in the form in which it is compared; a blank cell is empty text or zero, as the other needs it."""
    if value is None:
        return "" if isinstance(other, str) else 0.0
    return value.casefold() if isinstance(value, str) else value


@lru_cache
def _tokens(formula: str) -> tuple[tuple[str, str], ...]:
    """Return the tokens of a formula; cached, since it is evaluated for every cell."""
    tokens: list[tuple[str, str]] = []
    end = 0
    while end < len(formula):
        match = _TOKEN.match(formula, end)
        if match is None or match.lastgroup is None:
            raise UnknownError(formula)
        tokens.append((match.lastgroup, match[match.lastgroup]))
        end = match.end()
    return tuple(tokens)


class _Reader:
    """Reads a formula once, from its beginning to its end, and returns its value."""

    def __init__(self, formula: str, position: FormulaPosition) -> None:
        self._position = position
        self._tokens = _tokens(formula.strip().removeprefix("="))
        self._index = 0

    def value(self) -> Value:
        value = self._comparison(0)
        if self._index != len(self._tokens):
            raise UnknownError
        return value

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._index] if self._index < len(self._tokens) else ("", "")

    def _take(self) -> tuple[str, str]:
        token = self._next()
        self._index += 1
        return token

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
        kind, word = self._take()
        match kind:
            case "ref":
                return self._cell(word)
            case "call":
                return self._called(word.upper(), self._arguments(depth + 1))
            case "sign":
                return self._signed(word, depth + 1)
            case _ if kind in _LITERALS:
                return _LITERALS[kind](word)
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
            kind, word = self._take()
            if kind != "sign" or word not in {",", ";", ")"}:
                raise UnknownError
            if word == ")":
                return values
            values.append(self._comparison(depth))

    def _cell(self, reference: str) -> Value:
        match = _REF.fullmatch(reference)
        if match is None:
            raise UnknownError
        column = 0
        for letter in match[2].upper():
            column = 26 * column + ord(letter) - ord("A") + 1
        row_no = int(match[4]) + (0 if match[3] else self._position.down)
        return self._position.cell_at(row_no, column - 1 + (0 if match[1] else self._position.right))

    def _called(self, name: str, values: Sequence[Value]) -> Value:
        function = _FUNCTIONS.get(name)
        if function is None:
            raise UnknownError(name)
        try:
            return function(values)
        except IndexError as error:  # an argument is missing
            raise UnknownError(name) from error


def text_of(value: Value) -> str:
    """Return a value as text, as it is joined with others."""
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
    return bool(value) and value == value  # noqa: PLR0124 - not-a-number is not equal to itself


def _count(arguments: Sequence[Value]) -> int:
    """Return the number of letters in the second argument; 1 without it."""
    return int(_number(arguments[1])) if len(arguments) > 1 else 1


def _position_of(wanted: str, within: str, begin: Sequence[Value]) -> Value:
    """Return the position of a text in another one, from 1; not-a-number, which is never true, if it is absent."""
    if "*" in wanted or "?" in wanted:
        raise UnknownError
    index = within.find(wanted, int(_number(begin[0])) - 1 if begin else 0)
    return float(index + 1) if index >= 0 else math.nan


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
        "SEARCH": lambda given: _position_of(text_of(given[0]).casefold(), text_of(given[1]).casefold(), given[2:]),
        "FIND": lambda given: _position_of(text_of(given[0]), text_of(given[1]), given[2:]),
    }
)
