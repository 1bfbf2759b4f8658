"""A task can carry anything that JSON can say, and nothing that would change on its way."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from app.domain.failures import PoolError, TaskError
from app.domain.ids import TaskId
from app.domain.payload import DEPTH_MAX, PAYLOAD_MAX_BYTES
from app.domain.task import POTask
from tests.support.payloads import nested


def task(**changes: Any) -> POTask:  # noqa: ANN401 - fields by name
    return POTask(task_id=TaskId("own:1"), po_number="1", portal_number="1", **changes)


def circle() -> list[object]:
    ring: list[object] = []
    ring.append(ring)
    return ring


def tower() -> list[object]:
    top: list[object] = []
    for _ in range(100_000):
        top = [top]
    return top


@pytest.mark.parametrize(
    "payload",
    [
        None,
        True,
        0,
        -1.5,
        "Straße",
        [],
        {},
        {"url": "https://portal.test", "pages": [1, 2.5, None]},
        "x" * 500_000,
        10**100,
        nested(DEPTH_MAX),
    ],
)
def test_a_payload_is_anything_that_json_can_say(payload: object) -> None:
    assert task(payload=payload).payload == payload


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (Path("a.pdf"), "no JSON: Object of type"),
        ({"when": {1, 2}}, "no JSON: Object of type set"),
        (math.nan, "no JSON"),
        ([math.inf], "no JSON"),
        (circle(), "no JSON: Circular reference"),
        (tower(), "no JSON"),
        ((1, 2), "lists for tuples"),
        ({"pages": [(1,)]}, "lists for tuples"),
        ({1: "one"}, "texts for the keys"),
        (nested(DEPTH_MAX + 1), "more than 100 deep"),
        ({"name": "half \ud83d"}, "half of a character"),
        ({"\udc00": 1}, "half of a character"),
        ("x" * PAYLOAD_MAX_BYTES, "at most 524,288 can travel"),
    ],
    ids=[
        "path",
        "set",
        "nan",
        "inf",
        "circle",
        "tower",
        "tuple",
        "tuple inside",
        "number as key",
        "deep",
        "half",
        "half key",
        "too long",
    ],
)
def test_a_payload_that_would_arrive_as_another_is_refused(payload: object, problem: str) -> None:
    with pytest.raises(TaskError, match=f"^The task own:1 was refused.*{problem}"):
        task(payload=payload)


@pytest.mark.parametrize("timeout_s", [None, 0.001, 86_400.0])
def test_a_task_may_have_a_time_of_its_own(timeout_s: float | None) -> None:
    assert task(timeout_s=timeout_s).timeout_s == timeout_s


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, math.nan, math.inf])
def test_a_time_that_is_none_is_refused(timeout_s: float) -> None:
    with pytest.raises(TaskError, match=r"own:1.*more than 0 seconds"):
        task(timeout_s=timeout_s)


def test_a_refused_task_is_an_error_of_the_pool_and_of_the_value() -> None:
    assert issubclass(TaskError, PoolError)
    assert issubclass(TaskError, ValueError)
