from __future__ import annotations

import pytest

from poolwright.demo.counters import Counters, Room


def test_the_highest_number_of_requests_at_the_same_time_is_kept() -> None:
    counters = Counters()

    with counters.request(Room.DOWNLOAD), counters.request(Room.DOWNLOAD), counters.request(Room.ORDER_PAGE):
        pass
    with counters.request(Room.DOWNLOAD):
        pass

    stats = counters.stats()
    assert stats.concurrent_max == {"download": 2, "order_page": 1, "all": 3}
    assert stats.requests == {Room.DOWNLOAD: 3, Room.ORDER_PAGE: 1}


def test_a_request_that_fails_is_over() -> None:
    counters = Counters()

    with pytest.raises(OSError, match="gone"), counters.request(Room.ASSET):
        raise OSError("gone")
    with counters.request(Room.ASSET):
        pass

    assert counters.stats().concurrent_max["asset"] == 1


def test_after_a_reset_only_what_is_under_way_counts() -> None:
    counters = Counters()
    counters.order_page("1")
    counters.login(accepted=True)

    with counters.request(Room.ORDER_PAGE):
        with counters.request(Room.ORDER_PAGE):
            pass
        counters.reset()

    stats = counters.stats()
    assert (stats.order_pages, stats.logins, stats.requests) == ({}, 0, {})
    assert stats.concurrent_max == {"order_page": 1, "all": 1}
