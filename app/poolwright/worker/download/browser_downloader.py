"""Downloads files by the browser itself: in a page of their own, or by a click on the page of the order.

A file belongs to the visit or click that caused it, because it is taken from the activity of one page only.

After a click that failed, its page is not used again: late downloads of it are discarded, and the next click is made on
the order's page opened again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

import anyio
from playwright.async_api import BrowserContext, Download, Page
from playwright.async_api import Error as PlaywrightError

from poolwright.files.content_type import is_document_type
from poolwright.portal.pack import Pack
from poolwright.portal.step_schema import RowText
from poolwright.worker.download.browser_file import read_download_info, wait_for_download
from poolwright.worker.download.file_answer import LOGIN_STATUSES, FileAnswer, read_answer
from poolwright.worker.download.lost_answers import failed_navigation, notes_of_failures, refused_beside
from poolwright.worker.errors import DOWNLOAD_STARTED, first_line, raise_if_closed
from poolwright.worker.page.devtools import (
    CHANGED,
    PageNavigatedError,
    press_link,
    save_document,
    shown_media_type,
    viewed_documents,
)
from poolwright.worker.page.page_activity import PageActivity, follow_page, ignore_failure
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.page.popups import answer_dialogs, close_opened_windows, window_cleanup
from poolwright.worker.page.reachability import remedy
from poolwright.worker.page.request_guard import guard_requests
from poolwright.worker.page.traffic import detect_certificate_prompt, watch_traffic
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.received_file import PAGE_TYPES, DownloadRefusedError, ReceivedFile, media_type

#: A page that has loaded answers at once.
_LOOK_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadRequest:
    """One file to download, and the bytes that it may have."""

    link: PageLink
    #: The path of the file; further files of the same click are written beside it.
    part: Path
    allowance: DownloadAllowance
    #: The rule for the text of the link's row, if the pack has one.
    row: RowText | None = None

    @property
    def known_names(self) -> tuple[str, ...]:
        """Return the names that the page gives the file."""
        return tuple(self.link.names.values())


#: What is done on a page so that its file comes.
GoOn = Callable[[Page], Awaitable[None]]


class BrowserDownloader:
    """Downloads files by the browser of one session."""

    def __init__(
        self, pack: Pack, base_url: str, context: BrowserContext, check_origin: Callable[[str], Awaitable[None]]
    ) -> None:
        """Download with the limits and dialog policy of a portal.

        Args:
            pack: The portal's rules.
            base_url: The address of the portal.
            context: The browser.
            check_origin: Raises for an address from which a file is not allowed.
        """
        self._pack = pack
        self._base_url = base_url
        self._stall_s = pack.limits.stall_s
        self._dialogs = pack.attachments.dialogs
        self._context = context
        self._check_origin = check_origin

    async def download_by_visit(
        self, request: DownloadRequest, referer: str
    ) -> Sequence[ReceivedFile | DownloadRefusedError]:
        """Open the address in a new page, as a user who follows the link, and return what came.

        Raises:
            DownloadRefusedError: It brought no file.
        """
        page = await self._context.new_page()
        answer_dialogs(page, self._dialogs)
        flood = anyio.Event()  # never awaited: the wait for activity ends on a flood by itself
        try:
            async with (
                window_cleanup(page, flood.set),
                guard_requests(page, self._pack, self._base_url) as guard,
                follow_page(page) as activity,
            ):
                guard.is_clicking = True  # some pages send a form that brings the file
                status = await self._open(page, activity, request.link.address, referer)
                if status >= HTTPStatus.BAD_REQUEST and not activity.downloads:
                    answer = await read_answer(request.link.address, [page], activity, self._pack, self._base_url)
                    raise RefusedAnswerError(replace(answer, status=status))
                return await self._collect(activity, page, request)
        finally:
            with anyio.CancelScope(shield=True):
                await ignore_failure(page.close)

    async def download_by_click(
        self, page: Page, request: DownloadRequest, go_on: GoOn | None = None
    ) -> tuple[Sequence[ReceivedFile | DownloadRefusedError], bool]:
        """Click the link on its page; return what came, and whether the page is unchanged.

        Args:
            page: The page.
            request: The file.
            go_on: What is done on the page after the click, such as another one in a dialog; it changes the page.

        Raises:
            DownloadRefusedError: It brought no file. The page must not be used again.
        """
        before = page.url
        async with follow_page(page) as activity:
            await self._note_viewed(activity, page)
            await self.press(page, request)
            if go_on is not None:
                await go_on(page)
            received = await self._collect(activity, page, request)
            return received, page.url == before and not activity.has_pending and go_on is None

    async def download_from(
        self, page: Page, request: DownloadRequest, act: GoOn
    ) -> Sequence[ReceivedFile | DownloadRefusedError]:
        """Act on an open page and return the files that came by it.

        Raises:
            DownloadRefusedError: It brought no file.
        """
        async with follow_page(page) as activity:
            await self._note_viewed(activity, page)
            await act(page)
            return await self._collect(activity, page, request)

    async def _note_viewed(self, activity: PageActivity, page: Page) -> None:
        """Note the documents that the page shows already, which are not those of the next click."""
        with contextlib.suppress(PageNavigatedError, PlaywrightError, TimeoutError):
            activity.viewed_before = frozenset(await viewed_documents(page, _LOOK_LIMIT_S))

    async def _open(self, page: Page, activity: PageActivity, address: str, referer: str) -> int:
        """Navigate and return the status of the page that is shown; 0 for anything else."""
        with watch_traffic(page) as traffic:
            try:
                async with detect_certificate_prompt(page, traffic):
                    response = await page.goto(
                        address, referer=referer, wait_until="commit", timeout=self._stall_s * 1000
                    )
            except PlaywrightError as error:
                raise_if_closed(error)
                if DOWNLOAD_STARTED in error.message or activity.downloads:
                    return 0
                cause = error.message.partition(" at ")[0]  # behind it is the address before any redirect
                step = remedy(cause, self._base_url, traffic.visited[-1] if traffic.visited else address)
                msg = ": ".join(filter(None, (f"the browser could not open it ({first_line(error)})", step)))
                raise DownloadRefusedError(msg, is_retryable=True) from error
        return response.status if response else 0

    async def press(self, page: Page, request: DownloadRequest) -> None:
        """Click the link on its page.

        Raises:
            DownloadRefusedError: It cannot be clicked.
        """
        row = request.row.model_dump() if request.row else None
        try:
            problem = await press_link(page, request.link, self._stall_s, row)
        except TimeoutError as error:
            msg = f"the page did not react to a click within {self._stall_s:g} s"
            raise DownloadRefusedError(msg, is_retryable=True) from error
        except PlaywrightError as error:
            raise_if_closed(error)
            msg = f"a click downloaded no file ({first_line(error)})"
            raise DownloadRefusedError(msg, is_retryable=True) from error
        if problem == CHANGED:
            raise ListChangedError
        if problem:
            raise DownloadRefusedError(problem, is_retryable=False)

    async def _collect(
        self, activity: PageActivity, page: Page, request: DownloadRequest
    ) -> Sequence[ReceivedFile | DownloadRefusedError]:
        await activity.wait(self._stall_s)
        if activity.is_flood:
            with anyio.move_on_after(_LOOK_LIMIT_S):
                await close_opened_windows(page)  # only closing stops it
                if not page.is_closed():  # the driver tells it later: until then further windows end the whole order
                    await page.wait_for_event("close", timeout=0)
            raise WindowFloodError
        if await self._save_shown_documents(activity) or (
            not activity.downloads and await self._save_hidden_document(activity, page)
        ):
            activity.restart_clock()
            await activity.wait(self._stall_s)
        if activity.downloads:
            # The browser reports them in any order, but a second run must give them the same names.
            numbers = sorted(
                range(len(activity.downloads)), key=lambda number: activity.downloads[number].suggested_filename
            )
            kept = [await self._keep_or_refuse(activity, number, request) for number in numbers]
            return [*kept, *await refused_beside(activity, self._is_of_portal)]
        pages = [page, *activity.windows]
        answer = await read_answer(request.link.address, pages, activity, self._pack, self._base_url)
        dialog = f"a dialog of the page: {activity.dialog_texts[-1]}" if activity.dialog_texts else ""
        failure = failed_navigation(activity, self._base_url)
        msg = "; ".join(filter(None, ("no file was downloaded", answer.sentence, failure, dialog)))
        page_urls = [opened.url for opened in pages if opened.url.startswith("http")]
        raise NoFileError(msg, page_urls, answer)

    async def _keep_or_refuse(
        self, activity: PageActivity, number: int, request: DownloadRequest
    ) -> ReceivedFile | DownloadRefusedError:
        part = request.part if number == 0 else request.part.with_name(f"{request.part.name}-{number + 1}")
        try:
            received = await self._keep(activity.downloads[number], activity, part, request)
        except DownloadRefusedError as refusal:
            return refusal
        activity.kept_downloads.append(activity.downloads[number])
        return received

    async def _keep(
        self, download: Download, activity: PageActivity, part: Path, request: DownloadRequest
    ) -> ReceivedFile:
        await self._check_origin(download.url)
        response = activity.response_of(download)
        info = read_download_info(download, response, request.known_names, is_alone=len(activity.downloads) == 1)
        if response and response.status >= HTTPStatus.BAD_REQUEST:
            raise RefusedAnswerError(FileAnswer(status=response.status))
        if response and response.status == HTTPStatus.PARTIAL_CONTENT and info.declared_bytes is None:
            msg = "the portal sent only a part of it"
            raise DownloadRefusedError(msg, is_retryable=True)
        request.allowance.check_announced(info.declared_bytes or 0)
        try:
            path = await wait_for_download(download, self._stall_s, request.allowance.check)
        except TimeoutError as error:
            raise DownloadRefusedError(str(error), is_retryable=True) from error
        except PlaywrightError as error:
            raise_if_closed(error)
            msg = f"the browser could not download it ({first_line(error).removeprefix('Download.path: ')})"
            raise DownloadRefusedError(msg, is_retryable=True) from error
        path.replace(part)
        return ReceivedFile(
            path=part,
            disposition=info.disposition,
            declared_type=info.declared_type,
            declared_bytes=info.declared_bytes,
            is_unpacked=info.is_unpacked,
            can_ask_again=info.can_ask_again,
            source_url=request.link.address or download.url,
            final_url=download.url,
            notes=notes_of_failures(activity, self._is_of_portal),
        )

    def _is_of_portal(self, url: str) -> bool:
        return self._pack.may_fetch(self._base_url, url)

    async def _save_shown_documents(self, activity: PageActivity) -> bool:
        """Start a download of each document that a page shows (a viewer, an image, text); return whether one does."""
        is_saved = False
        for page in activity.unloaded_pages:
            try:
                if await shown_media_type(page, _LOOK_LIMIT_S) not in {"", *PAGE_TYPES}:
                    await save_document(page, "", _LOOK_LIMIT_S)
                    is_saved = True
            except (PageNavigatedError, PlaywrightError, TimeoutError):
                continue  # the page is navigating, or hangs
        return is_saved

    async def _save_hidden_document(self, activity: PageActivity, page: Page) -> bool:
        """Start a download of a document that pages show within them, or that a script fetched to show it."""
        if not activity.is_navigating and await self._save_viewed_document(activity, page):
            return True
        return await self._save_fetched_document(activity, page)

    async def _save_viewed_document(self, activity: PageActivity, page: Page) -> bool:
        """Start a download of the one document that viewers show since the click; return whether there is one."""
        for shown in (*reversed(activity.windows), page):
            if shown.is_closed():
                continue
            try:
                viewed = await viewed_documents(shown, _LOOK_LIMIT_S)
                documents = [address for address in viewed if activity.is_new_document(address, viewed[address])]
                if len(documents) == 1:
                    await save_document(shown, documents[0], _LOOK_LIMIT_S)
                    return True
            except (PageNavigatedError, PlaywrightError, TimeoutError):
                continue  # the page is navigating, or hangs
        return False

    async def _save_fetched_document(self, activity: PageActivity, page: Page) -> bool:
        """Start a download of a document that a script fetched to show it; return whether there is one."""
        for response in reversed(activity.responses):
            is_fetched = response.status == HTTPStatus.OK and response.request.resource_type in {"fetch", "xhr"}
            content_type = media_type(response.headers.get("content-type", ""))
            if not is_fetched or response.request.method != "GET" or not is_document_type(content_type):
                continue
            try:
                await save_document(page, response.url, _LOOK_LIMIT_S)
            except (PageNavigatedError, PlaywrightError, TimeoutError):
                continue  # the page is gone
            return True
        return False


class WindowFloodError(DownloadRefusedError):
    """A page opens windows without end instead of a file; the page is closed."""

    def __init__(self) -> None:
        """Create the error; another try cannot help."""
        super().__init__("it keeps opening windows instead of a file", is_retryable=False)


class ListChangedError(DownloadRefusedError):
    """The page shows other files than when it was read."""

    def __init__(self) -> None:
        """Create the error; the page as it is when it is opened again may show the file."""
        super().__init__("the page shows other files than when it was read", is_retryable=True)


class RefusedAnswerError(DownloadRefusedError):
    """The portal answered with an error status in place of a file."""

    def __init__(self, answer: FileAnswer) -> None:
        """Create the error; another try may help unless the portal refuses the file as such."""
        is_final = answer.status in LOGIN_STATUSES and not answer.asks_for_login
        super().__init__(
            answer.sentence,
            is_retryable=not is_final,
            is_session_in_doubt=answer.is_session_in_doubt,
            asks_for_login=answer.asks_for_login,
        )


class NoFileError(DownloadRefusedError):
    """No file came, and pages are shown instead."""

    def __init__(self, problem: str, page_urls: Sequence[str], answer: FileAnswer) -> None:
        """Keep the addresses of those pages."""
        super().__init__(
            problem,
            is_retryable=True,
            is_session_in_doubt=answer.is_session_in_doubt,
            asks_for_login=answer.asks_for_login,
        )
        self.page_urls = tuple(page_urls)
