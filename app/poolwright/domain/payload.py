"""What a task carries for an own processor: any JSON, small enough to travel in one frame."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import takewhile
from typing import Any, TypeAlias

#: Anything that JSON can say. What stands inside lists and objects is told by ``problem_of``, not by types: validation
#: of frames cannot follow a type that names itself.
JsonValue: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None

#: Half of the largest frame: a payload is no place for files.
PAYLOAD_MAX_BYTES = 512 * 1024
#: Readers of JSON refuse what lies deeper in itself than some 200 lists; a frame has a few of its own around a payload.
DEPTH_MAX = 100
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
    return _too_much(payload, size_bytes=len(text))


def _too_much(payload: JsonValue, *, size_bytes: int) -> str:
    """Why JSON that is well-formed would not travel all the same; empty when it would."""
    if not _is_whole(payload):
        return "Its payload holds half of a character (a lone surrogate), which UTF-8 cannot carry."
    if _depth(payload) > DEPTH_MAX:
        return f"Its payload has lists and objects more than {DEPTH_MAX} deep within each other."
    if size_bytes > PAYLOAD_MAX_BYTES:
        return f"Its payload has {size_bytes:,} bytes as JSON; at most {PAYLOAD_MAX_BYTES:,} can travel."
    return ""


def _is_whole(payload: JsonValue) -> bool:
    try:
        json.dumps(payload, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _depth(payload: JsonValue) -> int:
    """How many lists and objects lie within each other. Looked at level by level, so that no depth ends the stack."""
    depth, level = 0, [payload]
    while level := [inner for part in level for inner in _parts(part)]:
        depth += 1
    return depth


def _parts(value: JsonValue) -> Iterable[JsonValue]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


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
