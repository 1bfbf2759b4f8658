"""Brings an order by HTTP alone, with the login of the session, where its page surely shows that this is all.

Tabs are the judge: whatever is not clearly an order with its whole list and all its files ends here without a result,
and the order is opened in a tab as if nothing had been tried.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import anyio
import anyio.to_thread
from loguru import logger

from poolwright.domain.errors import unwrap_group
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import FetchedFile, POTask, Report
from poolwright.portal.page_facts import PageFacts
from poolwright.portal.triage import Verdict
from poolwright.worker.answer_times import current_answers
from poolwright.worker.download.browser_downloader import DownloadRequest
from poolwright.worker.download.file_selection import select_links
from poolwright.worker.download.received_check import ReceivedCheck
from poolwright.worker.download.staged_files import DownloadedFile, StagedFiles
from poolwright.worker.errors import PortalBusyError
from poolwright.worker.lane.static_page import StaticPage, UnclearPageError
from poolwright.worker.page.page_content import PageContent, PageLink
from poolwright.worker.page.page_links import add_listed_files, resolve_links
from poolwright.worker.page.visit import Visit
from poolwright.worker.processors.download_results import DownloadResults, ListedLink, report_on
from poolwright.worker.processors.order_visit import OrderVisit
from poolwright.worker.tab import PortalContext
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.received_file import DownloadRefusedError

_PAGE, _DATA = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "application/json,*/*;q=0.5"
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
#: A larger page or answer is read in a tab, which has limits for both.
_TEXT_BYTES_MAX = 8_000_000


class HttpLane:
    """One attempt at one order by HTTP."""

    def __init__(self, portal_context: PortalContext, task: POTask, staging: Path) -> None:
        """Prepare an attempt.

        Args:
            portal_context: The portal, whose pack allows this lane.
            task: The order.
            staging: The folder of the attempt, which need not exist.
        """
        self._portal_context = portal_context
        self._task = task
        self._pack = portal_context.pack
        self._base_url = portal_context.portal.base_url
        self._files = StagedFiles(staging)
        self.staging = staging
        #: Files that were asked for.
        self._asked_count = 0

    async def run(self) -> Report | None:
        """Return the report of an order that is complete with all its files; ``None`` if a tab must look at it.

        Raises:
            OSError: The disk is full or not writable.
            playwright.async_api.Error: The browser, which has the cookies, is gone.
        """
        is_whole = False
        try:
            report = await self._bring(await self._read())
            is_whole = report.reason is Reason.ALL_SAVED
            return replace(report, files=self._files.saved) if is_whole else None
        except (UnclearPageError, DownloadRefusedError, PortalBusyError) as error:
            logger.debug("{} is opened in a tab: {}", self._task.po_number, error)
            return None
        finally:
            if not is_whole:  # however it ended: a tab must find nothing of it
                current_answers().add_requests(1 + self._asked_count)
                with anyio.CancelScope(shield=True):
                    await anyio.to_thread.run_sync(_remove, self.staging)

    def accept(self, downloaded: DownloadedFile) -> FetchedFile:
        """Add a file of the order.

        Raises:
            OSError: The disk is not writable.
        """
        return self._files.accept(downloaded)

    async def _read(self) -> PageContent:
        """Return the order's page with its whole list."""
        rules, number = self._pack.attachments, self._task.portal_number
        url = self._pack.order_url(self._base_url, number)
        reader = self._portal_context.downloads.http_downloader
        asked_s = anyio.current_time()
        languages = {"Accept-Language": self._portal_context.languages} if self._portal_context.languages else {}
        page = await reader.read(url, {"Accept": _PAGE, **languages}, _TEXT_BYTES_MAX)
        current_answers().add(anyio.current_time() - asked_s)
        if page is None or page.media_type not in _PAGE_TYPES:
            msg = "there is no page with status 200 at its address"
            raise UnclearPageError(msg)
        static = StaticPage(self._pack, self._base_url, number, page.text, url)
        reading = await anyio.to_thread.run_sync(static.read)
        links = resolve_links(rules, self._base_url, url, reading.links)
        if listed := self._pack.lane.list:
            wishes = {"Accept": _DATA, **languages}
            answer = await reader.read(listed.url(self._base_url, number), wishes, _TEXT_BYTES_MAX)
            files = None if answer is None else listed.files_in(_as_json(answer.text), self._base_url, url)
            if files is None:
                msg = "the answer is no list of files"
                raise UnclearPageError(msg)
            links = add_listed_files(links, files)
        if not links or reading.count not in {len(links), None if listed else -1}:
            msg = "the list is empty, or not surely whole"
            raise UnclearPageError(msg)
        return reading.model_copy(update={"links": links})

    async def _bring(self, reading: PageContent) -> Report:
        """Download all files and return the report.

        Raises:
            DownloadRefusedError: One did not come, or is none.
        """
        facts = PageFacts(url=reading.url, status=HTTPStatus.OK)
        page = Visit(reading=reading, verdict=Verdict.READY, status=HTTPStatus.OK, facts=facts)
        opened = OrderVisit(visit=page, pack=self._pack)
        selected = select_links(self._pack.attachments, reading.links)
        results = DownloadResults(
            listed=[ListedLink(link=link, source="", pack=self._pack) for link in selected.wanted],
            left_out={"": list(selected.left_out)},
        )
        self.staging.mkdir(parents=True, exist_ok=True)
        allowance = DownloadAllowance(self._portal_context.downloads.sizes)
        limiter = anyio.CapacityLimiter(self._pack.limits.parallel_files)

        async def fetch(number: int, link: PageLink) -> None:
            async with limiter:
                results.fetched[number] = [await self._fetch(link, self.staging / f"part-{number}", allowance)]

        try:
            async with anyio.create_task_group() as fetches:
                for number, link in enumerate(selected.wanted):
                    fetches.start_soon(fetch, number, link)
        except ExceptionGroup as group:
            raise unwrap_group(group, DownloadRefusedError, PortalBusyError) from group
        return await report_on(results, self, self._task, self._portal_context, opened)

    async def _fetch(self, link: PageLink, part: Path, allowance: DownloadAllowance) -> DownloadedFile:
        if not self._pack.may_fetch(self._base_url, link.address):
            msg = "it is on another host"
            raise DownloadRefusedError(msg, is_retryable=True)
        self._asked_count += 1
        request = DownloadRequest(link=link, part=part, allowance=allowance.for_folder(part.parent))
        check = ReceivedCheck(self._pack, self._base_url, _refuse)
        received = await self._portal_context.downloads.http_downloader.fetch(
            link.address, part, request.allowance, request.known_names
        )
        return await check.check(received, request)


def _remove(staging: Path) -> None:
    """Remove the folder of an attempt, if it was made. Blocking.

    Raises:
        OSError: Files of it would be left, which a tab would file as its own.
    """
    if staging.exists():
        shutil.rmtree(staging)


async def _refuse() -> None:
    """Refuse a file that looks like a login page; a tab finds out whether the session is lost."""
    msg = "it looks like a login page"
    raise DownloadRefusedError(msg, is_retryable=True)


def _as_json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
