from __future__ import annotations

import pytest

from poolwright.demo.stats import Counters, RequestKind


def test_the_highest_number_of_requests_at_the_same_time_is_kept() -> None:
    counters = Counters()

    with (
        counters.count_request(RequestKind.DOWNLOAD),
        counters.count_request(RequestKind.DOWNLOAD),
        counters.count_request(RequestKind.ORDER_PAGE),
    ):
        pass
    with counters.count_request(RequestKind.DOWNLOAD):
        pass

    stats = counters.stats()
    assert stats.concurrent_max == {"download": 2, "order_page": 1, "all": 3}
    assert stats.requests == {RequestKind.DOWNLOAD: 3, RequestKind.ORDER_PAGE: 1}


def test_a_request_that_fails_is_over() -> None:
    counters = Counters()

    with pytest.raises(OSError, match="gone"), counters.count_request(RequestKind.ASSET):
        raise OSError("gone")
    with counters.count_request(RequestKind.ASSET):
        pass

    assert counters.stats().concurrent_max["asset"] == 1


def test_after_a_reset_only_what_is_under_way_counts() -> None:
    counters = Counters()
    counters.count_order_page("1")
    counters.count_login(accepted=True)

    with counters.count_request(RequestKind.ORDER_PAGE):
        with counters.count_request(RequestKind.ORDER_PAGE):
            pass
        counters.reset()

    stats = counters.stats()
    assert (stats.order_pages, stats.logins, stats.requests) == ({}, 0, {})
    assert stats.concurrent_max == {"order_page": 1, "all": 1}
