"""A task can carry anything that JSON can say, and nothing that would change on its way."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from poolwright.domain.errors import PoolError, TaskError
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.states import TaskStatus
from poolwright.domain.tasks import DEPTH_MAX, PAYLOAD_MAX_BYTES, FetchedFile, OrderRow, POTask, Report, TaskRecord
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
        "x" * (PAYLOAD_MAX_BYTES - 2),
        10**100,
        nested(DEPTH_MAX),
    ],
)
def test_a_payload_is_anything_that_json_can_say(payload: object) -> None:
    assert task(payload=payload).payload == payload


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (Path("a.pdf"), "not JSON: Object of type"),
        ({"when": {1, 2}}, "not JSON: Object of type set"),
        (math.nan, "not JSON"),
        ([math.inf], "not JSON"),
        (circle(), "not JSON: Circular reference"),
        (tower(), "not JSON"),
        ((1, 2), r"\. Its payload would change as JSON: use lists instead of tuples, and strings as keys\.$"),
        ({"pages": [(1,)]}, "lists instead of tuples"),
        ({1: "one"}, "strings as keys"),
        (nested(DEPTH_MAX + 1), "more than 100 levels deep"),
        (
            {"name": "half \ud83d"},
            r"\. Its payload contains half of a character .*, which UTF-8 cannot encode\.$",
        ),
        ({"\udc00": 1}, "half of a character"),
        ("x" * PAYLOAD_MAX_BYTES, "at most 524,288 are allowed"),
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


def test_a_task_begins_with_its_first_try_and_nothing_against_it() -> None:
    assert (task().attempt, task().death_count, Report(reason=Reason.ALL_SAVED).duration_s) == (1, 0, 0.0)


@pytest.mark.parametrize(("death_count", "is_on_trial"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_task_that_two_workers_died_on_is_on_trial(death_count: int, is_on_trial: bool) -> None:
    assert task(death_count=death_count).is_on_trial is is_on_trial


@pytest.mark.parametrize(("status", "is_over"), [("QUEUED", False), ("RUNNING", False), ("DONE", True)])
def test_a_task_is_over_when_it_is_done(status: str, is_over: bool) -> None:
    assert TaskRecord(task=task(), status=status, attempt_count=1).is_over is is_over


@pytest.mark.parametrize("timeout_s", [None, 0.001, 86_400.0])
def test_a_task_may_have_a_time_of_its_own(timeout_s: float | None) -> None:
    assert task(timeout_s=timeout_s).timeout_s == timeout_s


@pytest.mark.parametrize("timeout_s", [0.0, -1.0, math.nan, math.inf])
def test_a_time_that_is_none_is_refused(timeout_s: float) -> None:
    with pytest.raises(TaskError) as caught:
        task(timeout_s=timeout_s)

    told = f"Its timeout_s is {timeout_s}; it must be a finite number of seconds above 0."
    assert str(caught.value) == f"The task own:1 was refused. {told}"


def test_a_refused_task_is_an_error_of_the_pool_and_of_the_value() -> None:
    assert issubclass(TaskError, PoolError)
    assert issubclass(TaskError, ValueError)


@pytest.mark.parametrize(
    ("values", "may_be"), [(None, [True, True]), (frozenset({1}), [False, True]), (frozenset[int](), [False, False])]
)
def test_a_cell_may_be_more_than_its_text_where_its_list_says_so_or_tells_no_types(
    values: frozenset[int] | None, may_be: list[bool]
) -> None:
    row = OrderRow(row_no=2, cells=("4711", "12.5"), given="4711", values=values)

    assert [row.may_be_value(place) for place in (0, 1)] == may_be


@pytest.mark.parametrize(
    ("status", "known", "is_refreshing"),
    [
        (TaskStatus.QUEUED, (), True),
        (TaskStatus.RUNNING, (), True),
        (TaskStatus.DONE, (), False),
        (TaskStatus.CANCELLED, (), False),
        (TaskStatus.QUEUED, None, False),
        (TaskStatus.DONE, None, False),
    ],
)
def test_an_order_is_looked_at_again_while_it_waits_with_its_known_files(
    status: TaskStatus, known: tuple[FetchedFile, ...] | None, *, is_refreshing: bool
) -> None:
    assert TaskRecord(task=task(known_files=known), status=status.name, attempt_count=1).is_refreshing is is_refreshing
