"""One visit to a page of the portal: navigate, read the page, and classify it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.portal.pack import Pack
from poolwright.portal.triage import PageFacts, Verdict, classify_visit
from poolwright.worker.errors import missing_page_error
from poolwright.worker.page.list_reader import ListReader
from poolwright.worker.page.page_content import ClassifiedPage, PageContent, ReadEnd
from poolwright.worker.page.page_reader import PageReader
from poolwright.worker.page.request_guard import RequestGuard
from poolwright.worker.page.traffic import CertificatePromptError, Traffic, detect_certificate_prompt, watch_traffic
from poolwright.worker.transfer.http_downloader import parse_retry_after

#: The browser's error if the page navigated by itself before it had loaded.
_INTERRUPTED = "interrupted by another navigation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """The result of one visit."""

    reading: PageContent
    verdict: Verdict
    status: int = 0
    #: Why its list of attachments cannot be trusted; empty when it can.
    doubt: str = ""
    #: The browser's error if a response came but no page; else empty.
    problem: str = ""
    #: Seconds that the portal asks to wait; ``None`` if it does not.
    retry_after_s: float | None = None


async def visit(  # noqa: PLR0913 - each is given by its caller alone
    page: Page,
    pack: Pack,
    base_url: str,
    address: str,
    *,
    portal_number: str | None = None,
    guard: RequestGuard | None = None,
    is_any_page: bool = False,
    list_page: int | None = None,
) -> Visit:
    """Visit a page of the portal.

    Args:
        page: The page that navigates.
        pack: The portal's rules.
        base_url: The address of the portal.
        address: The address to open.
        portal_number: The order whose list of attachments is waited for; ``None`` for other pages.
        guard: The request guard of the page, if it has one.
        is_any_page: Whether any page that stops changing is accepted; else one that matches a rule of the pack.
        list_page: The page of the order's list at which the visit ends; the last one if ``None``.

    Raises:
        playwright.async_api.Error: No response came, or the page crashed or was closed.
        TimeoutError: The page's main thread hangs.
    """
    with watch_traffic(page) as traffic:
        if guard is not None:
            traffic.withheld = guard.withheld
        try:
            async with detect_certificate_prompt(page, traffic):
                refusal = await _navigate(page, address, pack.limits.page_s)
                if refusal is None:
                    if portal_number is not None:
                        order = ListReader(page, traffic, pack, base_url, portal_number, guard)
                        return await _visit_of(await order.read(list_page), traffic)
                    reader = PageReader(page, traffic, pack, base_url, is_any_page=is_any_page)
                    return await _visit_of(await reader.read(), traffic)
        except CertificatePromptError as error:
            refusal = error
        if guard is not None:
            traffic.visited += guard.strayed
        return await _visit_without_page(refusal, traffic, pack, base_url, portal_number)


async def _navigate(page: Page, address: str, limit_s: float) -> PlaywrightError | None:
    """Navigate; return the browser's error, or ``None`` if a page came.

    Raises:
        playwright.async_api.TimeoutError: Nothing came in time.
    """
    try:
        await page.goto(address, wait_until="commit", timeout=limit_s * 1000)
    except PlaywrightTimeoutError:
        raise
    except PlaywrightError as error:
        return None if _INTERRUPTED in error.message else error
    return None


async def _visit_of(page: ClassifiedPage, traffic: Traffic) -> Visit:
    return Visit(
        reading=page.reading,
        verdict=page.verdict,
        status=traffic.status,
        doubt=page.doubt,
        retry_after_s=await _retry_after_s(traffic),
    )


async def _visit_without_page(
    error: PlaywrightError, traffic: Traffic, pack: Pack, base_url: str, portal_number: str | None
) -> Visit:
    """Return the visit for a response that is no page: an empty error, endless redirects, a file.

    Raises:
        playwright.async_api.Error: There was no response at all.
    """
    problem = missing_page_error(error)
    if not problem or not traffic.visited:
        raise error
    url = traffic.visited[-1]
    facts = PageFacts(url=url, status=traffic.status, passed=traffic.visited)
    verdict = classify_visit(pack, base_url, facts, portal_number=portal_number)
    if verdict in {Verdict.READY, Verdict.RENEWED, Verdict.UNKNOWN}:
        verdict = Verdict.PORTAL_ERROR
    return Visit(
        reading=PageContent(url=url, end=ReadEnd.ARRIVED),
        verdict=verdict,
        status=traffic.status,
        problem=problem,
        retry_after_s=await _retry_after_s(traffic),
    )


async def _retry_after_s(traffic: Traffic) -> float | None:
    return parse_retry_after(await traffic.response.header_value("retry-after")) if traffic.response else None
