"""Looks at the list of attachments again after it was read: scripts may add rows after it seemed complete.

A list whose files have addresses is looked at when they have come; one whose files only clicks give before the first
click. Nothing on a page tells that a timer of its scripts is about to add a row, so that it is watched for a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.portal.pack import Pack
from poolwright.portal.triage import Verdict
from poolwright.portal.triage_marks import PageKind
from poolwright.worker.errors import raise_if_closed
from poolwright.worker.page.page_content import ClassifiedPage, PageContent, PageLink, ReadEnd
from poolwright.worker.page.page_links import file_identity
from poolwright.worker.page.page_reader import PageReader
from poolwright.worker.page.traffic import watch_traffic

_IS_SHOWN = frozenset({Verdict.READY, Verdict.RENEWED})
#: The first look is short: the page was quiet before, and nothing on it was touched since.
_LOOK_QUIET_MS, _LOOK_LIMIT_S = 50, 2.0


def may_grow(pack: Pack, reading: PageContent) -> bool:
    """Return whether a list can be looked at again when its files came: one page whose files have addresses. Pure.

    A click changes the page, further pages are not shown any more, and a response is read once.
    """
    return _is_one_page(pack, reading) and all(link.address and not link.frame for link in reading.links)


def is_clicked(pack: Pack, reading: PageContent) -> bool:
    """Return whether a list can be looked at again before its files are fetched only: some need a click. Pure."""
    return _is_one_page(pack, reading) and not may_grow(pack, reading)


def _is_one_page(pack: Pack, reading: PageContent) -> bool:
    return pack.attachments.next is None and pack.attachments.api is None and bool(reading.links)


def watch_time_s(pack: Pack, reading: PageContent) -> float:
    """Return how long scripts may add files to a list after it was read; 0 where the page counts its files. Pure."""
    return pack.limits.watch_s if reading.is_scripted and reading.count is None else 0.0


def added_links(ignore_query: Sequence[str], before: Sequence[PageLink], after: Sequence[PageLink]) -> list[PageLink]:
    """Return the links that a list has besides those of before; none if it is no longer than before. Pure.

    A list of the same length only has new addresses for the same files, such as signed ones.
    """
    if len(after) <= len(before):
        return []
    known = {file_identity(link.address, ignore_query) for link in before}
    return [link for link in after if file_identity(link.address, ignore_query) not in known]


async def read_watched(
    page: Page, pack: Pack, base_url: str, portal_number: str, reading: PageContent
) -> ClassifiedPage | None:
    """Watch a list whose files need clicks; return its page as it is then, or ``None`` if nothing was added.

    Args:
        page: The page, as it was read.
        pack: The rules for it.
        base_url: The address of the portal.
        portal_number: The order.
        reading: What was read before.

    Raises:
        playwright.async_api.Error: The browser is gone.
    """
    time_s = watch_time_s(pack, reading)
    if not time_s or not is_clicked(pack, reading):
        return None
    await anyio.sleep(time_s)
    whole = await _read(page, pack, base_url, portal_number)
    return whole if whole is not None and len(whole.reading.links) > len(reading.links) else None


async def read_growth(
    page: Page, pack: Pack, base_url: str, portal_number: str, reading: PageContent, watched_until: float
) -> ClassifiedPage | None:
    """Read an order's page again; return it with the added links alone, or ``None`` if there are none.

    Args:
        page: The page, as it was read.
        pack: The rules for it.
        base_url: The address of the portal.
        portal_number: The order.
        reading: What was read before.
        watched_until: When the page is looked at, on the clock of ``anyio.current_time``.

    Raises:
        playwright.async_api.Error: The browser is gone.
    """
    if not may_grow(pack, reading):
        return None
    await anyio.sleep_until(watched_until)
    limits = pack.limits.model_copy(update={"quiet_ms": _LOOK_QUIET_MS, "page_s": _LOOK_LIMIT_S})
    look = await _read(page, pack.model_copy(update={"limits": limits}), base_url, portal_number)
    if look is None or len(look.reading.links) <= len(reading.links):
        return None
    whole = await _read(page, pack, base_url, portal_number) or look
    links = added_links(pack.attachments.ignore_query, reading.links, whole.reading.links)
    return replace(whole, reading=whole.reading.model_copy(update={"links": links})) if links else None


async def _read(page: Page, pack: Pack, base_url: str, portal_number: str) -> ClassifiedPage | None:
    """Return what an open page shows; ``None`` if it no longer shows the order."""
    with watch_traffic(page) as traffic:
        reader = PageReader(page, traffic, pack, base_url, portal_number=portal_number, kind=PageKind.ORDER)
        try:
            found = await reader.read()
        except (PlaywrightError, TimeoutError) as error:
            raise_if_closed(error)
            return None
    return found if found.verdict in _IS_SHOWN and found.reading.end is ReadEnd.ARRIVED else None
