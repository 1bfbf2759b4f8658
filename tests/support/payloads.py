"""What tasks carry."""

from __future__ import annotations

from poolwright.domain.tasks import JsonValue


def nested(depth: int) -> JsonValue:
    """A text in so many lists and objects."""
    value: JsonValue = "inside"
    for number in range(depth):
        value = [value] if number % 2 else {"in": value}
    return value
