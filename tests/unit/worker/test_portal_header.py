"""A header with a token is added to what goes to the portal, and to nothing else."""

from __future__ import annotations

import pytest

from poolwright.domain.options import PortalHeader, Secret
from poolwright.worker.browser.portal_header import continuation

HEADER = PortalHeader(name="X-Key", value=Secret(text="tok-4711"))


def paused(url: str, **headers: str) -> dict[str, object]:
    return {"requestId": "1", "request": {"url": url, "headers": headers}}


def test_it_is_added_and_takes_the_place_of_one_of_the_page() -> None:
    event = paused("https://portal.test/f?a=b", **{"Accept": "*/*", "x-key": "of the page"})

    assert continuation(event, HEADER, "https://portal.test") == {
        "requestId": "1",
        "headers": [{"name": "Accept", "value": "*/*"}, {"name": "X-Key", "value": "tok-4711"}],
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.test/f",
        "https://portal.test:8443/f",
        "https://portal.test.evil.test/f",
        "https://portal.test@evil.test/f",
        "https://evil.test/https://portal.test/f",
    ],
)
def test_a_request_to_another_origin_goes_on_without_it(url: str) -> None:
    assert continuation(paused(url), HEADER, "https://portal.test") == {"requestId": "1"}


def test_it_is_in_no_text_about_it() -> None:
    assert "tok-4711" not in repr(HEADER)
