"""What can go wrong inside a worker, one class for each decision, and how browser errors are read."""

from __future__ import annotations

import re

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.domain.outcomes import Reason
from poolwright.files.names import well_formed

#: What an own processor raises may quote a whole page, and a frame must hold it; nobody reads more in one sentence.
_LINE_MAX = 1000
#: How the browser, its driver, and the library in front of it say that what was asked is no longer there.
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
#: How the browser begins to say that it did not come through to anybody, or that the line went dead.
_NO_ANSWER = tuple(
    f"net::ERR_{what}"
    for what in (
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
#: How it says that a file came instead of a page.
_DOWNLOAD = "Download is starting"


class WorkerError(Exception):
    """Base class of the worker's errors."""


class SessionBrokenError(WorkerError):
    """Browser or driver are gone. The worker ends; its supervisor starts another."""


class CannotStartError(WorkerError):
    """The browser does not start here."""


class CookiesLostError(WorkerError):
    """The browser has not all cookies of its profile, which is damaged then. The whole run ends."""


class CannotLogInError(WorkerError):
    """Every step of the login flow failed."""


class PortalDownError(WorkerError):
    """The portal did not answer when the session was opened."""


class CannotProcessError(WorkerError):
    """The processor cannot be found, or cannot work in this pool. The worker ends, and the pool with it."""


class BadReportError(WorkerError):
    """A processor returned something that is not a valid report."""


class BadFileError(WorkerError):
    """A file was not saved: it is empty, or not what its name says."""


class PortalUnreachableError(WorkerError):
    """Nobody answers at the portal's address any more. Not the order's fault."""


class PortalBusyError(WorkerError):
    """The portal asks to come back later for a file. Not the order's fault: it goes back to the queue for a while."""

    def __init__(self, status: int, retry_after_s: float | None) -> None:
        """Keep how long it asks to wait; nothing where it does not say so in seconds."""
        super().__init__(f"the portal says that it is busy (status {status})")
        self.retry_after_s = retry_after_s


def classify_error(error: PlaywrightError) -> Reason:
    """What an error of the browser says about the order that was on the page."""
    text = error.message
    if isinstance(error, PlaywrightTimeoutError):
        return Reason.PAGE_TOO_SLOW
    if "crashed" in text.casefold():
        return Reason.TAB_CRASHED
    if is_no_answer(text):
        return Reason.PORTAL_UNREACHABLE
    return Reason.PORTAL_ERROR if _NET_ERROR.search(text) else Reason.PROCESSOR_ERROR


def is_no_answer(text: str) -> bool:
    """Whether the browser says that no answer came at all; any other error of a request is an answer of a kind."""
    found = _NET_ERROR.search(text)
    return found is not None and found.group().startswith(_NO_ANSWER)


def missing_page_error(error: PlaywrightError) -> str:
    """What the browser calls an answer that is no page; empty where there was none, or where it is something else."""
    if _DOWNLOAD in error.message:
        return "a file instead of a page"
    found = _NET_ERROR.search(error.message)
    return "" if found is None or is_no_answer(error.message) else found.group()


def is_closed_error(error: Exception) -> bool:
    """Whether page, browser or driver are no longer there. Which of them it is, only the browser itself can tell.

    The first line alone counts: what follows may quote a page. Where the driver ends while it is being started, its
    library raises no error of its own kind.
    """
    is_of_pipe = isinstance(error, BrokenPipeError | ConnectionResetError)
    return is_of_pipe or any(word in first_line(error) for word in _CLOSED_TEXTS)


def raise_if_closed(error: Exception) -> None:
    """Let an error of a browser pass that is no answer of the portal: page, browser or driver are gone.

    Raises:
        playwright.async_api.Error: It is one.
    """
    if isinstance(error, PlaywrightError) and is_closed_error(error):
        raise error


def first_line(error: BaseException) -> str:
    """The first line of an error's text: browser errors append a call log of many lines. Short enough to travel."""
    line = well_formed(str(error).strip().split("\n", 1)[0]) or type(error).__name__
    return line if len(line) <= _LINE_MAX else f"{line[: _LINE_MAX - 1]}…"
