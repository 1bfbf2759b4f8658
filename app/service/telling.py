"""Events as plain JSON, for programs: the lines of ``--json`` and the stream of the daemon."""

from __future__ import annotations

import re
from typing import Any

from pydantic import TypeAdapter

from app.domain.events import Event, TaskEnded

_EVENT = TypeAdapter[Event](Event)


def kind_of(event: Event) -> str:
    """The name of its kind: ``task_ended``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()


def told(event: Event) -> dict[str, Any]:
    """Its fields by their names, with the outcome where there is one."""
    fields = _EVENT.dump_python(event, mode="json")
    if isinstance(event, TaskEnded):
        fields["outcome"] = event.report.outcome.value
    return fields
