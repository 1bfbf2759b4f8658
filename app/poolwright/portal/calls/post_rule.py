"""Defines a listed call (``site.posts``) by its address and by values of its body, and compares bodies with it. Pure.

Many clients send every call to one address: what a call does is told by its body alone. A body that cannot be read
does not match, and neither does one that a server could read in another way than it is read here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, cast
from urllib.parse import parse_qsl

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from poolwright.portal import patterns

_FORM = "application/x-www-form-urlencoded"
#: More fields than any form of a page has.
_FIELDS_MAX = 2000
_SHOWN_MAX_CHARS = 60
#: Levels of a body in which the name of a call may stand.
_DEPTH_MAX = 5


class UnreadableBodyError(ValueError):
    """A body whose values are not known for certain."""


def _address(text: str) -> str:
    if not text.strip():
        msg = "an empty text is on every page"
        raise ValueError(msg)
    patterns.validate(text)
    return text


def _several(value: object) -> object:
    """Return one value as a list of one."""
    return [value] if isinstance(value, bool | int | float | str) else value


def _filled(values: tuple[object, ...]) -> tuple[object, ...]:
    if not values:
        msg = "it must hold at least one value"
        raise ValueError(msg)
    return values


def _some_places(places: Mapping[str, tuple[object, ...]]) -> Mapping[str, tuple[object, ...]]:
    if not places or not all(place.strip() for place in places):
        msg = "it must name at least one place, such as method"
        raise ValueError(msg)
    return places


_Values = Annotated[tuple[bool | int | float | str, ...], BeforeValidator(_several), AfterValidator(_filled)]


class PostRule(BaseModel):
    """A call that an order's page may send: by its address, if its body has these values."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    #: Regular expression, searched in path and query of the request.
    address: Annotated[str, AfterValidator(_address)]
    #: Values that the body must have, by place; all places must match. A place is the name of a field in a form, and in
    #: JSON keys joined by dots, where a number is a place in a list and ``*`` is every place or key. Every value that
    #: is there must be one of those listed; letters count as they are written.
    body: Annotated[dict[str, _Values], AfterValidator(_some_places)]

    def problem_of(self, content_type: str, body: bytes | None) -> str:
        """Return why a body does not match; empty if it does.

        Args:
            content_type: The header of the request.
            body: Its body; ``None`` if it is not known.
        """
        if body is None:
            return "its body cannot be read"
        try:
            found = _BodyValues(content_type, body)
        except UnreadableBodyError as error:
            return f"its body cannot be read ({error})"
        for place, values in self.body.items():
            wanted, shown = {_as_text(value) for value in values}, found.at(place)
            if not shown or None in shown:
                return f"its body has no {place}"
            if strange := [text for text in shown if text is not None and text not in wanted]:
                return f"its body has {place} = {strange[0][:_SHOWN_MAX_CHARS]!r}"
        return ""


class _BodyValues:
    """The values of one body."""

    def __init__(self, content_type: str, body: bytes) -> None:
        """Read it by its type, as a server does; what is no form is JSON."""
        kind = content_type.partition(";")[0].strip().lower()
        self._fields: list[tuple[str, str]] | None = None
        self._content: object = None
        if kind.startswith("multipart/"):
            raise UnreadableBodyError("it has several parts")
        try:
            if kind == _FORM:
                self._fields = _form_fields(body.decode("utf-8"))
            else:
                self._content = json.loads(body.decode("utf-8"), object_pairs_hook=_unique)
        except UnreadableBodyError:
            raise
        except UnicodeDecodeError as error:
            raise UnreadableBodyError("it is not UTF-8") from error
        except RecursionError as error:
            raise UnreadableBodyError("it is nested too deep") from error
        except ValueError as error:
            raise UnreadableBodyError("it is neither a form nor JSON") from error

    def places(self) -> Iterator[tuple[str, str]]:
        """Yield every single value with its place; in a list of calls the place begins with ``*``."""
        content = self._content
        if self._fields is not None:
            yield from self._fields
        elif isinstance(content, list):
            for item in cast("list[object]", content):
                yield from _placed(item, "*")
        else:
            yield from _placed(content, "")

    def at(self, place: str) -> list[str | None]:
        """Return every value at a place, as texts; ``None`` for what is missing, or is no single value."""
        if self._fields is not None:
            return [value for name, value in self._fields if name == place]
        return [_as_text(value) for value in _values_at(self._content, place.split("."))]


def placed_values(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Return the values of a body with the places by which a rule can name them; none if it cannot be read.

    Args:
        content_type: The header of the request.
        body: Its body.
    """
    try:
        return list(_BodyValues(content_type, body).places())
    except UnreadableBodyError:
        return []


def _placed(content: object, place: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    if depth > _DEPTH_MAX:
        return
    inner: Mapping[str, object] = {}
    if isinstance(content, dict):
        inner = cast("dict[str, object]", content)
    elif isinstance(content, list):
        inner = {str(number): item for number, item in enumerate(cast("list[object]", content))}
    elif (text := _as_text(content)) is not None:
        yield place, text
    for key, value in inner.items():
        if key and "." not in key and key != "*":  # no place can name another one
            yield from _placed(value, f"{place}.{key}" if place else key, depth + 1)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise UnreadableBodyError("a key is in it twice")
    return table


def _form_fields(text: str) -> list[tuple[str, str]]:
    if ";" in text:  # some servers end a field there, and no browser writes it
        raise UnreadableBodyError("it has a semicolon")
    return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS_MAX)


def _values_at(content: object, steps: Sequence[str]) -> Iterator[object]:
    """Yield the values at a place of JSON data, and ``None`` wherever it is missing.

    So a part without the place does not go unseen beside one that has it.
    """
    if not steps:
        yield content
        return
    first, rest = steps[0], steps[1:]
    inner: Sequence[object] = ()
    if isinstance(content, dict):
        table = cast("dict[str, object]", content)
        inner = [*table.values()] if first == "*" else [table[first]] if first in table else []
    elif isinstance(content, list):
        items = cast("list[object]", content)
        inner = items if first == "*" else items[int(first) :][:1] if re.fullmatch(r"[0-9]{1,9}", first) else []
    if first != "*" and not inner:
        yield None
    for value in inner:
        yield from _values_at(value, rest)


def _as_text(value: object) -> str | None:
    """Return a value as it is compared; ``None`` for one that a pack cannot list."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float | str) else None
