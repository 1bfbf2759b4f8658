"""The reducer: events in, what a person wants to know out."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.cli.progress import NOTICES_KEPT, WINDOW_S, Progress, advance
from poolwright.domain.events import Event, ListOpened
from poolwright.domain.ids import TaskId, WorkerId
from poolwright.domain.outcomes import Outcome, Reason
from tests.support.events import ended, file, moved, notice, returned, seen, started, task, worker_state
from tests.support.pace import UNHURRIED


def begun(total_count: int = 10, worker_count: int = 2) -> Progress:
    return Progress.start(total_count=total_count, worker_count=worker_count, tabs_per_worker=2, now_s=0)


def after(*events: Event, progress: Progress | None = None, now_s: float = 1.0) -> Progress:
    return reduce(lambda state, event: advance(state, event, now_s), events, progress or begun())


def orders_of(progress: Progress, slot: int) -> list[str]:
    return list(progress.row(WorkerId(f"worker-{slot}")).orders.values())


def test_every_worker_has_a_row_before_it_was_heard_of() -> None:
    assert [row.worker_id for row in begun(worker_count=3).rows] == ["worker-1", "worker-2", "worker-3"]


def test_only_what_is_left_to_do_is_counted_against() -> None:
    opened = after(ListOpened(open_count=4, done_count=6), progress=begun(total_count=10))

    assert opened.total_count == 4


def test_an_order_is_with_its_worker_from_its_start_to_its_end() -> None:
    running = after(started(1, 1), started(2, 1), started(3, 2))

    assert orders_of(running, 1) == ["PO4500001", "PO4500002"]
    assert orders_of(running, 2) == ["PO4500003"]
    assert running.in_flight_count == 3

    assert orders_of(after(ended(1, 1), progress=running), 1) == ["PO4500002"]
    assert orders_of(after(returned(2, 1), progress=running), 1) == ["PO4500001"]


def test_an_order_that_another_worker_takes_over_is_with_that_one_alone() -> None:
    progress = after(started(1, 1), started(1, 2))

    assert orders_of(progress, 1) == []
    assert orders_of(progress, 2) == ["PO4500001"]


def test_outcomes_files_and_bytes_are_summed_up() -> None:
    progress = after(
        ended(1, 1, files=(file(size_bytes=10), file(size_bytes=5))),
        ended(2, 2, reason=Reason.NONE_LISTED),
        ended(3, 1, reason=Reason.SOME_FILES_FAILED, files=(file(size_bytes=1),)),
    )

    assert progress.outcomes == {Outcome.COMPLETED: 1, Outcome.NO_ATTACHMENTS: 1, Outcome.PARTIAL: 1}
    assert (progress.done_count, progress.files_count, progress.files_bytes) == (3, 3, 16)
    assert [row.done_count for row in progress.rows] == [2, 1]


def test_an_order_that_no_worker_did_counts_for_nobody() -> None:
    progress = after(ended(1, None, reason=Reason.NO_WORKERS))

    assert progress.done_count == 1
    assert [row.done_count for row in progress.rows] == [0, 0]


def test_states_follow_the_moves_of_workers_and_pool_alone() -> None:
    progress = after(
        worker_state(1, "PROCESSING"),
        moved("worker", "worker-2#3", "CRASHED"),
        moved("pool", "pool", "SHUTTING_DOWN"),
        moved("tab", "worker-1", "CLOSED"),
    )

    assert [row.state for row in progress.rows] == ["processing", "crashed"]
    assert progress.pool == "shutting_down"


def test_memory_is_that_of_the_last_heartbeat() -> None:
    progress = after(seen(2, 100), seen(2, 300))

    assert [row.memory_bytes for row in progress.rows] == [0, 300]


def test_the_last_notices_are_kept_with_their_time() -> None:
    progress = begun()
    for number in range(NOTICES_KEPT + 2):
        progress = advance(progress, notice(f"n{number}"), float(number))

    assert len(progress.notices) == NOTICES_KEPT
    assert (progress.notices[-1].at_s, progress.notices[-1].notice.text) == (9.0, "n9")


@pytest.mark.parametrize("count", [0, 1])
def test_there_is_no_rate_from_less_than_two_orders(count: int) -> None:
    progress = after(*(ended(number) for number in range(count)))

    assert progress.rate_per_s(5.0) is None
    assert progress.remaining_s(5.0) is None


def test_the_rate_is_that_of_the_window_and_falls_when_nothing_ends() -> None:
    progress = begun(total_count=100)
    for second in range(11):
        progress = advance(progress, ended(second), float(second))

    assert progress.rate_per_s(10.0) == pytest.approx(1.0)
    assert progress.remaining_s(10.0) == pytest.approx(89.0)
    assert progress.rate_per_s(20.0) == pytest.approx(0.5)
    assert progress.rate_per_s(10.0 + WINDOW_S + 1) is None, "all of it is longer ago than the window"


def test_no_time_is_left_when_more_ended_than_was_expected() -> None:
    progress = begun(total_count=1)
    for second in range(3):
        progress = advance(progress, ended(second), float(second))

    assert progress.remaining_s(3.0) == 0


def test_orders_are_called_by_their_number_while_a_worker_has_them() -> None:
    progress = after(started(1, 1))

    assert progress.order_name(task(1).task_id) == "PO4500001"
    assert progress.order_name(TaskId("demo:9")) == "demo:9"


NUMBERS = st.integers(min_value=1, max_value=6)
SLOTS = st.integers(min_value=1, max_value=3)
EVENTS = st.one_of(
    st.builds(started, NUMBERS, SLOTS),
    st.builds(ended, NUMBERS, st.none() | SLOTS),
    st.builds(returned, NUMBERS, SLOTS),
    st.builds(worker_state, SLOTS, st.sampled_from(["READY", "CRASHED"])),
    st.builds(seen, SLOTS, st.integers(min_value=0)),
)


@UNHURRIED
@given(st.lists(EVENTS, max_size=40))
def test_whatever_happens_an_order_is_with_one_worker_at_most_and_counts_add_up(events: list[Event]) -> None:
    progress = after(*events)

    held = [task_id for row in progress.rows for task_id in row.orders]
    assert len(held) == len(set(held))
    assert progress.done_count == sum(type(event).__name__ == "TaskEnded" for event in events)
    assert sum(row.done_count for row in progress.rows) <= progress.done_count
    assert [row.worker_id for row in progress.rows] == sorted(row.worker_id for row in progress.rows)
