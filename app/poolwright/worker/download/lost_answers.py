"""What a click asked for besides the files that it brought: answers that failed may be further files of the click.

A click can bring several files. If one of them is refused, the others come all the same, and nothing on the page tells
that it is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.worker.page.devtools import PageNavigatedError, shown_status
from poolwright.worker.page.page_activity import PageActivity
from poolwright.worker.page.reachability import remedy
from poolwright.worker.transfer.received_file import DownloadRefusedError

#: Statuses that a lost login can cause.
_LOGIN_STATUSES = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
#: A window that has loaded answers at once.
_LOOK_LIMIT_S = 5.0
#: Requests of scripts, which need not be for files.
_BY_SCRIPT = frozenset({"fetch", "xhr"})
#: The browser's error for a navigation that became a download, or that was replaced by another one.
_ABORTED = "ERR_ABORTED"


async def refused_beside(activity: PageActivity, is_of_portal: Callable[[str], bool]) -> list[DownloadRefusedError]:
    """Return an error for each window or frame that a click opened on the portal and that was answered with an error.

    Args:
        activity: What the click did.
        is_of_portal: Whether an address belongs to the portal; others are no files of it.
    """
    downloaded = {download.url for download in activity.downloads}
    failures: dict[str, str] = {}
    statuses: dict[str, int] = {}
    for response in activity.responses:
        if response.status >= HTTPStatus.BAD_REQUEST and response.request.resource_type == "document":
            failures[response.url], statuses[response.url] = f"answered {response.status}", response.status
    for request in activity.failed_requests:
        cause = request.failure or ""
        if request.resource_type == "document" and _ABORTED not in cause:
            failures.setdefault(request.url, f"did not answer ({cause or 'no response'})")
    for window in activity.unloaded_pages:
        status = await _status(window)
        if status >= HTTPStatus.BAD_REQUEST:
            failures[window.url], statuses[window.url] = f"answered {status}", status
    return [
        DownloadRefusedError(
            f"the click also asked for {_path(url)}, and the portal {failure}",
            is_retryable=True,
            is_session_in_doubt=statuses.get(url) in _LOGIN_STATUSES,
        )
        for url, failure in failures.items()
        if url not in downloaded and is_of_portal(url)
    ]


def failed_navigation(activity: PageActivity, base_url: str) -> str:
    """Return which address a click could not open, why, and what to do; empty if it opened each.

    Args:
        activity: What the click did.
        base_url: The address of the portal.
    """
    failed = [request for request in activity.failed_requests if request.resource_type == "document"]
    causes = [(request.url, request.failure or "") for request in failed]
    for url, cause in causes:
        if cause and _ABORTED not in cause:
            step = remedy(cause, base_url, url)
            return ": ".join(filter(None, (f"the browser could not open {_path(url)} ({cause})", step)))
    return ""


def notes_of_failures(activity: PageActivity, is_of_portal: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the note that a script's request failed, which may have been for a further file; empty without one.

    Args:
        activity: What the click did.
        is_of_portal: Whether an address belongs to the portal.
    """
    failed = {
        f"{_path(response.url)} with {response.status}": None
        for response in activity.responses
        if response.status >= HTTPStatus.BAD_REQUEST
        and response.request.resource_type in _BY_SCRIPT
        and is_of_portal(response.url)
    }
    if not failed:
        return ()
    return (f"The click was also answered {', '.join(failed)}: check whether a further file is missing.",)


async def _status(window: Page) -> int:
    """Return the status of what a window shows, whose first response may have come before it was followed."""
    try:
        return await shown_status(window, _LOOK_LIMIT_S)
    except (PageNavigatedError, PlaywrightError, TimeoutError):
        return 0  # it is navigating, hangs or is gone


def _path(url: str) -> str:
    return urlsplit(url).path[:200]
