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
        (None, "Straße", 'null was known, "Straße" is given'),
        (1, True, "1 was known, true is given"),
        ([1], [1, 2], "[1] was known, [1, 2] is given"),
        (1, 12, "1 was known, 12 is given"),
        ("y" * 29, "z" * 29, f'"{"y" * 29}" was known, "{"z" * 29}" is given'),
        (
            {"pages": ["x" * 1000, 1]},
            {"pages": ["x" * 1000, 2]},
            f'…{"x" * 27}", 1]}} was known, …{"x" * 27}", 2]}} is given',
        ),
        ("y" * 1000, "z" * 1000, f'"{"y" * 30}… was known, "{"z" * 30}… is given'),
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
