"""Opens the page of an order: by its address, or by the portal's search for its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.portal.pack import Pack
from poolwright.portal.step_schema import SearchRules
from poolwright.portal.triage import DEMANDS, Verdict, describe_blocked
from poolwright.sdk.protocol import SessionLostError
from poolwright.worker.page.devtools import press_link
from poolwright.worker.page.page_content import ELEMENT_COUNT_MAX, LINK_COUNT_MAX, PageContent, PageLink, ReadEnd
from poolwright.worker.page.request_guard import RequestGuard
from poolwright.worker.page.visit import Visit, visit

IS_SHOWN = frozenset({Verdict.READY, Verdict.RENEWED})


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderVisit:
    """A visit to the page of an order, and the rules for it."""

    visit: Visit
    pack: Pack


async def visit_order(page: Page, pack: Pack, base_url: str, task: POTask, guard: RequestGuard) -> OrderVisit | Report:
    """Open the page of an order; return the report if the portal's search does not find it.

    Args:
        page: The guarded page that navigates.
        pack: The portal's rules.
        base_url: The address of the portal.
        task: The order.
        guard: The request guard of the page.

    Raises:
        SessionLostError: The portal asks for a login.
        playwright.async_api.Error: No response came, or the page crashed or was closed.
        TimeoutError: The page's main thread hangs.
    """
    number = task.portal_number
    if pack.site.find is not None:
        found = await _Search(page, pack, base_url, task, guard).run(pack.site.find)
        if isinstance(found, Report):
            return found
        pack = pack.page_at(found)
    address = pack.order_url(base_url, number)
    visited = await visit(page, pack, base_url, address, portal_number=number, guard=guard)
    return OrderVisit(visit=visited, pack=pack)


class _Search:
    """The portal's search for one order."""

    def __init__(self, page: Page, pack: Pack, base_url: str, task: POTask, guard: RequestGuard) -> None:
        self._page = page
        self._pack = pack
        self._base_url = base_url
        self._task = task
        self._guard = guard

    async def run(self, rules: SearchRules) -> str | Report:
        """Return the path of the order's page, or the report of a search that does not lead to one page."""
        number = self._task.portal_number
        pack = self._pack.page_at(rules.page, rules.list_rules, rules.ready)
        address = pack.order_url(self._base_url, number)
        pack = pack.page_at("", rules.list_rules)  # the results may be at any address of the portal
        searched = await visit(self._page, pack, self._base_url, address, portal_number=number, guard=self._guard)
        if searched.verdict not in IS_SHOWN or searched.reading.end is ReadEnd.TOO_LARGE:
            return missing_report(searched)
        reading = searched.reading
        hits = exact_hits(rules, reading.links, self._task)
        if len(hits) > 1:
            detail = (
                f"The portal's search finds {len(hits)} orders with exactly this number; open the right one by hand."
            )
            return Report(reason=Reason.GIVEN_UP, detail=detail, page_url=reading.url)
        if searched.doubt:
            return self._changed(reading, _doubt(searched))
        if not hits:
            detail = "The portal's search finds no order with exactly this number."
            return Report(reason=Reason.PORTAL_SAYS_MISSING, detail=detail, page_url=reading.url)
        return await self._path_of(hits[0], reading)

    async def _path_of(self, hit: PageLink, reading: PageContent) -> str | Report:
        url = hit.address or hit.route or await self._clicked(hit, reading)
        path = self._pack.path_below(self._base_url, url)
        if path is None or not path.startswith(self._pack.site.order):
            led_to = f"leads to {url}" if url else "leads to no address"
            return self._changed(reading, f"The result of the search {led_to}, which is below no site.order.")
        if hit.route:
            await self._page.goto("about:blank")  # so that the page of the results is not read as that of the order
        return path

    async def _clicked(self, hit: PageLink, reading: PageContent) -> str:
        """Return the address to which a click on a result leads; empty if to none."""
        if hit.list_page != reading.list_page:
            return ""
        limit_s, row = self._pack.limits.page_s, self._pack.site.find.row if self._pack.site.find else None
        before = self._page.url
        if await press_link(self._page, hit, limit_s, row.model_dump() if row else None):
            return ""
        try:
            await self._page.wait_for_url(lambda url: url != before, wait_until="commit", timeout=limit_s * 1000)
        except PlaywrightTimeoutError:
            return ""
        return self._page.url

    def _changed(self, reading: PageContent, detail: str) -> Report:
        return Report(reason=Reason.PORTAL_CHANGED, detail=detail, page_url=reading.url)


def exact_hits(rules: SearchRules, links: list[PageLink], task: POTask) -> list[PageLink]:
    """Return the results whose text is exactly the number of an order, each address once. Pure."""
    numbers = (task.portal_number, task.po_number)
    wanted = {_folded(text.replace("{number}", number)) for text in rules.text for number in numbers}
    hits: dict[tuple[str, ...], PageLink] = {}
    for link in links:
        texts = [link.row] if rules.row else link.names.get("text", "").split("\n")
        if any(_folded(text) in wanted for text in texts):
            hits.setdefault((link.route,) if link.route else link.key, link)
    return list(hits.values())


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _doubt(searched: Visit) -> str:
    reading = searched.reading
    if reading.links or reading.is_said_empty or reading.is_settled or searched.doubt.startswith("Step"):
        return searched.doubt
    return "The portal's search shows no result, but no sign that there is none (site.find.empty, settled)."


#: Reason and detail for a page that does not show the order.
_REASONS: Mapping[Verdict, tuple[Reason, str]] = MappingProxyType(
    {
        Verdict.BUSY: (Reason.PORTAL_BUSY, "The portal is busy."),
        Verdict.FORBIDDEN: (Reason.NO_PERMISSION, "This user has no permission to see the order."),
        Verdict.NOT_FOUND: (Reason.PORTAL_SAYS_MISSING, "The portal has no such order."),
        Verdict.PORTAL_ERROR: (Reason.PORTAL_ERROR, "The portal answered with an error."),
        Verdict.UNKNOWN: (Reason.PORTAL_CHANGED, "The page matches no rule of the portal pack."),
    }
)


def missing_report(page: Visit) -> Report:
    """Return the report for a page that does not show the order.

    Raises:
        SessionLostError: The portal asks for a login.
    """
    if page.verdict in DEMANDS:
        msg = f"the portal asks for {DEMANDS[page.verdict]} at {page.reading.url}"
        raise SessionLostError(msg)
    if page.reading.end is ReadEnd.TOO_LARGE:
        return Report(reason=Reason.GIVEN_UP, detail=_too_large(page.reading), page_url=page.reading.url)
    reason, sentence = _REASONS[page.verdict]
    problem = ": ".join(filter(None, (page.problem, page.remedy)))
    cause = f"status {page.status}" if page.status >= HTTPStatus.BAD_REQUEST else problem
    detail = f"{sentence} ({cause})" if cause else sentence
    if page.verdict is Verdict.UNKNOWN:
        detail += describe_blocked(page.withheld)  # a page that lacks what it asked for may show no mark
    return Report(reason=reason, detail=detail, page_url=page.reading.url, retry_after_s=page.retry_after_s)


def _too_large(reading: PageContent) -> str:
    """Return the detail for a page that no person could use, and that could crash the browser."""
    if reading.link_count > LINK_COUNT_MAX:
        return f"The page shows {reading.link_count:,} files; at most {LINK_COUNT_MAX:,} are downloaded for one order."
    return f"The page is too large to be read: more than {ELEMENT_COUNT_MAX:,} elements, or elements nested too deep."
