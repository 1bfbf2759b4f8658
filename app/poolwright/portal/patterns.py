"""Searches texts of portals and suppliers with the regular expressions of a pack. Pure.

The time must be linear in the length of the text, so that no text can block a worker; hence RE2. Patterns that RE2 does
not support (look-around, back-references) use another engine with a time limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import re2

#: Seconds for a pattern that RE2 does not support; one that needs longer finds nothing.
LIMIT_S = 0.2
#: Blanks other than ASCII, which RE2 does not treat as blanks and web pages often contain.
_OTHER_BLANK = re.compile(r"[^\S\t\n\r \x1c-\x1f]")

#: Returns the first group of the first match, or the whole match without groups; ``None`` without a match.
_Search: TypeAlias = Callable[[str], str | None]


class PatternError(ValueError):
    """A text is not a regular expression."""


def validate(pattern: str) -> None:
    """Make sure that a pattern is valid.

    Raises:
        PatternError: It is not valid; the message has the reason.
    """
    _search(pattern, ignores_case=False)


def is_found(pattern: str, text: str) -> bool:
    """Return whether a pattern matches anywhere in a text; case is ignored."""
    return _search(pattern, ignores_case=True)(text) is not None


def extract(pattern: str, text: str) -> str | None:
    """Return the first group of the first match, or the whole match without groups; ``None`` without a match.

    A point matches a line break too, and every blank of the text counts as a space.
    """
    value = _search(pattern, ignores_case=False)(_OTHER_BLANK.sub(" ", text))
    return None if value is None else value.strip()


def group_count(pattern: str) -> int:
    """Return the number of groups of a valid pattern."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options).groups
    except re2.error:
        import regex  # noqa: PLC0415 - rarely needed, and every worker would load it

        return regex.compile(pattern).groups


def groups(pattern: str, text: str) -> tuple[str, ...] | None:
    """Return the whole first match and its groups, empty for those without one; ``None`` without a match."""
    options = re2.Options()
    options.dot_nl, options.log_errors = True, False
    try:
        linear = re2.compile(pattern, options=options)
    except re2.error:
        return _groups_in_time(pattern, text)
    match = linear.search(text)
    return None if match is None else tuple(match.group(number) or "" for number in range(linear.groups + 1))


def _groups_in_time(pattern: str, text: str) -> tuple[str, ...] | None:
    import regex  # noqa: PLC0415 - rarely needed, and every worker would load it

    any_kind = regex.compile(pattern, regex.DOTALL)
    try:
        match = any_kind.search(text, timeout=LIMIT_S)
    except TimeoutError:
        return None
    return None if match is None else tuple(match.group(number) or "" for number in range(any_kind.groups + 1))


@lru_cache(maxsize=256)
def _search(pattern: str, *, ignores_case: bool) -> _Search:
    options = re2.Options()
    options.case_sensitive = not ignores_case
    options.dot_nl = not ignores_case
    options.log_errors = False
    try:
        linear = re2.compile(pattern, options=options)
    except re2.error:
        return _search_in_time(pattern, ignores_case=ignores_case)
    group = 1 if linear.groups else 0

    def search(text: str) -> str | None:
        match = linear.search(text)
        return None if match is None else match.group(group) or ""

    return search


def _search_in_time(pattern: str, *, ignores_case: bool) -> _Search:
    import regex  # noqa: PLC0415 - rarely needed, and every worker would load it

    try:
        any_kind = regex.compile(pattern, regex.IGNORECASE if ignores_case else regex.DOTALL)
    except regex.error as error:
        raise PatternError(f"{pattern!r} is not a valid regular expression: {error}") from error
    group = 1 if any_kind.groups else 0

    def search(text: str) -> str | None:
        try:
            match = any_kind.search(text, timeout=LIMIT_S)
        except TimeoutError:
            return None
        return None if match is None else match.group(group) or ""

    return search
