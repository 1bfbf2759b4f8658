"""What becomes of downloads that nobody follows."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from playwright.async_api import Download, Page

from poolwright.worker.page.page_activity import PageActivity, discard_unfollowed, is_followed


class Window:
    """A page, as far as it is listened to."""

    def __init__(self) -> None:
        self.url = "http://portal.invalid/"
        self.listeners: list[tuple[str, Callable[[Any], Any]]] = []

    def on(self, event: str, listener: Callable[[Any], Any]) -> None:
        self.listeners.append((event, listener))

    def remove_listener(self, event: str, listener: Callable[[Any], Any]) -> None:
        self.listeners.remove((event, listener))

    async def tell(self, event: str, what: object) -> None:
        for one, listener in tuple(self.listeners):
            if one == event and isinstance(pending := listener(what), Awaitable):
                await pending


class FakeDownload:
    """A download."""

    def __init__(self, page: Window) -> None:
        self.page = page
        self.done: list[str] = []

    async def cancel(self) -> None:
        self.done.append("cancelled")

    async def delete(self) -> None:
        self.done.append("deleted")


def page_of(window: Window) -> Page:
    return cast("Page", window)


async def brought(window: Window) -> list[str]:
    """What is done with a download that begins in a window now."""
    download = FakeDownload(window)
    await window.tell("download", cast("Download", download))
    return download.done


async def test_what_a_page_brings_by_itself_or_late_is_thrown_away_and_what_is_followed_is_not() -> None:
    window = Window()
    discard_unfollowed(page_of(window))
    by_itself = await brought(window)
    trail = PageActivity(page_of(window))
    trail.attach(page_of(window))
    followed, was_followed = await brought(window), is_followed(page_of(window))
    trail.detach()
    late = await brought(window)

    assert by_itself == late == ["cancelled", "deleted"]
    assert (followed, was_followed) == ([], True)
    assert len(trail.downloads) == 1


async def test_windows_of_a_page_are_looked_after_with_it() -> None:
    page, window = Window(), Window()
    discard_unfollowed(page_of(page))
    await page.tell("popup", window)

    assert await brought(window) == ["cancelled", "deleted"]
