"""What a task carries for an own processor: any JSON, small enough to travel in one frame."""

from __future__ import annotations

import json
from typing import Any, TypeAlias

#: Anything that JSON can say. What stands inside lists and objects is told by ``problem_of``, not by types: validation
#: of frames cannot follow a type that names itself.
JsonValue: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None

#: Half of the largest frame: a payload is no place for files.
PAYLOAD_MAX_BYTES = 512 * 1024


def problem_of(payload: JsonValue) -> str:
    """Why a payload would not reach its processor as it was given, in one sentence; empty when it would."""
    if payload is None:
        return ""
    try:
        text = json.dumps(payload, allow_nan=False)
        is_same = json.loads(text) == payload
    except (TypeError, ValueError, RecursionError) as error:
        return f"Its payload is no JSON: {error}."
    if not is_same:
        return "Its payload would be another one as JSON: use lists for tuples, and texts for the keys."
    if len(text) > PAYLOAD_MAX_BYTES:
        return f"Its payload has {len(text):,} bytes as JSON; at most {PAYLOAD_MAX_BYTES:,} can travel."
    return ""
