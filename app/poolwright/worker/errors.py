"""The errors of a worker, one class for each decision, and the classification of browser errors."""

from __future__ import annotations

import re

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.domain.outcomes import Reason
from poolwright.files.names import well_formed

#: A custom processor may raise an error that quotes a whole page; it must fit into a frame.
_LINE_MAX = 1000
#: Texts of the browser, its driver and its library for a page, browser or driver that is gone.
_CLOSED_TEXTS = (
    "has been closed",
    "Browser closed",
    "Connection closed",
    "Connection terminated",
    "EPIPE",
    "Page crashed",
    "Session closed",
    "Target closed",
    "Target crashed",
    "browser has disconnected",
)
_NET_ERROR = re.compile(r"net::ERR_\w+")
#: First letters of the browser errors for a request without a response, or a connection that broke.
_NO_ANSWER = tuple(
    f"net::ERR_{name}"
    for name in (
        "ADDRESS_",
        "CONNECTION_",
        "DNS_",
        "EMPTY_RESPONSE",
        "INTERNET_DISCONNECTED",
        "MANDATORY_PROXY",
        "NAME_",
        "NETWORK_",
        "PROXY_",
        "SOCKS_",
        "TIMED_OUT",
        "TUNNEL_",
    )
)
#: The browser's error for a file that came instead of a page.
DOWNLOAD_STARTED = "Download is starting"


class WorkerError(Exception):
    """Base class of the worker's errors."""


class SessionBrokenError(WorkerError):
    """The browser or its driver is gone. The worker ends, and its supervisor starts another."""


class CannotStartError(WorkerError):
    """The browser does not start on this machine."""


class CookiesLostError(WorkerError):
    """The browser lacks cookies of its profile, so the profile is damaged. The whole run ends."""


class CannotLogInError(WorkerError):
    """Every step of the login flow failed."""


class PortalDownError(WorkerError):
    """The portal did not answer when the session was opened."""


class ProbeUnclearError(PortalDownError):
    """The portal answered for its probe page, but the answer does not show whether a user is logged in."""


class CannotProcessError(WorkerError):
    """The processor cannot be found, or cannot work in this pool. The worker ends, and the pool with it."""


class BadReportError(WorkerError):
    """A processor returned something that is not a valid report."""


class BadFileError(WorkerError):
    """A file was not saved: it is empty, or its content does not match its name."""


class PortalUnreachableError(WorkerError):
    """The portal no longer answers. The order is not the cause."""


class PortalBusyError(WorkerError):
    """The portal is too busy for a file. The order is not the cause: it goes back to the queue for a while."""

    def __init__(self, status: int, retry_after_s: float | None) -> None:
        """Keep the seconds that the portal asks to wait; ``None`` if it gives none."""
        super().__init__(f"the portal is busy (status {status})")
        self.retry_after_s = retry_after_s


def classify_error(error: PlaywrightError) -> Reason:
    """Return the reason of an order whose page failed with a browser error."""
    text = error.message
    if isinstance(error, PlaywrightTimeoutError):
        return Reason.PAGE_TOO_SLOW
    if "crashed" in text.casefold():
        return Reason.TAB_CRASHED
    if is_no_answer(text):
        return Reason.PORTAL_UNREACHABLE
    return Reason.PORTAL_ERROR if _NET_ERROR.search(text) else Reason.PROCESSOR_ERROR


def is_no_answer(text: str) -> bool:
    """Return whether a browser error means that no response came at all."""
    match = _NET_ERROR.search(text)
    return match is not None and match.group().startswith(_NO_ANSWER)


def missing_page_error(error: PlaywrightError) -> str:
    """Return the browser's error for a response that is no page; empty if no response came, or for any other error."""
    if DOWNLOAD_STARTED in error.message:
        return "a file instead of a page"
    match = _NET_ERROR.search(error.message)
    return "" if match is None or is_no_answer(error.message) else match.group()


def is_closed_error(error: Exception) -> bool:
    """Return whether an error means that the page, the browser or the driver is gone.

    Only the first line counts, because the rest may quote a page. If the driver ends while it starts, its library
    raises a plain pipe error.
    """
    is_of_pipe = isinstance(error, BrokenPipeError | ConnectionResetError)
    return is_of_pipe or any(text in first_line(error) for text in _CLOSED_TEXTS)


def raise_if_closed(error: Exception) -> None:
    """Raise an error again if it means that the page, the browser or the driver is gone.

    Raises:
        playwright.async_api.Error: The error itself.
    """
    if isinstance(error, PlaywrightError) and is_closed_error(error):
        raise error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, short enough for a frame; browser errors append a long call log."""
    line = well_formed(str(error).strip().split("\n", 1)[0]) or type(error).__name__
    return line if len(line) <= _LINE_MAX else f"{line[: _LINE_MAX - 1]}…"
