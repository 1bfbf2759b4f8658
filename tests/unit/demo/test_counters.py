from __future__ import annotations

import pytest

from poolwright.demo.stats import Counters, RequestKind


def test_the_highest_number_of_requests_at_the_same_time_is_kept() -> None:
    counters = Counters()

    with (
        counters.request(RequestKind.DOWNLOAD),
        counters.request(RequestKind.DOWNLOAD),
        counters.request(RequestKind.ORDER_PAGE),
    ):
        pass
    with counters.request(RequestKind.DOWNLOAD):
        pass

    stats = counters.stats()
    assert stats.concurrent_max == {"download": 2, "order_page": 1, "all": 3}
    assert stats.requests == {RequestKind.DOWNLOAD: 3, RequestKind.ORDER_PAGE: 1}


def test_a_request_that_fails_is_over() -> None:
    counters = Counters()

    with pytest.raises(OSError, match="gone"), counters.request(RequestKind.ASSET):
        raise OSError("gone")
    with counters.request(RequestKind.ASSET):
        pass

    assert counters.stats().concurrent_max["asset"] == 1


def test_after_a_reset_only_what_is_under_way_counts() -> None:
    counters = Counters()
    counters.order_page("1")
    counters.login(accepted=True)

    with counters.request(RequestKind.ORDER_PAGE):
        with counters.request(RequestKind.ORDER_PAGE):
            pass
        counters.reset()

    stats = counters.stats()
    assert (stats.order_pages, stats.logins, stats.requests) == ({}, 0, {})
    assert stats.concurrent_max == {"order_page": 1, "all": 1}
