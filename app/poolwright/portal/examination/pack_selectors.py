"""Lists the selectors of a portal pack with their keys, whatever tables it has. Pure.

They are found by the type of the fields, so that a table that is added later is shown without a change here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast, get_args, get_origin

from pydantic import AfterValidator, BaseModel
from pydantic.fields import FieldInfo

from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import Selector

#: What makes a text of a pack a selector.
_CHECKS = tuple(part.func for part in get_args(Selector)[1:] if isinstance(part, AfterValidator))


@dataclass(frozen=True, slots=True, kw_only=True)
class PackSelector:
    """One selector of a pack."""

    #: Its key in the pack, such as ``attachments.links``.
    key: str
    selector: str


def pack_selectors(pack: Pack) -> tuple[PackSelector, ...]:
    """Return every selector of a pack in the order of its tables, each key and selector once."""
    found = (PackSelector(key=key, selector=text) for key, text in _selectors_in(pack, ""))
    return tuple(dict.fromkeys(found))


def _selectors_in(table: BaseModel, above: str) -> Iterator[tuple[str, str]]:
    for name, field in type(table).model_fields.items():
        key = f"{above}{name}"
        value = getattr(table, name)
        if _is_of_selectors(field):
            yield from ((key, text) for text in _texts(value))
        else:
            yield from _selectors_below(value, key)


def _selectors_below(value: object, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, BaseModel):
        yield from _selectors_in(value, f"{key}.")
    elif isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, object]", value).items():
            yield from _selectors_below(inner, f"{key}.{name}")
    elif isinstance(value, tuple):
        for inner in cast("tuple[object, ...]", value):
            yield from _selectors_below(inner, key)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, tuple):
        for inner in cast("tuple[object, ...]", value):
            yield from _texts(inner)


def _is_of_selectors(field: FieldInfo) -> bool:
    return any(_is_check(part) for part in field.metadata) or _has_selector(field.annotation)


def _has_selector(annotation: Any) -> bool:  # noqa: ANN401 - types have no common type
    parts = get_args(annotation)
    if get_origin(annotation) is Annotated and any(_is_check(part) for part in parts[1:]):
        return True
    return any(_has_selector(part) for part in parts)


def _is_check(part: object) -> bool:
    return isinstance(part, AfterValidator) and part.func in _CHECKS
