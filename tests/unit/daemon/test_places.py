"""Where a reader of events goes on."""

from __future__ import annotations

import pytest

from poolwright.service.api.operation_routes import _resume_after

LIFE = "1700000000"


@pytest.mark.parametrize(
    ("told", "place"),
    [
        (f"{LIFE}-0", 0),
        (f"{LIFE}-12", 12),
        ("", None),
        ("12", None),
        ("1600000000-12", None),
        (f"{LIFE}-", None),
        (f"{LIFE}--1", None),
        (f"{LIFE}-1.5", None),
        (f"{LIFE}-\u0663", None),
        ("-", None),
    ],
)
def test_only_a_place_of_this_life_is_gone_on_from(told: str, place: int | None) -> None:
    assert _resume_after(told, LIFE) == place
