"""One visit to a page of the portal: navigate, read the page, and classify it."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from http import HTTPStatus

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.portal.pack import Pack
from poolwright.portal.triage import PageFacts, Verdict, classify_visit
from poolwright.worker.errors import missing_page_error
from poolwright.worker.page.page_content import ClassifiedPage, PageContent, ReadEnd
from poolwright.worker.page.page_reader import PageReader
from poolwright.worker.page.reachability import authentication_schemes
from poolwright.worker.page.request_guard import RequestGuard
from poolwright.worker.page.traffic import CertificatePromptError, Traffic, detect_certificate_prompt, watch_traffic
from poolwright.worker.transfer.http_downloader import parse_retry_after

#: The browser's error if the page navigated by itself before it had loaded.
_INTERRUPTED = "interrupted by another navigation"
#: The same for the browser's own page about the failure of the page before, which comes once.
_INTERRUPTED_LATE = re.compile(f'{_INTERRUPTED} to "chrome-error:')


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
    #: The schemes of HTTP authentication that it asks for, as it names them; empty if it asks for none.
    challenge: str = ""
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
                    reader = PageReader(
                        page, traffic, pack, base_url, portal_number=portal_number, is_any_page=is_any_page
                    )
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
    while True:
        try:
            await page.goto(address, wait_until="commit", timeout=limit_s * 1000)
        except PlaywrightTimeoutError:
            raise
        except PlaywrightError as error:
            if _INTERRUPTED_LATE.search(error.message):
                continue
            return None if _INTERRUPTED in error.message else error
        return None


async def _visit_of(page: ClassifiedPage, traffic: Traffic) -> Visit:
    return Visit(
        reading=page.reading,
        verdict=page.verdict,
        status=traffic.status,
        doubt=page.doubt,
        challenge=await _challenge(traffic),
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
        challenge=await _challenge(traffic),
        retry_after_s=await _retry_after_s(traffic),
    )


async def _challenge(traffic: Traffic) -> str:
    """Return the schemes of the header by which an answer asks for HTTP authentication."""
    if traffic.response is None or traffic.status != HTTPStatus.UNAUTHORIZED:
        return ""
    with contextlib.suppress(PlaywrightError):  # the browser no longer has the response
        return ", ".join(authentication_schemes(await traffic.response.header_value("www-authenticate") or ""))
    return ""


async def _retry_after_s(traffic: Traffic) -> float | None:
    return parse_retry_after(await traffic.response.header_value("retry-after")) if traffic.response else None
