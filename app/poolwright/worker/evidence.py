"""What is kept of a page for a person: pictures, and the page's source. Asked for by a processor, or by a failure."""

from __future__ import annotations

import contextlib
from pathlib import Path

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.files.names import STAGED_EVIDENCE, safe_name, unique_name

#: A picture takes well under a second; a page that hangs must not hold its tab for long.
LIMIT_S = 5.0
#: What a page's source is cut at. The largest pages of portals have some 3 MB.
SOURCE_MAX_CHARS = 10_000_000
PICTURE_ENDING, SOURCE_ENDING = ".png", ".html"
#: A thumbnail is a hint of what goes on; below this quality texts become blots.
THUMBNAIL_QUALITY, THUMBNAIL_LIMIT_S = 40, 3.0


async def thumbnail(page: Page) -> bytes:
    """A small picture of what a tab shows; nothing when it can't be pictured in time. Bounded."""
    with anyio.move_on_after(THUMBNAIL_LIMIT_S), contextlib.suppress(PlaywrightError):
        limit_ms = THUMBNAIL_LIMIT_S * 1000
        return await page.screenshot(type="jpeg", quality=THUMBNAIL_QUALITY, scale="css", timeout=limit_ms)
    return b""


class Evidence:
    """What one attempt has kept so far. Nothing is made before there is something to keep."""

    def __init__(self, staging: Path) -> None:
        """Keep below the staging folder of an attempt."""
        self._folder = staging / STAGED_EVIDENCE
        self._taken: list[str] = []
        self._kept: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Every file that was kept, in the order in which they came."""
        return tuple(self._kept)

    @property
    def call_count(self) -> int:
        """How often something was to be kept."""
        return len(self._taken)

    async def keep(self, page: Page, name: str) -> tuple[str, ...]:
        """Put source and picture of a page there; gives the names of what could be kept.

        Bounded by ``LIMIT_S``. A page that cannot be pictured any more leaves nothing, nor does a full disk; that is
        no error.
        """
        picture_name = unique_name(safe_name(name) + PICTURE_ENDING, self._taken)
        self._taken.append(picture_name)
        source_name = picture_name.removesuffix(PICTURE_ENDING) + SOURCE_ENDING
        kept: list[str] = []
        try:
            with anyio.move_on_after(LIMIT_S), contextlib.suppress(PlaywrightError, OSError):
                self._folder.mkdir(parents=True, exist_ok=True)
                source = (await page.content())[:SOURCE_MAX_CHARS]
                await anyio.Path(self._folder / source_name).write_text(source, encoding="utf-8", errors="replace")
                kept.append(source_name)
                await page.screenshot(path=self._folder / picture_name, timeout=LIMIT_S * 1000)
                kept.append(picture_name)
        finally:  # also where the task's time was over in between
            self._kept += kept
        return tuple(kept)
