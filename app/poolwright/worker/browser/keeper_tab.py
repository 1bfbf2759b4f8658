"""The keeper tab: the main tab of a session, which opens first and closes last, so that the browser always has one.

A person can close the keeper of a headed browser, and a browser exits with its last window. So a headed browser has a
placeholder tab in a second, minimised window, and the keeper can be opened again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.events import Level
from poolwright.portal.pack_schema import DialogPolicy
from poolwright.worker.errors import SessionBrokenError
from poolwright.worker.page.popups import answer_dialogs

#: Receives messages for people.
Notify = Callable[[Level, str], None]
_Send = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


class KeeperTab:
    """Keeps a browser open. ``restore`` opens tabs again that were closed or crashed."""

    def __init__(self, context: BrowserContext, *, is_headed: bool, notify: Notify) -> None:
        """Take the first tab of a browser as keeper.

        Args:
            context: A browser that has just started.
            is_headed: Whether a person can close its windows.
            notify: Receives messages for people.
        """
        self._context = context
        self._is_headed = is_headed
        self._notify = notify
        self._gone: set[Page] = set()
        self._page = self._watched(context.pages[0])
        self._placeholder: Page | None = None

    @property
    def page(self) -> Page:
        """The keeper tab itself. Used for logging in and for probing, never for a task."""
        return self._page

    @property
    def placeholder_page(self) -> Page | None:
        """The minimised tab beside the keeper; ``None`` before the first ``restore``, and in a headless browser."""
        return self._placeholder

    async def restore(self) -> None:
        """Open the keeper again if it is gone, and in a headed browser the placeholder too.

        Raises:
            SessionBrokenError: The browser cannot open a tab any more.
        """
        try:
            if self._page in self._gone:
                self._page = await self._replaced(self._page)
                self._notify(Level.WARNING, "the keeper tab was closed or crashed; it was reopened")
            if self._is_headed and (self._placeholder is None or self._placeholder in self._gone):
                self._placeholder = self._watched(await self._open_minimised())
        except PlaywrightError as error:
            msg = "the keeper tab is gone and the browser cannot open another one"
            raise SessionBrokenError(msg) from error

    def _watched(self, page: Page) -> Page:
        page.on("crash", lambda closed: self._gone.add(closed))  # noqa: PLW0108 - the browser's library wants a function
        page.on("close", lambda closed: self._gone.add(closed))  # noqa: PLW0108
        if page.is_closed():
            self._gone.add(page)
        answer_dialogs(page, DialogPolicy.DISMISS)
        return page

    async def _replaced(self, old: Page) -> Page:
        page = self._watched(await self._context.new_page())
        self._gone.discard(old)
        await old.close()  # a crashed tab is still open
        self._gone.discard(old)
        return page

    async def _open_minimised(self) -> Page:
        """Open a tab in a minimised window of its own and return it; closing the keeper's window does not close it."""
        devtools = await self._context.new_cdp_session(self._page)
        # Playwright leaves these dictionaries untyped.
        send = cast("_Send", devtools.send)  # pyright: ignore[reportUnknownMemberType]
        async with self._context.expect_page() as opening:
            target = await send("Target.createTarget", {"url": "about:blank", "newWindow": True})
        window = await send("Browser.getWindowForTarget", {"targetId": target["targetId"]})
        minimised: dict[str, Any] = {"windowId": window["windowId"], "bounds": {"windowState": "minimized"}}
        await send("Browser.setWindowBounds", minimised)
        await devtools.detach()
        return await opening.value
