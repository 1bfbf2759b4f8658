"""Checks a file that came, and names it.

It counts only if its content matches its name and its declared length, and is no error, login or waiting page instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import anyio.to_thread

from poolwright.domain.tasks import MissedFile
from poolwright.files.content_type import SniffResult, sniff
from poolwright.files.soft_errors import SoftError
from poolwright.files.stated_size import SizeCheck, check_size
from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import NameSource
from poolwright.worker.download.browser_downloader import DownloadRequest
from poolwright.worker.download.file_name import FileName, choose_file_name
from poolwright.worker.download.order_page_opener import raise_if_login_page
from poolwright.worker.download.staged_files import DownloadedFile, sha256_of
from poolwright.worker.page.page_content import PageLink
from poolwright.worker.transfer.content_disposition import NO_DISPOSITION
from poolwright.worker.transfer.received_file import DownloadRefusedError, ReceivedFile


class UnexpectedPageError(DownloadRefusedError):
    """An HTML page came instead of a file."""

    def __init__(self, problem: str, shape: SoftError | None) -> None:
        """Derive the next tries: most pages lead to the file in a browser, some only after a click."""
        super().__init__(
            problem, is_retryable=True, is_for_browser=True, is_session_in_doubt=shape in {None, SoftError.LOGIN}
        )
        self.is_for_click = shape in {None, SoftError.WAITING}


class ReceivedCheck:
    """Checks the files of one order."""

    def __init__(self, pack: Pack, base_url: str, verify_shown: Callable[[], Awaitable[None]]) -> None:
        """Check by the rules of a portal.

        Args:
            pack: The portal's rules.
            base_url: The address of the portal.
            verify_shown: Checks that the session is logged in; raises ``SessionLostError`` if it is not.
        """
        self._pack = pack
        self._base_url = base_url
        self._verify_shown = verify_shown

    async def check(
        self, received: ReceivedFile, request: DownloadRequest, number: int = 0, *, is_alone: bool = True
    ) -> DownloadedFile:
        """Return a received file after its check; delete it if the check fails.

        Args:
            received: The file.
            request: The request that brought it.
            number: Its number among the files of the request.
            is_alone: Whether the request brought only this file, so that what the page says of its size holds for it.

        Raises:
            DownloadRefusedError: Its content does not match its name, or is incomplete.
            SessionLostError: It is the login page.
        """
        file_name = self._name(received, request.link, number)
        try:
            content = await anyio.to_thread.run_sync(_sniffed, received, file_name)
            await self._raise_if_refused(content, received)
            size = _size_check(request.link, file_name.label, content.size_bytes) if is_alone else SizeCheck()
            _raise_if_of_other_size(size)
            request.allowance.consume(content.size_bytes)
            sha256 = await anyio.to_thread.run_sync(sha256_of, received.path)
        except BaseException as error:
            if isinstance(error, DownloadRefusedError) and received.disposition.name:
                error.label = file_name.label
            with anyio.CancelScope(shield=True):
                await anyio.Path(received.path).unlink(missing_ok=True)
            raise
        return DownloadedFile(
            path=received.path,
            label=file_name.label,
            size_bytes=content.size_bytes,
            sha256=sha256,
            media_type=content.media_type,
            source_url=received.source_url,
            name=file_name.name,
            is_name_given=file_name.is_given,
            is_page=content.is_page,
            is_text=content.is_text,
            shows_end=content.shows_end,
            notes=(*content.notes, *received.notes, *filter(None, (size.note,))),
            validators=received.validators,
        )

    async def _raise_if_refused(self, content: SniffResult, received: ReceivedFile) -> None:
        # A page that its own address sends as an attachment is a file, such as an encrypted message with its form. So
        # is one without a form, wherever it was: no login page is sent as an attachment.
        is_own = received.final_url == received.source_url
        is_file = received.disposition.is_attachment and (is_own or content.shape is None)
        if content.is_page and not is_file:
            raise_if_login_page(self._pack, self._base_url, received.final_url)
        if content.shape is SoftError.LOGIN and not is_file:
            await self._verify_shown()
        if content.problems:
            problem = " ".join(content.problems)
            if content.is_page:
                raise UnexpectedPageError(problem, content.shape)
            is_message = content.shape is not None  # such as JSON that says that nobody is logged in
            raise DownloadRefusedError(problem, is_retryable=True, is_session_in_doubt=is_message)

    def _name(self, received: ReceivedFile, link: PageLink, number: int) -> FileName:
        """Return the name of a file; the texts of a link name only the first file of it."""
        page = link.names if number == 0 else {}
        addresses = (link.address, received.final_url)
        return choose_file_name(self._pack.attachments.names, page, received.disposition, addresses)


def missed_file(pack: Pack, link: PageLink, problem: str, *, is_retryable: bool) -> MissedFile:
    """Return the file of a link as missed, under the name that the page gives it."""
    label = choose_file_name(pack.attachments.names, link.names, NO_DISPOSITION, (link.address,)).label
    return MissedFile(label=label, source_url=link.address, problem=problem, is_retryable=is_retryable)


def _sniffed(received: ReceivedFile, file_name: FileName) -> SniffResult:
    return sniff(
        received.path,
        file_name.label,
        received.declared_type,
        declared_size_bytes=received.declared_bytes,
        is_vouched=received.disposition.is_attachment,
    )


def _size_check(link: PageLink, label: str, size_bytes: int) -> SizeCheck:
    texts = (link.names.get(source.value, "") for source in (NameSource.TEXT, NameSource.TITLE, NameSource.ARIA_LABEL))
    return check_size(link.size, texts, label, size_bytes)


def _raise_if_of_other_size(size: SizeCheck) -> None:
    if size.problem:
        raise DownloadRefusedError(size.problem, is_retryable=True)
