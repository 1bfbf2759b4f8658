"""Keeps the last good page of an order for each portal, and names what is missing on a page that the portal changed.

The supervisor gives the folder. All workers of a portal share it: each keeps one page, so it never holds more than the
last one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from pydantic import BaseModel, ConfigDict

from poolwright.portal.examination.page_examination import SelectorFinding
from poolwright.portal.pack import Pack
from poolwright.worker.page.devtools import PageNavigatedError
from poolwright.worker.page.selector_matches import count_matches

#: Limit for keeping or comparing a page, so that no order waits for it.
_LIMIT_S = 8.0
_FACTS_NAME, _SOURCE_NAME, _PICTURE_NAME = "good.json", "page.html", "page.png"
_SOURCE_MAX_CHARS = 10_000_000
#: The selectors without which an order's page is not read: what it is, and where its files are.
_VITAL_KEYS = ("triage.ready.", "attachments.")
#: Most selectors that a sentence names.
_SHOWN_COUNT = 3


class _GoodFacts(BaseModel):
    """What is kept of a good page beside its HTML and its picture."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    number: str
    #: Key and selector of what matched.
    matched: tuple[tuple[str, str], ...]


class GoodPage:
    """The last good page of one portal."""

    def __init__(self, root: Path, pack: Pack, base_url: str) -> None:
        """Keep the page of a portal.

        Args:
            root: Folder for the pages of all portals.
            pack: The portal's pack.
            base_url: The address of the portal.
        """
        self._folder = root / f"{pack.name}-{hashlib.sha256(base_url.encode()).hexdigest()[:8]}"
        self._pack = pack
        self._base_url = base_url
        self._is_kept = False

    @property
    def files(self) -> tuple[Path, Path]:
        """Return the paths of the page's picture and of its HTML, which may be missing."""
        return self._folder / _PICTURE_NAME, self._folder / _SOURCE_NAME

    async def save(self, page: Page, number: str) -> None:
        """Save a page on which an order's files were found; only the first one of a session.

        A page that cannot be captured and a full disk leave the earlier page, without an error.

        Args:
            page: The page of the order.
            number: The order number, for people.
        """
        if self._is_kept:
            return
        self._is_kept = True
        with (
            anyio.move_on_after(_LIMIT_S),
            contextlib.suppress(PlaywrightError, PageNavigatedError, OSError, TimeoutError),
        ):
            found = await self._count(page)
            matched = tuple((one.key, one.selector) for one in found if one.count and one.key.startswith(_VITAL_KEYS))
            source = (await page.content())[:_SOURCE_MAX_CHARS]
            picture = await page.screenshot(timeout=_LIMIT_S * 1000)
            facts = _GoodFacts(number=number, matched=matched).model_dump_json()
            contents = {
                _SOURCE_NAME: source.encode("utf-8", "replace"),
                _PICTURE_NAME: picture,
                _FACTS_NAME: facts.encode(),
            }
            await anyio.to_thread.run_sync(_write, self._folder, contents, abandon_on_cancel=True)

    async def describe_change(self, page: Page) -> str:
        """Return sentences with the selectors that matched on the last good page and match nothing on this one.

        Args:
            page: A page that the pack does not describe any more.

        Returns:
            An empty text if no good page was kept, or if this page cannot be read.
        """
        with (
            anyio.move_on_after(_LIMIT_S),
            contextlib.suppress(PlaywrightError, PageNavigatedError, OSError, TimeoutError, ValueError),
        ):
            text, changed_at = await anyio.to_thread.run_sync(_read, self._folder / _FACTS_NAME, abandon_on_cancel=True)
            facts = _GoodFacts.model_validate_json(text)
            lost = lost_selectors(facts.matched, await self._count(page))
            return change_sentence(lost, facts.number, changed_at, self._folder)
        return ""

    async def _count(self, page: Page) -> tuple[SelectorFinding, ...]:
        return await count_matches(page, self._pack, lambda url: self._pack.may_fetch(self._base_url, url))


def lost_selectors(matched: Collection[tuple[str, str]], found: Sequence[SelectorFinding]) -> tuple[str, ...]:
    """Return key and selector of what matched earlier and matches nothing now; only what the pack still has.

    Args:
        matched: Key and selector of each that matched on the good page.
        found: What the selectors of the pack match now.
    """
    return tuple(f"{one.key} {one.selector}" for one in found if (one.key, one.selector) in matched and not one.count)


def change_sentence(lost: Sequence[str], number: str, at: datetime, folder: Path) -> str:
    """Return the sentences for the report: what is missing, and where the last good page is."""
    where = f"The last good page (order {number}, {at:%d %b %Y}) is in {folder}."
    if not lost:
        return where
    shown = "; ".join(lost[:_SHOWN_COUNT])
    more = f"; and {len(lost) - _SHOWN_COUNT} more" if len(lost) > _SHOWN_COUNT else ""
    return f"Selectors that matched there and match nothing here: {shown}{more}. {where}"


def _write(folder: Path, contents: dict[str, bytes]) -> None:
    """Write files one by one, each whole; the facts come last, and an earlier page stays if one fails."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, content in contents.items():
        part = folder / f".{name}-{os.getpid()}"
        part.write_bytes(content)
        part.replace(folder / name)


def _read(path: Path) -> tuple[str, datetime]:
    changed_at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return path.read_text(encoding="utf-8"), changed_at
