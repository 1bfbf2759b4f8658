"""How the words of browser, driver and library are read."""

from __future__ import annotations

import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.worker.errors import is_closed_error, raise_if_closed

#: What was heard of the driver, its library, and the system's pipes when one of the processes in between had ended.
GONE = (
    "Target page, context or browser has been closed",
    "Page.goto: Target page, context or browser has been closed\nCall log:\n  - navigating",
    "BrowserContext.cookies: Target page, context or browser has been closed",
    "Browser has been closed",
    "Page has been closed.",
    "Pipe has been closed",
    "Browser closed.\n==================== Browser output: ====================",
    "Protocol error (Target.createTarget): Target closed",
    "Protocol error (Page.navigate): Session closed. Most likely the page has been closed.",
    "Session already detached. Most likely the page has been closed.",
    "Page.evaluate: Target crashed ",
    "Page.goto: Page crashed",
    "Connection terminated",
    "browser has disconnected",
    "write EPIPE",
)
#: What an order, a page or the portal may be told in, too.
OTHERS = (
    "Page.goto: net::ERR_CONNECTION_REFUSED at http://portal.invalid/",
    "Page.goto: net::ERR_CONNECTION_CLOSED at http://portal.invalid/",
    "Execution context was destroyed, most likely because of a navigation",
    "the page could not be read (Error: x)\nthis order has been closed",
    "Frame was detached",
)


@pytest.mark.parametrize("said", GONE)
def test_every_word_for_a_page_browser_or_driver_that_is_gone_is_known(said: str) -> None:
    error = PlaywrightError(said)

    assert is_closed_error(error)
    with pytest.raises(PlaywrightError):
        raise_if_closed(error)


@pytest.mark.parametrize("said", OTHERS)
def test_nothing_else_is_taken_for_it(said: str) -> None:
    error = PlaywrightError(said)

    assert not is_closed_error(error)
    raise_if_closed(error)


@pytest.mark.parametrize(
    "error",
    [
        Exception("Connection closed while reading from the driver"),
        BrokenPipeError(32, "Broken pipe"),
        ConnectionResetError("Connection lost"),
    ],
    ids=repr,
)
def test_errors_of_other_kinds_tell_it_too(error: Exception) -> None:
    assert is_closed_error(error)


def test_a_page_that_is_late_is_there() -> None:
    assert not is_closed_error(PlaywrightTimeoutError("Page.goto: Timeout 30000ms exceeded."))
