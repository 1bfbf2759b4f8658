"""Which windows go with a page, and how many it may have."""

from __future__ import annotations

from poolwright.worker.page.popups import OPEN_MAX, SHUT_MAX, WindowLimit, opened_by


def test_the_family_of_a_page_is_whoever_it_opened_and_nobody_else() -> None:
    opened = {"2": "1", "3": "2", "4": "", "5": "4", "1": "3"}
    targets = [{"targetId": one, "openerId": opener, "type": "page"} for one, opener in opened.items()]
    worker = {"targetId": "6", "openerId": "1", "type": "service_worker"}

    assert opened_by("1", [*targets, worker]) == ["2", "3"]


def test_one_window_too_many_is_closed_and_only_without_end_is_it_a_flood() -> None:
    windows = WindowLimit()
    shut = [windows.is_excess(count) for count in range(1, OPEN_MAX + SHUT_MAX + 1)]
    was_flood = windows.is_flood
    windows.is_excess(OPEN_MAX + 1)

    assert shut == [False] * OPEN_MAX + [True] * SHUT_MAX
    assert not was_flood
    assert windows.is_flood


def test_any_number_of_windows_one_after_the_other_is_no_flood() -> None:
    windows = WindowLimit()

    assert not any(windows.is_excess(1) for _ in range(10 * SHUT_MAX))
    assert not windows.is_flood
