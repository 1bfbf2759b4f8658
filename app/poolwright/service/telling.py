"""Events as plain JSON, for programs: the lines of ``--json`` and the stream of the daemon."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, get_args

from pydantic import TypeAdapter

from poolwright.domain.events import Event, TaskEnded

_KINDS: Mapping[str, type[Event]] = MappingProxyType({kind.__name__: kind for kind in get_args(Event)})


@cache
def _adapter(kind: type[Event]) -> TypeAdapter[Event]:
    return TypeAdapter(kind)  # at the first event of a kind: most programs tell or hear only some of them


def kind_of(event: Event) -> str:
    """Return the event's name in JSON, such as ``task_ended``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()


def told(event: Event) -> dict[str, Any]:
    """Return the event's fields as plain JSON, with the outcome of a finished task."""
    fields = _adapter(type(event)).dump_python(event, mode="json")
    if isinstance(event, TaskEnded):
        fields["outcome"] = event.report.outcome.value
    return fields


def heard(kind: str, fields: dict[str, Any]) -> Event | None:
    """Parse an event sent by another process; ``None`` if its kind is unknown.

    Raises:
        pydantic.ValidationError: The fields are not those of its kind.
    """
    known = _KINDS.get("".join(part.capitalize() for part in kind.split("_")))
    if known is None:
        return None
    return _adapter(known).validate_python({name: value for name, value in fields.items() if name != "outcome"})
