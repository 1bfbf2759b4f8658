"""The activity of a page after a click: its requests, windows and downloads, and how long to wait for more.

A click may ask the portal to make a file, open a window, or do nothing at all. So the time counts from its last sign
of life, and one that shows none is given up early: no file comes of a link that leads nowhere.

Nothing of any other page is ever in a trail. What begins after the trail has ended belongs to nobody.
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

from poolwright.worker.page.popups import WindowLimit

#: Scripts start the second of two files up to a second after the first.
_MORE_S = 1.2
#: A page that asks for things all the time (news, statistics) does not hold up a file that is there.
_MORE_MAX_S = 4.0
#: Nothing was asked for and no window is open: whoever does nothing for so long does nothing at all.
SILENCE_S = 8.0
#: A page that asks again and again is not waited for without end.
_ALL_TIMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitySigns:
    """What a click has done so far; seconds are since then."""

    begun_s: float
    #: The last request, answer, window, dialog or download.
    last_s: float
    #: The last download; nothing when none began.
    download_s: float | None
    #: Requests without an answer.
    pending_count: int
    #: Windows that are open and have brought nothing.
    window_count: int


def remaining_wait_s(signs: ActivitySigns, stall_s: float) -> float:
    """Return the seconds to wait if nothing more happens; 0 or less if the wait is over."""
    is_busy = signs.pending_count > 0 or signs.window_count > 0
    if signs.download_s is not None:
        return min(_MORE_MAX_S - signs.download_s, stall_s) if is_busy else _MORE_S - signs.last_s
    if is_busy:
        return min(stall_s - signs.last_s, _ALL_TIMES * stall_s - signs.begun_s)
    return min(SILENCE_S, stall_s) - signs.last_s


#: A window that hangs is left to the end of its browser.
_CLOSE_LIMIT_S = 3.0


#: Pages that somebody follows just now.
_followed: WeakSet[Page] = WeakSet()


class PageActivity:
    """What happened since it began, in the order in which it did."""

    def __init__(self, page: Page) -> None:
        """Made by ``follow`` alone."""
        self.downloads: list[Download] = []
        #: Those of them that are kept; the others are thrown away at its end.
        self.kept_downloads: list[Download] = []
        self.answers: list[Response] = []
        self.windows: list[Page] = []
        #: What a dialog of the page said.
        self.dialog_texts: list[str] = []
        self._count = WindowLimit()
        self._page = page
        self._place = page.url
        self._pending: set[Request] = set()
        self._begun = self._last = time.monotonic()
        self._downloaded: float | None = None
        self._stirred = anyio.Event()
        self._ears: list[tuple[Page, str, Callable[[Any], object]]] = []

    @property
    def has_pending(self) -> bool:
        """Whether something was asked for that did not come yet."""
        return bool(self._pending)

    @property
    def is_flood(self) -> bool:
        """Whether windows open without end."""
        return self._count.is_flood

    @property
    def shown(self) -> list[Page]:
        """Every page that shows something new: the windows that it opened, and itself where it went elsewhere."""
        moved = [self._page] if self._page.url != self._place else []
        return [page for page in (*self.windows, *moved) if page.url and not page.is_closed()]

    def attach(self, page: Page) -> None:
        """Attach the listeners to a page."""
        _followed.add(page)
        ears: tuple[tuple[str, Callable[[Any], object]], ...] = (
            ("download", self._note_download),
            ("request", self._note_request),
            ("response", self._note_answer),
            ("requestfinished", self._note_end),
            ("requestfailed", self._note_end),
            ("popup", self._note_window),
            ("popup", self._shut_if_too_many),
            ("close", self._note_close),
            ("dialog", self._note_dialog),
        )
        for event, ear in ears:
            page.on(event, ear)  # pyright: ignore[reportCallIssue, reportArgumentType]  # typed for each event alone
            self._ears.append((page, event, ear))

    def detach(self) -> None:
        """Detach all listeners."""
        for page, event, ear in self._ears:
            page.remove_listener(event, ear)
            _followed.discard(page)
        self._ears.clear()

    async def wait(self, stall_s: float) -> None:
        """Wait until nothing more is to be expected."""
        while not self.is_flood and (seconds := remaining_wait_s(self._signs(), stall_s)) > 0:
            with anyio.move_on_after(seconds):
                await self._stirred.wait()
            self._stirred = anyio.Event()

    def restart_clock(self) -> None:
        """Count the time from now: something more was asked for."""
        self._begun = self._last = time.monotonic()

    def response_of(self, download: Download) -> Response | None:
        """The answer that became a download; nothing for one that a script made."""
        return next((answer for answer in reversed(self.answers) if answer.url == download.url), None)

    def _signs(self) -> ActivitySigns:
        now = time.monotonic()
        brought = {download.page for download in self.downloads}
        return ActivitySigns(
            begun_s=now - self._begun,
            last_s=now - self._last,
            download_s=None if self._downloaded is None else now - self._downloaded,
            pending_count=len(self._pending),
            window_count=sum(1 for page in self.windows if page.url and not page.is_closed() and page not in brought),
        )

    def _stir(self) -> None:
        self._last = time.monotonic()
        self._stirred.set()

    def _note_download(self, download: Download) -> None:
        self.downloads.append(download)
        self._downloaded = time.monotonic()
        self._stir()

    def _note_request(self, request: Request) -> None:
        self._pending.add(request)
        self._stir()

    def _note_answer(self, answer: Response) -> None:
        self.answers.append(answer)
        self._stir()

    def _note_end(self, request: Request) -> None:
        self._pending.discard(request)
        self._stir()

    def _note_window(self, window: Page) -> None:
        self.windows.append(window)
        self.attach(window)
        self._stir()

    async def _shut_if_too_many(self, window: Page) -> None:
        if self._count.is_excess(sum(not one.is_closed() for one in self.windows)):
            await ignore_failure(window.close)

    def _note_close(self, page: Page) -> None:
        self._pending = {request for request in self._pending if not _is_of(request, page)}
        self._stir()

    def _note_dialog(self, dialog: Dialog) -> None:
        self.dialog_texts.append(dialog.message[:200])
        self._stir()


def _is_of(request: Request, page: Page) -> bool:
    try:
        return request.frame.page is page
    except PlaywrightError:
        return True  # its page went before it had one


@contextlib.asynccontextmanager
async def follow_page(page: Page) -> AsyncGenerator[PageActivity]:
    """Follow a page through a block; then its windows are closed, and all its downloads but those kept thrown away."""
    trail = PageActivity(page)
    trail.attach(page)
    try:
        yield trail
    finally:
        trail.detach()
        with anyio.CancelScope(shield=True):
            for window in trail.windows:
                await ignore_failure(window.close)
            for download in trail.downloads:
                if download not in trail.kept_downloads:
                    await _discard(download)


def discard_unfollowed(page: Page) -> None:
    """Throw away what a page and its windows bring while nobody follows them: by themselves, or late.

    For as long as they live. Nobody would ever look at it, it fills the disk, and some have no end.
    """

    async def discard(download: Download) -> None:
        if download.page not in _followed:
            await _discard(download)

    def adopt(window: Page) -> None:
        window.on("download", discard)
        window.on("popup", adopt)

    adopt(page)


def is_followed(page: Page) -> bool:
    """Whether somebody follows a page just now, and so deals with what it does."""
    return page in _followed


async def _discard(download: Download) -> None:
    await ignore_failure(download.cancel)
    await ignore_failure(download.delete)


async def ignore_failure(act: Callable[[], Awaitable[object]]) -> None:
    """Do what may fail without harm, within a moment: closing what is closed, cancelling what has come."""
    with anyio.move_on_after(_CLOSE_LIMIT_S), contextlib.suppress(PlaywrightError):
        await act()
