"""Reads a page in one call that waits inside the page; ``reading.js`` is the script.

Selectors and locators cost the driver a retry loop each: a quarter of the processor time of a whole order.
"""

from __future__ import annotations

import contextlib
import math
from http import HTTPStatus
from importlib import resources
from typing import Any
from urllib.parse import urldefrag, urlsplit

import anyio
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page
from playwright.async_api import TimeoutError as PlaywrightTimeoutError

from poolwright.portal.addresses import addresses_in
from poolwright.portal.pack import Pack
from poolwright.portal.page_facts import PageFacts
from poolwright.portal.triage import (
    ORDER,
    REFUSALS,
    AttachmentListFacts,
    Verdict,
    classify_page,
    classify_visit,
    incompleteness_reason,
    is_login_address,
)
from poolwright.portal.triage_marks import PageKind
from poolwright.worker.page.devtools import IsolatedWorld, PageNavigatedError, isolated_world
from poolwright.worker.page.page_answers import PageAnswers
from poolwright.worker.page.page_content import (
    DEPTH_MAX,
    ELEMENT_COUNT_MAX,
    LINK_COUNT_MAX,
    ROOT_COUNT_MAX,
    VALUE_COUNT_MAX,
    ClassifiedPage,
    PageContent,
    ReadEnd,
    consent_clicks,
    has_exclusions,
    mark_rules,
    may_read_frame,
    reader_rules,
)
from poolwright.worker.page.page_links import add_listed_files, resolve_links
from poolwright.worker.page.traffic import Traffic

#: In CSS pixels; a smaller frame shows nothing that a person could read.
_FRAME_SIDE_MIN = 24
#: Each redirect by a script, and each response that a list waits for, needs another read.
_LOOK_COUNT_MAX = 100
#: A page that navigated more often than this redirects without end; it is not slow.
_MOVE_COUNT_MAX = 5
#: Interval of the reads while the list or the verdict depends on a response or a dialog.
_SLICE_S = 1.0
#: The verdicts that a page shows in place of what was expected.
_TROUBLE = tuple(verdict for verdict in ORDER if verdict is not Verdict.READY and verdict not in REFUSALS)
_SCRIPT = resources.files("poolwright.worker").joinpath("reading.js").read_text(encoding="utf-8")
#: Scheme of the page that the browser shows instead of one that did not load.
_NO_PAGE = "chrome-error:"


class PageReader:
    """Reads the page that one navigation led to."""

    def __init__(  # noqa: PLR0913 - each is given by its caller alone
        self,
        page: Page,
        traffic: Traffic,
        pack: Pack,
        base_url: str,
        *,
        portal_number: str | None = None,
        is_any_page: bool = False,
        kind: PageKind | None = None,
        is_after_click: bool = False,
        previous: str | None = None,
    ) -> None:
        """Read by the rules of a portal.

        Args:
            page: A page whose navigation has begun.
            traffic: Its requests since then.
            pack: The portal's rules.
            base_url: The address of the portal.
            portal_number: The order whose list of attachments is waited for; ``None`` for other pages.
            is_any_page: Whether any page that stops changing is accepted; else one that matches a rule of the pack.
            kind: The kind of the page, which selects its marks; if ``None``, it is that of an order or of the probe.
            is_after_click: Whether it was clicked just now, so that its next change is waited for.
            previous: The signature of the page of the list before this one, which must differ; ``None`` for the first.
        """
        self._page = page
        self._previous = previous
        self._traffic = traffic
        self._pack = pack
        self._base_url = base_url
        self._portal_number = portal_number
        self._is_any_page = is_any_page
        self._kind = kind or (PageKind.PROBE if portal_number is None else PageKind.ORDER)
        self._is_after_click = is_after_click
        self._answers = PageAnswers(pack, traffic)
        self._until = anyio.current_time() + pack.limits.page_s
        self._seen: list[str] = []
        self._is_api_read = False
        #: When a page that goes on asking the portal is believed that it shows no order.
        self._refusal_deadline = math.inf
        #: Whether the script returns early for a quiet page without files, so that frames of other origins are read.
        self._stops_for_frames = True

    async def read(self) -> ClassifiedPage:
        """Read the page as soon as it can be classified, and return its content and verdict.

        Raises:
            playwright.async_api.Error: The page crashed or was closed.
            TimeoutError: The page's main thread hangs.
        """
        reading = _without_linked(await self._read_final(await isolated_world(self._page)))
        await self._answers.update()
        url = self._served_at if await self._is_served_list(reading) else reading.url
        facts = self._facts(url, reading)
        reading = reading.model_copy(
            update={"links": resolve_links(self._pack.attachments, self._base_url, reading.url, reading.links)}
        )
        reading = await self._with_api(reading)
        if self._kind is PageKind.FILE:
            verdict = classify_page(self._pack.triage, facts)
        else:
            verdict = classify_visit(self._pack, self._base_url, facts, portal_number=self._portal_number)
        is_ready = verdict in {Verdict.READY, Verdict.RENEWED}
        list_facts = self.list_facts(reading) if is_ready and self._portal_number is not None else None
        doubt = self.doubt(reading) if is_ready else ""
        return ClassifiedPage(reading=reading, verdict=verdict, doubt=doubt, facts=facts, list_facts=list_facts)

    def _facts(self, url: str, reading: PageContent | None = None) -> PageFacts:
        """Return the facts about the page at an address; without ``reading``, those that are not on the page itself."""
        is_own_address = self._kind is PageKind.FILE and url in self._traffic.visited[:1]
        return PageFacts(
            url="" if is_own_address else url,  # the address of a file may contain any words
            status=self._traffic.status,
            passed=[*self._traffic.visited, *self._seen],
            present=reading.present if reading else (),
            texts=reading.texts if reading else {},
            kind=self._kind,
            dialogs=self._traffic.dialog_texts,
            answers=[*self._traffic.recalled_answers, *self._answers.answers],
            has_routes=self._pack.is_hash_routed,
        )

    @property
    def _served_at(self) -> str:
        """Return the address that the document was requested by; scripts may have changed it since."""
        return self._traffic.visited[-1] if self._traffic.visited and self._traffic.response is not None else ""

    async def _is_served_list(self, reading: PageContent) -> bool:
        """Return whether a page with another address is still the page of the order.

        Scripts may have changed the address of the order's page, or loaded another list into it. The portal's
        response at the order's own address decides: it must contain every file that the page shows now.
        """
        response, links = self._traffic.response, reading.links
        if response is None or not links or not self._is_renamed(reading.url) or not self._is_list(reading.url):
            return False
        with (
            anyio.move_on_after(_SLICE_S),
            contextlib.suppress(PlaywrightError),
        ):  # the browser no longer has the response
            served = addresses_in(await response.text(), self._served_at)
            return all(link.address in served for link in links)
        return False

    def _is_renamed(self, url: str) -> bool:
        """Return whether scripts gave the order's own document another address."""
        number = self._portal_number
        if number is None or self._pack.is_order_page(self._base_url, number, url):
            return False
        return self._pack.is_order_page(self._base_url, number, self._served_at)

    @property
    def _answered(self) -> tuple[str, ...]:
        """Return the addresses of the requests that bring the list."""
        api = self._pack.attachments.api
        return (*self._pack.attachments.answered, *((api.request,) if api else ()))

    async def _with_api(self, reading: PageContent) -> PageContent:
        """Return the content together with the files that a request of the page lists."""
        api = self._pack.attachments.api
        if api is None or not self._is_list(reading.url):
            return reading
        contents = await self._traffic.read_answers(api.request)
        lists = [api.files_in(content, self._base_url, reading.url) for content in contents]
        self._is_api_read = bool(lists) and None not in lists
        files = [file for files in lists for file in files or ()]
        return reading.model_copy(update={"links": add_listed_files(reading.links, files)})

    @property
    def _is_error(self) -> bool:
        return self._traffic.status >= HTTPStatus.BAD_REQUEST

    @property
    def _left_s(self) -> float:
        return max(0.0, self._until - anyio.current_time())

    async def _read_final(self, world: IsolatedWorld) -> PageContent:
        """Return the page on which the navigation ended, with its list if it has one."""
        links_deadline = anyio.current_time() + self._pack.limits.request_s
        for _ in range(_LOOK_COUNT_MAX):
            step_count = self._traffic.step_count
            try:
                reading = await self._read_once(world)
            except PageNavigatedError:
                await self._wait_for_document()
                continue
            if reading.end is ReadEnd.TOO_LARGE or not self._left_s:
                return reading
            if reading.end is not ReadEnd.ARRIVED:
                continue
            if self._is_refusal(reading):
                is_final = await self._is_final_refusal(step_count)
            else:
                self._refusal_deadline = math.inf
                reading, is_final = await self._with_list(world, reading, links_deadline)
            if is_final:
                return reading
        raise self._redirect_error()

    async def _is_final_refusal(self, step_count: int) -> bool:
        """Return whether a refusal stays; else wait for what may change it.

        Args:
            step_count: That of the traffic before the page was read. Scripts may not yet have done anything with a
                response that came since then.
        """
        now = anyio.current_time()
        self._refusal_deadline = min(self._refusal_deadline, now + self._pack.limits.request_s)
        is_calm = self._traffic.is_idle and self._traffic.step_count == step_count
        if is_calm or now >= self._refusal_deadline:
            return True
        await self._traffic.wait_idle(self._refusal_deadline - now)
        return False

    async def _with_list(
        self, world: IsolatedWorld, reading: PageContent, links_deadline: float
    ) -> tuple[PageContent, bool]:
        """Return the page with what its frames show, and whether that is all; else wait for what may change it."""
        if self._is_list(reading.url) and any(self._may_read(url) for url in reading.strangers):
            reading = await self._with_frames(world, reading)
            if not reading.links and self._stops_for_frames:
                self._stops_for_frames = False
                return reading, False
        is_needed = not reading.links and self._is_list(reading.url) and self._awaits_portal(reading)
        wait_s = self._left_s if is_needed else links_deadline - anyio.current_time()
        if not self._may_change(reading) or self._traffic.is_idle or wait_s <= 0:
            return reading, True
        await self._traffic.wait_idle(wait_s)
        return reading, False

    def _may_change(self, reading: PageContent) -> bool:
        """Return whether a response that scripts wait for may change what the page is, or its list."""
        if self._is_list(reading.url):
            return not self._is_sure(reading)
        is_probe = self._kind is PageKind.PROBE and not self._is_any_page
        return is_probe and classify_page(self._pack.triage, self._facts(reading.url, reading)) is Verdict.READY

    def _is_refusal(self, reading: PageContent) -> bool:
        """Return whether the page itself says that it shows no order, as it also may before a response has come."""
        if self._kind is PageKind.FILE or self._is_error or self._page_verdict(reading.url) in REFUSALS:
            return False
        return classify_page(self._pack.triage, self._facts(reading.url, reading)) in REFUSALS

    def _awaits_portal(self, reading: PageContent) -> bool:
        """Return whether an empty list may depend on a pending response; one that is said to be empty only on ours."""
        return not self._is_told_empty(reading) or any(map(self._may_read, self._traffic.pending_urls))

    async def _wait_for_document(self) -> None:
        """Wait for the next document of a page that navigated by itself."""
        try:
            await self._page.wait_for_load_state("domcontentloaded", timeout=self._pack.limits.page_s * 1000)
        except PlaywrightTimeoutError:
            if len(self._traffic.visited) > _MOVE_COUNT_MAX:
                raise self._redirect_error() from None
            raise

    def _redirect_error(self) -> PlaywrightError:
        return PlaywrightError(f"the page kept redirecting (net::ERR_TOO_MANY_REDIRECTS, last to {self._page.url})")

    async def _read_once(self, world: IsolatedWorld) -> PageContent:
        self._seen.append(self._page.url)
        await self._answers.update()
        spec = self._spec()
        is_waiting_for_answer = bool(self._answered) and spec["is_list"] and not spec["is_answered"]
        is_in_slices = is_waiting_for_answer or self._answers.is_wanted
        limit_s = min(self._left_s, self._slice_s) if is_in_slices else self._left_s
        result = await world.evaluate(_SCRIPT, {**spec, "limit_ms": limit_s * 1000}, limit_s)
        reading = PageContent.model_validate(result)
        if reading.url.startswith(_NO_PAGE):
            msg = f"the page redirected to one that did not load (net::ERR_CONNECTION_FAILED at {self._page.url})"
            raise PlaywrightError(msg)
        return reading

    @property
    def _slice_s(self) -> float:
        """Return the interval of the reads, in which a page can become quiet; few enough for the whole limit."""
        limits = self._pack.limits
        return max(_SLICE_S, 2 * limits.quiet_ms / 1000, 2 * limits.page_s / _LOOK_COUNT_MAX)

    async def _with_frames(self, world: IsolatedWorld, reading: PageContent) -> PageContent:
        """Return the content together with the links in frames of other origins that the pack trusts."""
        # A frame that blocks scripts runs no timers for ours either, so its content is taken at the first read.
        spec = {**self._spec(), "limit_ms": _SLICE_S * 1000, "quiet_ms": 0}
        frames = [
            _in_frame(PageContent.model_validate(result), url)
            async for url, result in world.frame_results(self._may_read, _SCRIPT, spec, 2 * _SLICE_S)
        ]
        contents = (reading, *frames)
        strangers = [url for url in reading.strangers if not self._may_read(url)]
        # A frame that shows a file in place of a page, or none at all, cannot be read.
        read = {urldefrag(frame.url).url for frame in frames}
        if len(frames) >= len(reading.strangers) - len(strangers):
            read |= {urldefrag(url).url for url in reading.strangers}
        documents = [url for url in reading.documents if url not in read]
        links = {
            link.address or f"{link.selector} {link.index} {link.frame} {link.sources}": link
            for content in frames
            for link in content.links
        }
        return reading.model_copy(
            update={
                "links": [*reading.links, *links.values()],
                "count": next((content.count for content in contents if content.count is not None), None),
                "is_said_empty": any(content.is_said_empty for content in contents),
                "is_settled": any(content.is_settled for content in contents),
                "strangers": strangers,
                "documents": [*documents, *(url for frame in frames for url in frame.documents)],
                "end": ReadEnd.ARRIVED if links else reading.end,
            }
        )

    def _may_read(self, url: str) -> bool:
        return may_read_frame(self._pack, self._base_url, url)

    def _is_list(self, url: str) -> bool:
        """Return whether the page is the order's own, judged by its address and status."""
        number = self._portal_number
        if number is None or self._is_error or self._page_verdict(url) not in {Verdict.READY, Verdict.UNKNOWN}:
            return False
        return self._is_renamed(url) or self._pack.is_order_page(self._base_url, number, url)

    def _is_sure(self, reading: PageContent) -> bool:
        return reading.is_settled and (bool(reading.links) or self._is_told_empty(reading))

    def _is_told_empty(self, reading: PageContent) -> bool:
        return self._pack.attachments.tells_empty(is_marked=reading.is_said_empty, count=reading.count)

    def _page_verdict(self, url: str) -> Verdict:
        return classify_page(self._pack.triage, self._facts(url))

    def doubt(self, reading: PageContent) -> str:
        """Return why the list of a page, or of all its pages together, cannot be trusted; empty if it can."""
        if self._portal_number is None:
            return ""
        return incompleteness_reason(self._pack.attachments, self.list_facts(reading))

    def list_facts(self, reading: PageContent) -> AttachmentListFacts:
        """Return the facts about the list of a page, or of all its pages together."""
        return AttachmentListFacts(
            link_count=len(reading.links),
            count=reading.count,
            is_declared_empty=reading.is_said_empty,
            is_settled=reading.is_settled,
            is_answered=self._traffic.is_answered(self._pack.attachments.answered),
            is_api_read=self._is_api_read,
            is_in_time=reading.end is ReadEnd.ARRIVED,
            is_calm=self._traffic.is_idle or self._is_sure(reading),
            unread=[urlsplit(url).hostname or "of unknown name" for url in reading.strangers],
            documents=reading.documents,
            withheld=self._traffic.withheld,
        )

    def _spec(self) -> dict[str, Any]:
        url, attachments, limits = self._page.url, self._pack.attachments, self._pack.limits
        is_list, facts, verdict = self._is_list(url), self._facts(url), self._page_verdict(url)
        return {
            **reader_rules(self._pack),
            "elements_max": ELEMENT_COUNT_MAX,
            "links_max": LINK_COUNT_MAX,
            "roots_max": ROOT_COUNT_MAX,
            "depth_max": DEPTH_MAX,
            "frame_min": _FRAME_SIDE_MIN,
            "values_max": VALUE_COUNT_MAX,
            "trouble": mark_rules(self._pack, facts, _TROUBLE),
            "refusals": mark_rules(self._pack, facts, REFUSALS),
            "ready": mark_rules(self._pack, facts, [Verdict.READY]),
            "consent_clicks": consent_clicks(self._pack, self._kind),
            "is_login": self._kind is not PageKind.FILE and is_login_address(self._pack, self._base_url, url),
            "is_list": is_list,
            "is_any_page": self._is_any_page,
            "is_after_click": self._is_after_click,
            "has_exclusions": has_exclusions(self._pack, self._kind),
            "is_refused": verdict not in {Verdict.UNKNOWN, Verdict.READY} or self._is_error,
            "is_expected": verdict is Verdict.READY,
            "is_answered": self._traffic.is_answered(self._answered),
            "awaits_answer": bool(attachments.api and not self._traffic.is_answered((attachments.api.request,))),
            "is_part": attachments.next is not None,
            "previous": self._previous,
            "stops_for_frames": self._stops_for_frames,
            "settled": list(attachments.settled) if is_list else [],
            "quiet_ms": limits.quiet_ms,
            "watch_ms": limits.watch_s * 1000,
            "patience_ms": limits.request_s * 1000,
        }


def _in_frame(content: PageContent, url: str) -> PageContent:
    """Return the content of a frame of another origin, whose links are clicked there."""
    return content.model_copy(update={"links": [link.model_copy(update={"frame": url}) for link in content.links]})


def _without_linked(reading: PageContent) -> PageContent:
    """Return the content without the documents that a link leads to, and without frames of other hosts."""
    known = {link.address for link in reading.links} | {urldefrag(url).url for url in reading.strangers}
    documents = [url for url in dict.fromkeys(reading.documents) if url not in known]
    return reading.model_copy(update={"documents": documents})
