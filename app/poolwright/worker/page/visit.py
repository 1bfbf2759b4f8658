"""One visit to a page of the portal: navigate, read the page, and classify it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urldefrag

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.portal.pack import Pack
from poolwright.portal.page_facts import PageFacts
from poolwright.portal.triage import AttachmentListFacts, Verdict, classify_visit
from poolwright.portal.triage_marks import PageKind
from poolwright.worker.answer_times import current_answers, slowest_answer_s
from poolwright.worker.errors import missing_page_error
from poolwright.worker.page.devtools import press_link
from poolwright.worker.page.list_reader import ListReader
from poolwright.worker.page.page_answers import has_dialog_marks
from poolwright.worker.page.page_content import ClassifiedPage, PageContent, ReadEnd
from poolwright.worker.page.page_reader import PageReader
from poolwright.worker.page.reachability import authentication_schemes, remedy
from poolwright.worker.page.request_guard import RequestGuard
from poolwright.worker.page.traffic import CertificatePromptError, Traffic, detect_certificate_prompt, watch_traffic
from poolwright.worker.transfer.http_downloader import parse_retry_after

#: The browser's error if the page navigated by itself before it had loaded.
_INTERRUPTED = "interrupted by another navigation"
#: A portal may ask for several consents, such as its terms after a cookie banner.
_CONSENT_COUNT_MAX = 3
_CONSENT_LIMIT_S = 10.0
#: The same for the browser's own page about the failure of the page before, which comes once.
_INTERRUPTED_LATE = re.compile(f'{_INTERRUPTED} to "chrome-error:')

#: A page whose scripts ask the portal who is logged in has begun to by then; that it waits for the answer is seen.
_HASTY_QUIET_MS = 100
#: The verdicts on a page that the portal had to make.
_ANSWERS = frozenset({Verdict.READY, Verdict.RENEWED})


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
    #: What a person can do about that; empty if nothing is known.
    remedy: str = ""
    #: The schemes of HTTP authentication that it asks for, as it names them; empty if it asks for none.
    challenge: str = ""
    #: Seconds that the portal asks to wait; ``None`` if it does not.
    retry_after_s: float | None = None
    #: The facts from which the verdict followed.
    facts: PageFacts
    #: The facts by which the list of attachments was judged; ``None`` for pages without a list.
    list_facts: AttachmentListFacts | None = None
    #: Addresses of the requests of the page's scripts that were answered.
    answered: tuple[str, ...] = ()
    #: Requests of the page that were blocked.
    withheld: tuple[str, ...] = ()


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
    is_hasty: bool = False,
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
        is_hasty: Whether a page is believed to be ready, before it was quiet for as long as the pack says, once none of
            its requests is open. A page that only later finds out that nobody is logged in is taken for ready then.

    Raises:
        playwright.async_api.Error: No response came, or the page crashed or was closed.
        TimeoutError: The page's main thread hangs.
    """

    async def read(*, is_after_click: bool = False) -> ClassifiedPage:
        if portal_number is not None:
            order = ListReader(page, traffic, pack, base_url, portal_number)
            return await order.read(list_page, is_after_click=is_after_click)
        hasty = await _read_hastily(page, traffic, pack, base_url) if is_hasty else None
        reader = PageReader(page, traffic, pack, base_url, is_any_page=is_any_page, is_after_click=is_after_click)
        return hasty or await reader.read()

    with watch_traffic(page, with_dialogs=has_dialog_marks(pack)) as traffic:
        if guard is not None:
            traffic.withheld = guard.withheld
        try:
            async with detect_certificate_prompt(page, traffic):
                found = await _open(page, address, traffic, read, guard, limit_s=pack.limits.page_s)
                if isinstance(found, ClassifiedPage):
                    _record_answer(found, traffic, pack, base_url)
                    return await _visit_of(found, traffic)
                refusal = found
        except PlaywrightTimeoutError:
            current_answers().add(pack.limits.page_s)
            raise
        except CertificatePromptError as error:
            refusal = error
        if guard is not None:
            traffic.visited += guard.strayed
        return await _visit_without_page(refusal, traffic, pack, base_url, portal_number)


async def _read_hastily(page: Page, traffic: Traffic, pack: Pack, base_url: str) -> ClassifiedPage | None:
    """Return a page that is ready; ``None`` for any other, which is read with patience.

    The reader waits for what is open when a page looks ready, so that only the time of quiet is shorter.
    """
    limits = pack.limits.model_copy(update={"quiet_ms": min(pack.limits.quiet_ms, _HASTY_QUIET_MS)})
    found = await PageReader(page, traffic, pack.model_copy(update={"limits": limits}), base_url).read()
    return found if found.verdict is Verdict.READY and found.reading.end is ReadEnd.ARRIVED else None


async def _open(
    page: Page,
    address: str,
    traffic: Traffic,
    read: Callable[..., Awaitable[ClassifiedPage]],
    guard: RequestGuard | None,
    *,
    limit_s: float,
) -> ClassifiedPage | PlaywrightError:
    """Navigate and return the page that came, after a consent that the pack allows; or the browser's error.

    Raises:
        playwright.async_api.Error: The page crashed or was closed.
        TimeoutError: The page's main thread hangs.
    """
    if refusal := await _navigate(page, address, limit_s):
        return refusal
    found = await read()
    if found.verdict is not Verdict.CONSENT or found.reading.consent_click is None:
        return found
    with guard.clicking() if guard else contextlib.nullcontext():
        found = await _give_consent(page, traffic, found, read)
    if found.verdict is not Verdict.UNKNOWN:
        return found
    # The consent led to another page than the one that was wanted.
    return await _navigate(page, address, limit_s) or await read()


async def _give_consent(
    page: Page, traffic: Traffic, found: ClassifiedPage, read: Callable[..., Awaitable[ClassifiedPage]]
) -> ClassifiedPage:
    """Click what gives the consent that a page asks for, as often as it may need, and return what the page is then."""
    for _ in range(_CONSENT_COUNT_MAX):
        click = found.reading.consent_click
        if found.verdict is not Verdict.CONSENT or click is None:
            break
        await press_link(page, click, _CONSENT_LIMIT_S)
        found = await read(is_after_click=True)
        if found.verdict is Verdict.CONSENT and (traffic.is_leaving or not traffic.is_idle):
            with anyio.move_on_after(_CONSENT_LIMIT_S):
                await (traffic.wait_navigation() if traffic.is_leaving else traffic.wait_idle(_CONSENT_LIMIT_S))
            found = await read(is_after_click=True)
    return found


async def read_again(
    page: Page,
    pack: Pack,
    base_url: str,
    earlier: PageFacts,
    *,
    answered: Sequence[str] = (),
    portal_number: str | None = None,
) -> Visit:
    """Visit a saved page, and judge it as the visit by which it was saved.

    Args:
        page: The page that navigates; its browser answers with what was saved.
        pack: The portal's rules.
        base_url: The address of the portal.
        earlier: The facts of the earlier visit: its address, and those that it passed.
        answered: Addresses of the requests of the page's scripts that were answered then.
        portal_number: The order whose page was saved; ``None`` for other pages.

    Raises:
        playwright.async_api.Error: Nothing was saved for the address, or the page crashed or was closed.
        TimeoutError: The page's main thread hangs.
    """
    with watch_traffic(page) as traffic:
        traffic.recall(earlier, answered)
        await page.goto(earlier.url, wait_until="commit", timeout=pack.limits.page_s * 1000)
        reader = PageReader(page, traffic, pack, base_url, portal_number=portal_number)
        return await _visit_of(await reader.read(), traffic)


async def _navigate(page: Page, address: str, limit_s: float) -> PlaywrightError | None:
    """Navigate; return the browser's error, or ``None`` if a page came.

    Raises:
        playwright.async_api.TimeoutError: Nothing came in time.
    """
    while True:
        try:
            if "#" in address and urldefrag(address).url == urldefrag(page.url).url:
                await page.goto("about:blank")  # else only the fragment would change, and no page would be asked for
            await page.goto(address, wait_until="commit", timeout=limit_s * 1000)
        except PlaywrightTimeoutError:
            raise
        except PlaywrightError as error:
            if _INTERRUPTED_LATE.search(error.message):
                continue
            return None if _INTERRUPTED in error.message else error
        return None


def _record_answer(page: ClassifiedPage, traffic: Traffic, pack: Pack, base_url: str) -> None:
    """Note how long the portal took to answer for a page. A refusal says nothing: it may be quicker than a page."""
    if page.verdict in _ANSWERS and traffic.response is not None:
        answers = (traffic.response, *traffic.script_responses)
        current_answers().add(slowest_answer_s(each for each in answers if pack.may_fetch(base_url, each.url)))


async def _visit_of(page: ClassifiedPage, traffic: Traffic) -> Visit:
    return Visit(
        reading=page.reading,
        verdict=page.verdict,
        status=traffic.status,
        doubt=page.doubt,
        challenge=await _challenge(traffic),
        retry_after_s=await _retry_after_s(traffic),
        facts=page.facts,
        list_facts=page.list_facts,
        answered=traffic.answered,
        withheld=tuple(traffic.withheld),
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
    kind = PageKind.PROBE if portal_number is None else PageKind.ORDER
    facts = PageFacts(url=url, status=traffic.status, passed=traffic.visited, kind=kind)
    verdict = classify_visit(pack, base_url, facts, portal_number=portal_number)
    return Visit(
        reading=PageContent(url=url, end=ReadEnd.ARRIVED),
        verdict=verdict_without_page(verdict),
        status=traffic.status,
        problem=problem,
        remedy=remedy(problem, base_url, url),
        challenge=await _challenge(traffic),
        retry_after_s=await _retry_after_s(traffic),
        facts=facts,
        answered=traffic.answered,
    )


def verdict_without_page(verdict: Verdict) -> Verdict:
    """Return the verdict on a response that is no page, from the verdict on its address and status alone."""
    is_of_page = verdict in {Verdict.READY, Verdict.RENEWED, Verdict.UNKNOWN}
    return Verdict.PORTAL_ERROR if is_of_page else verdict


async def _challenge(traffic: Traffic) -> str:
    """Return the schemes of the header by which an answer asks for HTTP authentication."""
    if traffic.response is None or traffic.status != HTTPStatus.UNAUTHORIZED:
        return ""
    with contextlib.suppress(PlaywrightError):  # the browser no longer has the response
        return ", ".join(authentication_schemes(await traffic.response.header_value("www-authenticate") or ""))
    return ""


async def _retry_after_s(traffic: Traffic) -> float | None:
    if traffic.response is None:
        return None
    headers = [await traffic.response.header_value(name) for name in ("retry-after", "date")]
    return parse_retry_after(*headers)
