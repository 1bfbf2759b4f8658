"""What a task carries for an own processor: any JSON, small enough to travel in one frame."""

from __future__ import annotations

import json
from itertools import takewhile
from typing import Any, TypeAlias

#: Anything that JSON can say. What stands inside lists and objects is told by ``problem_of``, not by types: validation
#: of frames cannot follow a type that names itself.
JsonValue: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None

#: Half of the largest frame: a payload is no place for files.
PAYLOAD_MAX_BYTES = 512 * 1024
#: How much of a payload a person is shown before the place that counts, and from there on.
_BEFORE_COUNT, _AFTER_COUNT = 30, 30


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


def difference(known: JsonValue, given: JsonValue) -> str:
    """Where two payloads part, in a few words; empty when they say the same. Both have no problem."""
    texts = [json.dumps(payload, sort_keys=True, ensure_ascii=False) for payload in (known, given)]
    if texts[0] == texts[1]:
        return ""
    place = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*texts, strict=False)))
    known_text, given_text = (_excerpt(text, place) for text in texts)
    return f"{known_text} was known, {given_text} is given"


def _excerpt(text: str, place: int) -> str:
    start, end = max(place - _BEFORE_COUNT, 0), place + _AFTER_COUNT
    return f"{'…' if start else ''}{text[start:end]}{'…' if end < len(text) else ''}"
