"""Prints the mails among the files of an order as PDFs, to be filed beside them.

A mail is printed by the worker's own browser, in a page of its own without scripts and without a network: every request
of it is refused. A mail that cannot be printed costs the order nothing: a note says why.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import re
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import anyio.to_thread
from playwright.async_api import BrowserContext, Page, PdfMargins, Route
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import SizeLimits
from poolwright.domain.tasks import FetchedFile
from poolwright.worker.download.mails.mail_attachments import MailDamagedError
from poolwright.worker.download.mails.mail_files import INTERNET_TYPE, MAIL_MAX_BYTES, OUTLOOK_TYPE, mail_type
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.errors import first_line
from poolwright.worker.page.devtools import cdp_session, session_sender
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.received_file import DownloadRefusedError

if TYPE_CHECKING:
    from poolwright.worker.rendering.mail_document import MailDocument

#: A mail is printed in well under a second; one with thousands of pages must not hold its order.
PRINT_LIMIT_S = 30.0
#: Time for opening and for closing the page.
_PAGE_LIMIT_S = 15.0
_PDF_TYPE: Final = "application/pdf"
_PRINTED = frozenset({INTERNET_TYPE, OUTLOOK_TYPE})
_MARGIN: PdfMargins = {"top": "12mm", "right": "12mm", "bottom": "12mm", "left": "12mm"}
#: The time at which a PDF was made. It would make every printing of the same mail another file.
_TIME = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}")
_NO_TIME: Final = rb"\g<1>19700101000000"


class MailPrinter:
    """Prints the mails of one order."""

    def __init__(
        self,
        context: BrowserContext,
        sizes: SizeLimits,
        *,
        until: float = math.inf,
        known_files: Sequence[FetchedFile] = (),
    ) -> None:
        """Print with a browser.

        Args:
            context: The browser.
            sizes: The limits of one file and of the order, to which the PDFs count too.
            until: When the time of the order for its files is over, by the clock of anyio.
            known_files: The files that the order has. A mail that is the same keeps its PDF: that of another version of
                the browser would differ.
        """
        self._context = context
        self._sizes = sizes
        self._until = until
        self._known_files = known_files

    async def with_printed(self, files: Sequence[DownloadedFile], folder: Path) -> list[DownloadedFile]:
        """Return the files of an order, each mail followed by its PDF.

        Args:
            files: The checked files of the order.
            folder: The folder of the files, whose disk must have room.

        Raises:
            OSError: The disk is full or not writable.
        """
        if not any(mail_type(file) in _PRINTED for file in files):
            return list(files)
        is_page_needed = any(mail_type(file) in _PRINTED and self._known_pdf(file) is None for file in files)
        allowance = DownloadAllowance(self._sizes).for_folder(folder)
        printed: list[DownloadedFile] = []
        async with contextlib.AsyncExitStack() as pages:
            try:
                for file in files:
                    allowance.consume(file.size_bytes)
                page = await pages.enter_async_context(blind_page(self._context)) if is_page_needed else None
            except (DownloadRefusedError, PlaywrightError, TimeoutError) as error:
                return [_noted(file, first_line(error)) if mail_type(file) in _PRINTED else file for file in files]
            for file in files:
                printed += await self._print(file, page, allowance) if mail_type(file) in _PRINTED else [file]
        return printed

    async def _print(
        self, mail: DownloadedFile, page: Page | None, allowance: DownloadAllowance
    ) -> list[DownloadedFile]:
        known = self._known_pdf(mail)
        if known is not None or page is None:
            return [mail, *([known] if known is not None else [])]
        try:
            notes, pdf = await self._printed(mail, page, allowance)
        except MailDamagedError as error:
            return [_noted(mail, f"it is damaged ({error})")]
        except TimeoutError:
            return [_noted(mail, "it took too long")]
        except (PlaywrightError, DownloadRefusedError) as error:
            return [_noted(mail, first_line(error))]
        told = f"In the PDF of the mail {mail.label}: {'; '.join(notes)}."
        return [replace(mail, notes=(*mail.notes, told)) if notes else mail, pdf]

    async def _printed(
        self, mail: DownloadedFile, page: Page, allowance: DownloadAllowance
    ) -> tuple[tuple[str, ...], DownloadedFile]:
        """Return what the PDF of a mail does not show, and the PDF.

        Raises:
            DownloadRefusedError: It is too large, or its PDF is larger than allowed.
            MailDamagedError: It is damaged.
            TimeoutError: It takes too long.
            playwright.async_api.Error: The browser refuses.
            OSError: The disk is full or not writable.
        """
        if mail.size_bytes > MAIL_MAX_BYTES:
            msg = "it is too large"
            raise DownloadRefusedError(msg, is_retryable=False)
        document = await anyio.to_thread.run_sync(_document, mail)
        with anyio.fail_after(min(PRINT_LIMIT_S, self._until - anyio.current_time())):
            await page.set_content(document.html, timeout=PRINT_LIMIT_S * 1000)
            content = await page.pdf(format="A4", print_background=True, margin=_MARGIN)
        allowance.check_announced(len(content))
        pdf = await anyio.to_thread.run_sync(_write, mail, _TIME.sub(_NO_TIME, content))
        allowance.consume(pdf.size_bytes)
        return document.notes, pdf

    def _known_pdf(self, mail: DownloadedFile) -> DownloadedFile | None:
        """Return the PDF that the order has for this very mail; ``None`` if it has none."""
        if not any((file.label, file.sha256) == (mail.label, mail.sha256) for file in self._known_files):
            return None
        known = next((file for file in self._known_files if file.label == _label(mail)), None)
        if known is None or known.media_type != _PDF_TYPE:
            return None
        return replace(
            _pdf_of(mail),
            name=known.name,
            size_bytes=known.size_bytes,
            sha256=known.sha256,
            is_unchanged=True,
        )


@contextlib.asynccontextmanager
async def blind_page(context: BrowserContext) -> AsyncGenerator[Page]:
    """Open a page that runs no scripts and reaches no network, and close it at the end.

    Raises:
        playwright.async_api.Error: The browser opens no page.
        TimeoutError: It takes too long.
    """
    with anyio.fail_after(_PAGE_LIMIT_S):
        page = await context.new_page()
    try:
        with anyio.fail_after(_PAGE_LIMIT_S):
            await page.route("**/*", _refuse)
            send = session_sender(await cdp_session(page))
            await send("Emulation.setScriptExecutionDisabled", {"value": True})
        yield page
    finally:
        with anyio.move_on_after(_PAGE_LIMIT_S, shield=True), contextlib.suppress(PlaywrightError):
            await page.close()


async def _refuse(route: Route) -> None:
    with contextlib.suppress(PlaywrightError):  # the page is closed
        await route.abort()


def _document(mail: DownloadedFile) -> MailDocument:
    from poolwright.worker.rendering.mail_document import mail_document  # noqa: PLC0415 - few workers print mails
    from poolwright.worker.rendering.mail_message import read_mail  # noqa: PLC0415 - as above

    return mail_document(read_mail(mail.path.read_bytes(), mail_type(mail)))


def _write(mail: DownloadedFile, content: bytes) -> DownloadedFile:
    pdf = _pdf_of(mail)
    pdf.path.write_bytes(content)
    return replace(pdf, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())


def _pdf_of(mail: DownloadedFile) -> DownloadedFile:
    return DownloadedFile(
        path=mail.path.with_name(f"{mail.path.name}-printed"),
        label=_label(mail),
        name=f"{mail.name or mail.label}.pdf",
        is_name_given=True,
        size_bytes=0,
        sha256="",
        media_type=_PDF_TYPE,
        source_url=mail.source_url,
        source=mail.source,
        section=mail.section,
    )


def _label(mail: DownloadedFile) -> str:
    return f"{mail.label} (printed)"


def _noted(mail: DownloadedFile, cause: str) -> DownloadedFile:
    return replace(mail, notes=(*mail.notes, f"The mail {mail.label} has no PDF beside it: {cause.rstrip('.')}."))
