"""What a failure leaves behind for a person: a picture of the page and its source."""

from __future__ import annotations

import contextlib

import anyio
from playwright.async_api import Error as PlaywrightError

from app.worker.tab import Tab

#: A picture takes well under a second; a page that hangs must not hold its tab for long.
LIMIT_S = 5.0
SCREENSHOT_NAME = "page.png"
SOURCE_NAME = "page.html"


#: A thumbnail is a hint of what goes on; below this quality texts become blots.
THUMBNAIL_QUALITY, THUMBNAIL_LIMIT_S = 40, 3.0


async def thumbnail(tab: Tab) -> bytes:
    """A small picture of what the tab shows; nothing when it can't be pictured in time. Bounded."""
    with anyio.move_on_after(THUMBNAIL_LIMIT_S), contextlib.suppress(PlaywrightError):
        limit_ms = THUMBNAIL_LIMIT_S * 1000
        return await tab.page.screenshot(type="jpeg", quality=THUMBNAIL_QUALITY, scale="css", timeout=limit_ms)
    return b""


async def keep_evidence(tab: Tab) -> tuple[str, ...]:
    """Put screenshot and source into the tab's evidence folder; returns the names of what could be kept.

    Bounded by ``LIMIT_S``. A page that cannot be pictured any more leaves nothing, nor does a full disk;
    that is no error.
    """
    kept: list[str] = []
    with anyio.move_on_after(LIMIT_S), contextlib.suppress(PlaywrightError, OSError):
        tab.evidence.mkdir(parents=True, exist_ok=True)
        source = await tab.page.content()
        await anyio.Path(tab.evidence / SOURCE_NAME).write_text(source, encoding="utf-8", errors="replace")
        kept.append(SOURCE_NAME)
        await tab.page.screenshot(path=tab.evidence / SCREENSHOT_NAME, timeout=LIMIT_S * 1000)
        kept.append(SCREENSHOT_NAME)
    return tuple(kept)
