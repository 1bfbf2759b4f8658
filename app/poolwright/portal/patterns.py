"""Regular expressions of a pack, which meet what portals and suppliers write. Pure.

Their time must grow with the text and no faster: a name full of blanks may not hold up a worker. So they are RE2's.
What RE2 does not know, look-around and back-references, is left to an engine that may take long, and its time limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import re2

#: Of the processor's time, for a pattern that RE2 does not take; one that needs longer finds nothing.
LIMIT_S = 0.2
#: RE2 knows the blanks of ASCII alone, and web pages are full of others.
_OTHER_BLANK = re.compile(r"[^\S\t\n\r \x1c-\x1f]")

#: The first group of the first match, or all of it where there is no group; nothing where none is found.
_Search: TypeAlias = Callable[[str], str | None]


class PatternError(ValueError):
    """A text is no regular expression."""


def validate(pattern: str) -> None:
    """Make sure that a pattern can be used.

    Raises:
        PatternError: It cannot; the message tells why.
    """
    _search(pattern, ignores_case=False)


def is_found(pattern: str, text: str) -> bool:
    """Whether a pattern is found anywhere in a text, in upper or lower case."""
    return _search(pattern, ignores_case=True)(text) is not None


def extract(pattern: str, text: str) -> str | None:
    """The first group of the first match, or all of it where there is no group; nothing where none is found.

    A point stands for a line break too, and every blank of the text counts as a space.
    """
    found = _search(pattern, ignores_case=False)(_OTHER_BLANK.sub(" ", text))
    return None if found is None else found.strip()


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
        found = linear.search(text)
        return None if found is None else found.group(group) or ""

    return search


def _search_in_time(pattern: str, *, ignores_case: bool) -> _Search:
    import regex  # noqa: PLC0415 - hardly a pattern comes as far as here, and every worker would load it

    try:
        any_kind = regex.compile(pattern, regex.IGNORECASE if ignores_case else regex.DOTALL)
    except regex.error as error:
        raise PatternError(f"{pattern!r} is not a valid regular expression: {error}") from error
    group = 1 if any_kind.groups else 0

    def search(text: str) -> str | None:
        try:
            found = any_kind.search(text, timeout=LIMIT_S)
        except TimeoutError:
            return None
        return None if found is None else found.group(group) or ""

    return search
