"""Reads the list of attachments of an order: after the pack's steps, over all pages of the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from playwright.async_api import Page

from poolwright.portal.pack import Pack
from poolwright.portal.triage import Verdict
from poolwright.portal.triage_marks import PageKind
from poolwright.worker.page.element_finder import ElementFinder
from poolwright.worker.page.page_content import ClassifiedPage, PageContent, PageLink, ReadEnd
from poolwright.worker.page.page_reader import PageReader
from poolwright.worker.page.page_steps import PageSteps, StepError
from poolwright.worker.page.traffic import Traffic

_IS_SHOWN = frozenset({Verdict.READY, Verdict.RENEWED})
_ALIKE = (
    "Several files of the list look the same, so that they cannot be counted while it is scrolled; name what tells "
    "them apart in attachments.row of the portal pack."
)


class ListReader:
    """Reads the page of an order that one navigation led to."""

    def __init__(
        self,
        page: Page,
        traffic: Traffic,
        pack: Pack,
        base_url: str,
        portal_number: str,
    ) -> None:
        """Read by the rules of a portal.

        Args:
            page: A page whose navigation has begun.
            traffic: Its requests since then.
            pack: The portal's rules.
            base_url: The address of the portal.
            portal_number: The order.
        """
        self._page = page
        self._traffic = traffic
        self._pack = pack
        self._base_url = base_url
        self._number = portal_number
        self._steps = PageSteps(ElementFinder(page, traffic, pack, base_url), portal_number)

    async def read(self, list_page: int | None = None, *, is_after_click: bool = False) -> ClassifiedPage:
        """Read the whole list; leave the page at the last page of the list.

        Args:
            list_page: Read to this page of the list only, and return what it shows; ``None`` for the whole list.
            is_after_click: Whether the page was clicked just now, so that its next change is waited for.

        Raises:
            playwright.async_api.Error: The page crashed or was closed.
            TimeoutError: The page's main thread hangs.
        """
        rules = self._pack.attachments
        if rules.open:
            before = await self._reader(is_list=False, is_after_click=is_after_click).read()
            if before.verdict not in _IS_SHOWN:
                return before
            if not self._is_order(before.reading.url):
                return replace(before, verdict=Verdict.UNKNOWN)
            try:
                path = await self._steps.run(rules.open)
            except StepError as error:
                return await self._doubtful(str(error))
            if path is not None:
                self._pack = self._pack.page_at(path)
        reader = self._reader(is_after_click=is_after_click and not rules.open)
        first = await reader.read()
        if rules.next is None or first.verdict not in _IS_SHOWN or first.reading.end is ReadEnd.TOO_LARGE:
            return first
        return await self._read_pages(first, reader, list_page)

    async def _read_pages(self, first: ClassifiedPage, reader: PageReader, list_page: int | None) -> ClassifiedPage:
        rules = self._pack.attachments.next
        pages, last = [first.reading], first
        while rules is not None and (list_page is None or len(pages) < list_page):
            try:
                if not await self._steps.advance(rules, has_links=any(page.links for page in pages)):
                    break
            except StepError as error:
                return await self._doubtful(str(error))
            if len(pages) == rules.max:
                return await self._doubtful(f"The list has more than {rules.max} pages (next.max).")
            is_told = rules.click is not None and not any(link.frame for link in last.reading.links)
            reader = self._reader(previous=last.reading.signature if is_told else None)
            last = await reader.read()
            if last.verdict not in _IS_SHOWN or last.reading.end is ReadEnd.TOO_LARGE:
                return last
            known = {link.key for page in pages for link in page.links}
            is_new = bool(rules.scroll) or any(link.key not in known for link in last.reading.links) or is_told
            if (is_told and last.reading.end is ReadEnd.LATE) or not is_new:
                return replace(last, doubt=f"Page {len(pages) + 1} of the list did not arrive in time.")
            pages.append(last.reading)
        if list_page is not None:
            return replace(last, doubt="")  # a part of the list has fewer files than the page announces
        return self._merged(first, reader, pages)

    def _merged(self, first: ClassifiedPage, reader: PageReader, pages: Sequence[PageContent]) -> ClassifiedPage:
        is_scrolled = self._pack.attachments.next is not None and self._pack.attachments.next.scroll is not None
        merged = merge_pages(pages, is_scrolled=is_scrolled)
        doubt = reader.doubt(merged)
        if not doubt and is_scrolled and merged.count is None and are_alike(pages):
            doubt = _ALIKE
        return replace(first, reading=merged, doubt=doubt, list_facts=reader.list_facts(merged))

    def _reader(self, *, is_list: bool = True, previous: str | None = None, is_after_click: bool = False) -> PageReader:
        return PageReader(
            self._page,
            self._traffic,
            self._pack,
            self._base_url,
            portal_number=self._number if is_list else None,
            kind=PageKind.ORDER,
            is_after_click=is_after_click,
            previous=previous,
        )

    def _is_order(self, url: str) -> bool:
        addresses = (url, *self._traffic.visited[-1:])
        return any(self._pack.is_order_page(self._base_url, self._number, address) for address in addresses)

    async def _doubtful(self, doubt: str) -> ClassifiedPage:
        """Return the page that is shown now with a doubt, unless it is no page of the order any more."""
        page = await self._reader(is_list=False).read()
        return replace(page, doubt=doubt) if page.verdict in _IS_SHOWN else page


def merge_pages(pages: Sequence[PageContent], *, is_scrolled: bool) -> PageContent:
    """Return the content of all pages of a list together, each file once. Pure.

    A link with an address is the same file on every page. Other links are new on each page, unless the page shows
    those of the page before it too, or is the same page further down (``is_scrolled``).
    """
    links: list[PageLink] = []
    for number, page in enumerate(pages, start=1):
        keys = [link.key for link in page.links]
        earlier = [link.key for link in pages[number - 2].links] if number > 1 else []
        is_grown = keys[: len(earlier)] == earlier
        if is_grown:  # the earlier ones are on this page too
            links = [_moved(link, number) if link.list_page == number - 1 else link for link in links]
        known = {link.key for link in links}
        start = len(earlier) if is_grown else 0
        for link in page.links[start:]:
            if link.key not in known or not (link.address or (is_scrolled and not is_grown)):
                links.append(_moved(link, number))
                known.add(link.key)
    counts = [page.count for page in pages if page.count is not None]
    changes = {
        "links": links,
        "link_count": len(links),
        "list_page": len(pages),
        "count": max(counts, default=None),
        "is_settled": all(page.is_settled for page in pages),
        "strangers": list(dict.fromkeys(url for page in pages for url in page.strangers)),
        "documents": list(dict.fromkeys(url for page in pages for url in page.documents)),
        "end": next((page.end for page in pages if page.end is not ReadEnd.ARRIVED), ReadEnd.ARRIVED),
    }
    return pages[0].model_copy(update=changes)


def _moved(link: PageLink, list_page: int) -> PageLink:
    return link.model_copy(update={"list_page": list_page})


def are_alike(pages: Sequence[PageContent]) -> bool:
    """Return whether some files of a list that is scrolled cannot be told apart. Pure.

    Such a list may remove rows at its top, so that a row further down looks like one that was there before.
    """
    keys = [[link.key for link in page.links if not link.address] for page in pages]
    if len(keys) > 1 and any(len(set(page)) < len(page) for page in keys):
        return True
    seen, last = set[tuple[str, ...]](), set[tuple[str, ...]]()
    for page in keys:
        if any(key in seen and key not in last for key in page):
            return True
        seen, last = seen | set(page), set(page)
    return False
