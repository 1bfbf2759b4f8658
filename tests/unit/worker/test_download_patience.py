"""How long a click is waited for."""

from __future__ import annotations

import pytest

from poolwright.worker.page.page_activity import SILENCE_S, ActivitySigns, remaining_wait_s

STALL_S = 30.0


def signs(
    *,
    begun: float = 0.0,
    last: float = 0.0,
    download: float | None = None,
    pending: int = 0,
    windows: int = 0,
) -> ActivitySigns:
    return ActivitySigns(begun_s=begun, last_s=last, download_s=download, pending_count=pending, window_count=windows)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (signs(), SILENCE_S),
        (signs(begun=6, last=6), SILENCE_S - 6),
        (signs(begun=6, last=2, pending=1), STALL_S - 2),
        (signs(begun=6, last=2, windows=1), STALL_S - 2),
        (signs(begun=85, last=2, pending=1), 5),
    ],
)
def test_what_shows_signs_of_life_is_waited_for(told: ActivitySigns, seconds: float) -> None:
    assert remaining_wait_s(told, STALL_S) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "told",
    [
        signs(begun=9, last=9),
        signs(begun=40, last=31, pending=1),
        signs(begun=40, last=31, windows=1),
        signs(begun=91, last=1, pending=1),
        signs(begun=2, last=1.3, download=1.3),
        signs(begun=6, last=0.1, download=4.1, pending=1),
    ],
)
def test_what_shows_none_or_has_come_is_not(told: ActivitySigns) -> None:
    assert remaining_wait_s(told, STALL_S) <= 0


def test_a_file_that_came_is_waited_for_a_little_more_in_case_there_are_two() -> None:
    assert 0 < remaining_wait_s(signs(begun=2, last=0.2, download=0.2), STALL_S) < 2
    assert 0 < remaining_wait_s(signs(begun=2, last=0.2, download=0.2, pending=1), STALL_S) < 5


def test_a_pack_with_little_patience_is_heard() -> None:
    assert remaining_wait_s(signs(), 2.0) == 2.0
