"""The activity of a page after a click: its requests, windows and downloads, and how long to wait for more.

After a click the portal may create a file, open a window, or do nothing at all. So the wait counts from the last
activity, and ends early without any: a link that leads nowhere brings no file.

The record holds the activity of this page and its windows only. What begins after it has ended is discarded.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import anyio
from playwright.async_api import Dialog, Download, Page, Request, Response
from playwright.async_api import Error as PlaywrightError

from poolwright.files.content_type import is_document_type
from poolwright.worker.page.popups import WindowLimit
from poolwright.worker.transfer.content_disposition import parse_content_disposition
from poolwright.worker.transfer.received_file import media_type

#: Scripts start the second of two files up to a second after the first.
_MORE_S = 1.2
#: A page that sends requests all the time (news, statistics) does not delay a file that has come.
_MORE_MAX_S = 4.0
#: A page without a request and without a window for this long will do nothing more.
SILENCE_S = 8.0
#: Limit in stall times for a page that sends requests without end.
_STALL_COUNT_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitySigns:
    """The activity since a click; times are in seconds before now."""

    begun_s: float
    #: The last request, response, window, dialog or download.
    last_s: float
    #: The last download; ``None`` if none began.
    download_s: float | None
    #: Requests without a response.
    pending_count: int
    #: Windows that are open and have no download.
    window_count: int


def remaining_wait_s(signs: ActivitySigns, stall_s: float) -> float:
    """Return the seconds to wait if nothing more happens; 0 or less if the wait is over."""
    is_busy = signs.pending_count > 0 or signs.window_count > 0
    if signs.download_s is not None:
        return min(_MORE_MAX_S - signs.download_s, stall_s) if is_busy else _MORE_S - signs.last_s
    if is_busy:
        return min(stall_s - signs.last_s, _STALL_COUNT_MAX * stall_s - signs.begun_s)
    return min(SILENCE_S, stall_s) - signs.last_s


#: A window that hangs ends with its browser.
_CLOSE_LIMIT_S = 3.0


#: Pages whose activity is being recorded.
_followed: WeakSet[Page] = WeakSet()


class PageActivity:
    """The activity of a page since the record began, oldest first."""

    def __init__(self, page: Page) -> None:
        """Record the activity of ``page``; ``follow_page`` attaches the listeners."""
        self.downloads: list[Download] = []
        #: Downloads that are kept; the others are discarded at the end.
        self.kept_downloads: list[Download] = []
        self.responses: list[Response] = []
        #: Requests that got no response, or whose response broke off.
        self.failed_requests: list[Request] = []
        self.windows: list[Page] = []
        #: Addresses of the documents that viewers within the page showed before.
        self.viewed_before: frozenset[str] = frozenset()
        #: The texts of the page's dialogs.
        self.dialog_texts: list[str] = []
        self._window_limit = WindowLimit()
        self._page = page
        self._start_url = page.url
        self._pending: set[Request] = set()
        self._begun = self._last = time.monotonic()
        self._downloaded: float | None = None
        self._changed = anyio.Event()
        self._listeners: list[tuple[Page, str, Callable[[Any], object]]] = []

    @property
    def has_pending(self) -> bool:
        """Return whether a request has no response yet."""
        return bool(self._pending)

    @property
    def is_navigating(self) -> bool:
        """Return whether a page or a frame waits for its next document."""
        return any(request.resource_type == "document" for request in self._pending)

    @property
    def is_flood(self) -> bool:
        """Return whether windows open without end."""
        return self._window_limit.is_flood

    @property
    def changed_pages(self) -> list[Page]:
        """Return every page with new content: the windows that opened, and the page itself if its address changed."""
        moved = [self._page] if self._page.url != self._start_url else []
        return [page for page in (*self.windows, *moved) if page.url and not page.is_closed()]

    def attach(self, page: Page) -> None:
        """Attach the listeners to a page."""
        _followed.add(page)
        listeners: tuple[tuple[str, Callable[[Any], object]], ...] = (
            ("download", self._note_download),
            ("request", self._note_request),
            ("response", self._note_response),
            ("requestfinished", self._note_end),
            ("requestfailed", self._note_failure),
            ("popup", self._note_window),
            ("popup", self._close_if_too_many),
            ("close", self._note_close),
            ("dialog", self._note_dialog),
        )
        for event, listener in listeners:
            page.on(event, listener)  # pyright: ignore[reportCallIssue, reportArgumentType]  # typed for each event alone
            self._listeners.append((page, event, listener))

    def detach(self) -> None:
        """Detach all listeners."""
        for page, event, listener in self._listeners:
            page.remove_listener(event, listener)
            _followed.discard(page)
        self._listeners.clear()

    async def wait(self, stall_s: float) -> None:
        """Wait until no more activity is expected."""
        while not self.is_flood and (seconds := remaining_wait_s(self._signs(), stall_s)) > 0:
            with anyio.move_on_after(seconds):
                await self._changed.wait()
            self._changed = anyio.Event()

    def restart_clock(self) -> None:
        """Count the time from now, after one more request of ours."""
        self._begun = self._last = time.monotonic()
        if self._downloaded is not None:
            self._downloaded = self._begun

    def response_of(self, download: Download) -> Response | None:
        """Return the response that became a download; ``None`` for one that a script created, and if it is not known.

        Several files may come from one address, such as that of a form: they are told apart by the names of their
        headers, else by their order.
        """
        responses = [response for response in self.responses if response.url == download.url]
        siblings = [other for other in self.downloads if other.url == download.url]
        if len(siblings) <= 1 or len(responses) <= 1:
            return responses[-1] if responses else None
        named = [response for response in responses if _header_stem(response) == _stem(download.suggested_filename)]
        if len(named) == 1:
            return named[0]
        return responses[siblings.index(download)] if len(responses) == len(siblings) else None

    def is_new_document(self, address: str, declared: str) -> bool:
        """Return whether what a viewer shows came since the record began, and is a document and no page.

        Args:
            address: The address of what it shows.
            declared: The media type that its element declares; empty if it declares none.
        """
        if address in self.viewed_before:
            return False
        types = [media_type(one.headers.get("content-type", "")) for one in self.responses if one.url == address]
        return any(map(is_document_type, types or [declared]))

    @property
    def unloaded_pages(self) -> list[Page]:
        """Return the pages with new content that brought no download."""
        pages = {download.page for download in self.downloads}
        return [page for page in self.changed_pages if page not in pages]

    def _signs(self) -> ActivitySigns:
        now = time.monotonic()
        pages = {download.page for download in self.downloads}
        return ActivitySigns(
            begun_s=now - self._begun,
            last_s=now - self._last,
            download_s=None if self._downloaded is None else now - self._downloaded,
            pending_count=len(self._pending),
            window_count=sum(1 for page in self.windows if page.url and not page.is_closed() and page not in pages),
        )

    def _note_activity(self) -> None:
        self._last = time.monotonic()
        self._changed.set()

    def _note_download(self, download: Download) -> None:
        self.downloads.append(download)
        self._downloaded = time.monotonic()
        self._note_activity()

    def _note_request(self, request: Request) -> None:
        self._pending.add(request)
        self._note_activity()

    def _note_response(self, response: Response) -> None:
        self.responses.append(response)
        self._note_activity()

    def _note_end(self, request: Request) -> None:
        self._pending.discard(request)
        self._note_activity()

    def _note_failure(self, request: Request) -> None:
        self.failed_requests.append(request)
        self._note_end(request)

    def _note_window(self, window: Page) -> None:
        self.windows.append(window)
        self.attach(window)
        self._note_activity()

    async def _close_if_too_many(self, window: Page) -> None:
        if self._window_limit.is_excess(sum(not opened.is_closed() for opened in self.windows)):
            await ignore_failure(window.close)

    def _note_close(self, page: Page) -> None:
        self._pending = {request for request in self._pending if not _is_of(request, page)}
        self._note_activity()

    def _note_dialog(self, dialog: Dialog) -> None:
        self.dialog_texts.append(dialog.message[:200])
        self._note_activity()


def _header_stem(response: Response) -> str:
    """Return the name in the header of a response, without its ending; empty if it names none."""
    header = response.headers.get("content-disposition", "")
    return _stem(parse_content_disposition([header.encode("latin-1", "replace")]).name) if header else ""


def _stem(name: str) -> str:
    """Return a name without its ending, which the browser may change."""
    return name.rpartition(".")[0] or name


def _is_of(request: Request, page: Page) -> bool:
    try:
        return request.frame.page is page
    except PlaywrightError:
        return True  # its page closed before the request had a frame


@contextlib.asynccontextmanager
async def follow_page(page: Page) -> AsyncGenerator[PageActivity]:
    """Record the activity of a page during the block; then close its windows and discard the downloads not kept."""
    activity = PageActivity(page)
    activity.attach(page)
    try:
        yield activity
    finally:
        activity.detach()
        with anyio.CancelScope(shield=True):
            for window in activity.windows:
                await ignore_failure(window.close)
            for download in activity.downloads:
                if download not in activity.kept_downloads:
                    await _discard(download)


def discard_unfollowed(page: Page) -> None:
    """Discard every download of a page and its windows that begins while they are not followed, until they close.

    Such downloads start by themselves or late, would fill the disk, and some have no end.
    """

    async def discard(download: Download) -> None:
        if download.page not in _followed:
            await _discard(download)

    def watch(window: Page) -> None:
        window.on("download", discard)
        window.on("popup", watch)

    watch(page)


def is_followed(page: Page) -> bool:
    """Return whether the activity of a page is being recorded, so that its windows and downloads are handled."""
    return page in _followed


async def _discard(download: Download) -> None:
    await ignore_failure(download.cancel)
    await ignore_failure(download.delete)


async def ignore_failure(cleanup: Callable[[], Awaitable[object]]) -> None:
    """Run a clean-up that may fail without harm, within a limit, such as closing a page or cancelling a download."""
    with anyio.move_on_after(_CLOSE_LIMIT_S), contextlib.suppress(PlaywrightError):
        await cleanup()
