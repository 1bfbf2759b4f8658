"""What a hand does on a page: a link is pressed, a document is saved. The page's own scripts change nothing of that."""

from __future__ import annotations

from importlib import resources

from playwright.async_api import Page

from poolwright.worker.reading import PageLink
from poolwright.worker.world import MovedError, world_of

_SCRIPTS = resources.files("poolwright.worker")
_CLICK = _SCRIPTS.joinpath("click.js").read_text(encoding="utf-8")
_SAVE = _SCRIPTS.joinpath("save.js").read_text(encoding="utf-8")
#: Asked where no element of the page can stand in its place.
_KIND = '() => Object.getOwnPropertyDescriptor(Document.prototype, "contentType").get.call(document)'
#: By so much of its text an element is known again.
_TEXT_LENGTH = 200


async def press(page: Page, link: PageLink, limit_s: float) -> str:
    """Press a link where it stands; what keeps it from being a file, nothing where it was pressed.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: It did not take the click.
    """
    asked = [link.selector, link.index, link.names.get("text", "")[:_TEXT_LENGTH]]
    try:
        return str(await (await world_of(page)).act(_CLICK, asked, limit_s))
    except MovedError:
        return ""  # the click went on to another page at once


async def kind_of(page: Page, limit_s: float) -> str:
    """As what a page shows what is there: the type of a file, or of a page.

    Raises:
        MovedError: It is on its way elsewhere.
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: It hangs.
    """
    return str(await (await world_of(page)).act(_KIND, None, limit_s))


async def save(page: Page, address: str, limit_s: float) -> None:
    """Save what an address holds; what the page itself shows where there is none.

    Raises:
        MovedError: It is on its way elsewhere.
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: It hangs.
    """
    await (await world_of(page)).act(_SAVE, address, limit_s)
