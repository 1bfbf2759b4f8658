"""Two payloads are told apart by the place where they part, however large they are."""

from __future__ import annotations

import pytest

from poolwright.domain.tasks import JsonValue, payload_diff


@pytest.mark.parametrize(
    ("known", "given"),
    [(None, None), ({"a": 1, "b": [2]}, {"b": [2], "a": 1}), ("Straße", "Straße")],
    ids=["none", "keys in another order", "text"],
)
def test_the_same_payload_has_no_difference(known: JsonValue, given: JsonValue) -> None:
    assert payload_diff(known, given) == ""


@pytest.mark.parametrize(
    ("known", "given", "told"),
    [
        (None, "Straße", 'null before, "Straße" now'),
        (1, True, "1 before, true now"),
        ([1], [1, 2], "[1] before, [1, 2] now"),
        (1, 12, "1 before, 12 now"),
        ("y" * 29, "z" * 29, f'"{"y" * 29}" before, "{"z" * 29}" now'),
        (
            {"pages": ["x" * 1000, 1]},
            {"pages": ["x" * 1000, 2]},
            f'…{"x" * 27}", 1]}} before, …{"x" * 27}", 2]}} now',
        ),
        ("y" * 1000, "z" * 1000, f'"{"y" * 30}… before, "{"z" * 30}… now'),
    ],
    ids=[
        "none and text",
        "number and truth",
        "longer",
        "the other's beginning",
        "short enough",
        "late",
        "at once",
    ],
)
def test_another_payload_is_shown_where_it_parts(known: JsonValue, given: JsonValue, told: str) -> None:
    assert payload_diff(known, given) == told
