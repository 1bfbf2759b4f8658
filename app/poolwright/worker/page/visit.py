"""One visit to a page of the portal: go there, read what comes, and classify it."""

from __future__ import annotations

from dataclasses import dataclass

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.portal.pack import Pack
from poolwright.portal.triage import PageFacts, Verdict, classify_visit
from poolwright.worker.errors import missing_page_error
from poolwright.worker.page.page_content import ClassifiedPage, PageContent, ReadEnd
from poolwright.worker.page.page_reader import PageReader
from poolwright.worker.page.request_guard import RequestGuard
from poolwright.worker.page.traffic import CertificatePromptError, Traffic, detect_certificate_prompt, watch_traffic
from poolwright.worker.transfer.http_downloader import parse_retry_after

#: What the browser says when the page went on by itself before it was there.
_WENT_ON = "interrupted by another navigation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A page, as it was found."""

    reading: PageContent
    verdict: Verdict
    status: int = 0
    #: Why its list of attachments cannot be trusted; empty when it can.
    doubt: str = ""
    #: What the browser says where an answer came and no page.
    problem: str = ""
    #: How long the portal asks to wait, if it does.
    retry_after_s: float | None = None


async def visit(  # noqa: PLR0913 - where from, where to, and what for
    page: Page,
    pack: Pack,
    base_url: str,
    address: str,
    *,
    portal_number: str | None = None,
    guard: RequestGuard | None = None,
    is_any_page: bool = False,
) -> Visit:
    """Visit a page of the portal.

    Args:
        page: Where.
        pack: The portal's rules.
        base_url: Where the portal is.
        address: Of the page.
        portal_number: The order whose page it is, and whose list of attachments is waited for.
        guard: What holds back some of what the page wants, if anything does.
        is_any_page: Whether any page will do that rests; else one is waited for that the pack knows.

    Raises:
        playwright.async_api.Error: No answer came, or the page crashed or was closed.
        TimeoutError: The page's main thread hangs.
    """
    with watch_traffic(page) as traffic:
        if guard is not None:
            traffic.withheld = guard.withheld
        try:
            async with detect_certificate_prompt(page, traffic):
                refusal = await _go(page, address, pack.limits.page_s)
                if refusal is None:
                    reader = PageReader(
                        page, traffic, pack, base_url, portal_number=portal_number, is_any_page=is_any_page
                    )
                    return await _seen(await reader.read(), traffic)
        except CertificatePromptError as error:
            refusal = error
        if guard is not None:
            traffic.visited += guard.strayed
        return await _pageless(refusal, traffic, pack, base_url, portal_number)


async def _go(page: Page, address: str, limit_s: float) -> PlaywrightError | None:
    """Go there; what the browser says where no page came.

    Raises:
        playwright.async_api.TimeoutError: Nothing came in time.
    """
    try:
        await page.goto(address, wait_until="commit", timeout=limit_s * 1000)
    except PlaywrightTimeoutError:
        raise
    except PlaywrightError as error:
        return None if _WENT_ON in error.message else error
    return None


async def _seen(read: ClassifiedPage, traffic: Traffic) -> Visit:
    return Visit(
        reading=read.reading,
        verdict=read.verdict,
        status=traffic.status,
        doubt=read.doubt,
        retry_after_s=await _retry_after_s(traffic),
    )


async def _pageless(
    error: PlaywrightError, traffic: Traffic, pack: Pack, base_url: str, portal_number: str | None
) -> Visit:
    """An answer that is no page: an error with nothing in it, a redirect without end, a file.

    Raises:
        playwright.async_api.Error: There was no answer at all.
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
    return parse_retry_after(await traffic.answer.header_value("retry-after")) if traffic.answer else None
