"""From which page a request comes, and what is kept of those that were blocked."""

from __future__ import annotations

import anyio
import pytest

from poolwright.worker.guard.blocked_requests import (
    LINE_COUNT_MAX,
    BlockedRequests,
    current_record,
    recording_blocked,
)
from poolwright.worker.guard.browser_requests import RequestOwner, Unclaimed, find_owner


class Owner:
    """Decides nothing."""

    is_over = False

    async def may_go(self, event: object) -> bool:
        raise AssertionError(event)


MINE = Owner()
TARGETS: dict[str, dict[str, str]] = {
    "page": {"type": "page"},
    "keeper": {"type": "page"},
    "login": {"type": "page"},
    "frame": {"type": "iframe", "parentFrameId": "page"},
    "inner": {"type": "iframe", "parentFrameId": "frame"},
    "window": {"type": "page", "openerId": "page", "openerFrameId": "inner"},
    "apart": {"type": "page", "openerId": "page"},
    "later": {"type": "page", "openerId": "apart"},
    "worker": {"type": "worker", "parentFrameId": "window"},
    "login frame": {"type": "iframe", "parentFrameId": "login"},
    "keeper frame": {"type": "iframe", "parentFrameId": "keeper"},
    "service": {"type": "service_worker"},
    "shared": {"type": "shared_worker"},
    "round": {"type": "page", "openerId": "about"},
    "about": {"type": "page", "openerId": "round"},
    "lost": {"type": "iframe", "parentFrameId": "gone"},
}
OWNERS: dict[str, RequestOwner | None] = {"page": MINE, "keeper": None}


@pytest.mark.parametrize(
    ("frame_id", "owner"),
    [
        ("page", MINE),
        ("frame", MINE),
        ("inner", MINE),
        ("window", MINE),
        ("apart", MINE),
        ("later", MINE),
        ("worker", MINE),
        ("keeper", Unclaimed.FREE),
        ("keeper frame", Unclaimed.FREE),
        ("login", Unclaimed.FREE),
        ("login frame", Unclaimed.FREE),
        ("service", Unclaimed.SHARED),
        ("shared", Unclaimed.SHARED),
        ("round", Unclaimed.UNLISTED),
        ("lost", Unclaimed.UNLISTED),
        ("nowhere", Unclaimed.UNLISTED),
        ("", Unclaimed.UNLISTED),
    ],
)
def test_a_frame_belongs_to_the_page_around_it_and_to_the_one_that_opened_that(
    frame_id: str, owner: RequestOwner | Unclaimed
) -> None:
    assert find_owner(frame_id, TARGETS, OWNERS) is owner


def test_each_blocked_request_is_told_once_and_without_its_query() -> None:
    record = BlockedRequests()
    assert record.text == ""
    record.add("POST", "https://portal.test/save?token=secret#x", "it could change something")
    record.add("POST", "https://portal.test/save?token=other", "it could change something")
    record.add("GET", "https://portal.test/save#x", "no")

    assert record.text == "POST https://portal.test/save: it could change something\nGET https://portal.test/save: no\n"


def test_no_more_lines_are_kept_than_a_person_can_read() -> None:
    record = BlockedRequests()
    for number in range(LINE_COUNT_MAX):
        record.add("POST", f"https://portal.test/{number}", "no")
    assert record.text.count("\n") == LINE_COUNT_MAX
    record.add("POST", "https://portal.test/more", "no")

    assert record.text.splitlines()[-2:] == [f"POST https://portal.test/{LINE_COUNT_MAX - 1}: no", "and more"]

    record.add("POST", "https://portal.test/0", "no")
    assert record.text.endswith("and more\n")


async def test_what_is_blocked_is_recorded_for_the_order_that_is_processed_and_by_its_tasks() -> None:
    seen: list[BlockedRequests] = []

    async def begin() -> None:
        seen.append(current_record())

    assert current_record() is not current_record()
    with recording_blocked() as first:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(begin)
        with recording_blocked() as second:
            assert current_record() is second
        assert current_record() is first

    assert seen == [first]
    assert current_record() is not first
