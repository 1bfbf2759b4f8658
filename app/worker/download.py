"""Brings one attachment to disk: streamed with the session's own cookies, or by a click where only that works.

A file counts only when it was checked: length as declared, content as its name says, no login page in disguise. The
stream lane is used wherever the page gives an address: memory stays flat, several files run side by side, and the
answer's status and redirects are seen. What the stream lane is refused is tried once through the browser.
"""

from __future__ import annotations

import contextlib
import email.message
import hashlib
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
from playwright.async_api import BrowserContext, Page
from playwright.async_api import Error as PlaywrightError

from app.archive.content import inspect
from app.domain.options import PortalOptions
from app.domain.task import MissedFile
from app.portal.pack import Pack
from app.portal.triage import address_matches
from app.processor.failures import SessionLostError
from app.worker.errors import PortalBusyError, PortalGoneError, first_line
from app.worker.presence import is_portal_gone
from app.worker.reading import PageLink
from app.worker.staged import Arrived

#: A browser follows twenty; portals need one or two.
_HOP_COUNT_MAX = 10
#: Login pages are small; a larger HTML file is no login page.
_LOGIN_PAGE_BYTES_MAX = 512 * 1024
_HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
#: Answers that another try can turn.
_PASSING = frozenset({408, 425, 500, 502, 503, 504})
#: Answers that may mean only that a program asked and not a browser.
_REFUSALS = frozenset({401, 403, 406})
_CLICK = """([selector, index]) => {
  const documents = (top) => [top, ...[...top.querySelectorAll("iframe, frame")]
    .flatMap((frame) => {
      try { return frame.contentDocument ? documents(frame.contentDocument) : []; } catch { return []; }
    })];
  documents(document).flatMap((part) => [...part.querySelectorAll(selector)])[index].click();
}"""
_CLICK_ADDRESS = """(address) => {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  document.body.append(link);
  link.click();
  link.remove();
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A file on disk, not looked at yet."""

    path: Path
    #: Name by the answer's own header; empty without one.
    disposition: str
    declared_type: str
    #: Length that the answer announced.
    declared_bytes: int | None
    source_url: str


class RefusedError(Exception):
    """A file was not handed out."""

    def __init__(self, problem: str, *, is_retryable: bool, is_for_browser: bool = False) -> None:
        """Keep what a report needs to know."""
        super().__init__(problem)
        self.is_retryable = is_retryable
        self.is_for_browser = is_for_browser


class Downloads:
    """Fetches the files of one session. One HTTP client for all tabs; cookies are asked of the browser each time."""

    def __init__(self, pack: Pack, portal: PortalOptions, context: BrowserContext, client: httpx.AsyncClient) -> None:
        """Made by ``open_downloads`` alone."""
        self._pack = pack
        self._portal = portal
        self._context = context
        self._client = client

    async def fetch(self, page: Page, link: PageLink, part: Path) -> Arrived | MissedFile:
        """Bring one file to ``part`` and check it.

        Raises:
            SessionLostError: The portal answered with its login page.
            PortalBusyError: The portal wants to be asked later.
            PortalGoneError: It is not there any more.
            OSError: The disk is full or not writable.
        """
        try:
            received = await self._receive(page, link, part)
            label = link.name(self._pack.attachments.names, received.disposition)
            return await self._check(received, label)
        except RefusedError as error:
            await self._stop_if_portal_is_gone(error)
            label = link.name(self._pack.attachments.names, "")
            return MissedFile(label=label, source_url=link.address, problem=str(error), is_retryable=error.is_retryable)

    async def _stop_if_portal_is_gone(self, refusal: RefusedError) -> None:
        """Ask at once when a file could not be had: a little later the portal may be back.

        Raises:
            PortalGoneError: Nobody answers at its address.
        """
        if refusal.is_retryable and await is_portal_gone(self._context, self._portal.base_url):
            raise PortalGoneError(str(refusal)) from refusal

    async def _receive(self, page: Page, link: PageLink, part: Path) -> Received:
        if not link.address:
            return await self._by_click(page, (_CLICK, [link.selector, link.index]), part, "")
        if not self._pack.may_fetch(self._portal.base_url, link.address):
            msg = f"it lies on another host, which the portal pack does not name: {link.address}"
            raise RefusedError(msg, is_retryable=False)
        try:
            return await self._by_stream(link.address, part)
        except RefusedError as error:
            refusal = error
        await self._stop_if_portal_is_gone(refusal)
        if not refusal.is_for_browser:
            raise refusal
        return await self._by_click(page, (_CLICK_ADDRESS, link.address), part, link.address)

    async def _by_stream(self, address: str, part: Path) -> Received:
        url = address
        for _ in range(_HOP_COUNT_MAX):
            try:
                async with self._ask(url) as answer:
                    if answer.has_redirect_location:
                        url = str(answer.url.join(answer.headers["location"]))
                        self._stop_at_login(url)
                        continue
                    return await self._save(answer, part, address)
            except httpx.TimeoutException as error:
                msg = f"no byte came for {self._pack.limits.stall_s:g} s"
                raise RefusedError(msg, is_retryable=True) from error
            except httpx.TransportError as error:
                msg = f"the transfer broke off ({first_line(error)})"
                is_for_browser = isinstance(error, httpx.ConnectError)
                raise RefusedError(msg, is_retryable=True, is_for_browser=is_for_browser) from error
        msg = "its address redirects without end"
        raise RefusedError(msg, is_retryable=False)

    @contextlib.asynccontextmanager
    async def _ask(self, url: str) -> AsyncGenerator[httpx.Response]:
        cookies = await self._context.cookies(url)
        crumbs = "; ".join(f"{cookie.get('name')}={cookie.get('value')}" for cookie in cookies)
        headers = {"Cookie": crumbs} if crumbs else {}
        async with self._client.stream("GET", url, headers=headers) as answer:
            yield answer

    async def _save(self, answer: httpx.Response, part: Path, address: str) -> Received:
        _stop_if_busy(answer)
        if answer.is_error:
            msg = f"the portal answered {answer.status_code} {answer.reason_phrase}".rstrip()
            raise RefusedError(
                msg,
                is_retryable=answer.status_code in _PASSING,
                is_for_browser=answer.status_code in _REFUSALS,
            )
        async with await anyio.open_file(part, "wb") as target:
            async for chunk in answer.aiter_bytes():
                await target.write(chunk)
        declared = answer.headers.get("content-length")
        return Received(
            path=part,
            disposition=_disposition_name(answer.headers.get("content-disposition", "")),
            declared_type=answer.headers.get("content-type", "").split(";")[0].strip().lower(),
            declared_bytes=int(declared) if declared and "content-encoding" not in answer.headers else None,
            source_url=address,
        )

    async def _by_click(self, page: Page, click: tuple[str, object], part: Path, address: str) -> Received:
        script, argument = click
        limit_ms = self._pack.limits.stall_s * 1000
        try:
            async with page.expect_download(timeout=limit_ms) as waiting:
                await page.evaluate(script, argument)
            download = await waiting.value
            (await download.path()).replace(part)
        except PlaywrightError as error:
            self._stop_at_login(page.url)
            msg = f"a click brought no file ({first_line(error)})"
            raise RefusedError(msg, is_retryable=True) from error
        return Received(
            path=part,
            disposition=download.suggested_filename,
            declared_type="",
            declared_bytes=None,
            source_url=address or download.url,
        )

    async def _check(self, received: Received, label: str) -> Arrived:
        """What the file truly is.

        Raises:
            RefusedError: It is not what it is called, or not whole.
            SessionLostError: It is the login page.
        """
        finding = await anyio.to_thread.run_sync(
            lambda: inspect(received.path, label, received.declared_type, declared_size_bytes=received.declared_bytes)
        )
        if finding.media_type in _HTML_TYPES and await anyio.to_thread.run_sync(_is_login_page, received.path):
            msg = f"the portal sent its login page instead of {label}"
            raise SessionLostError(msg)
        if finding.problems:
            raise RefusedError(" ".join(finding.problems), is_retryable=True)
        size_bytes, sha256 = await anyio.to_thread.run_sync(_fingerprint, received.path)
        return Arrived(
            path=received.path,
            label=label,
            size_bytes=size_bytes,
            sha256=sha256,
            media_type=finding.media_type,
            source_url=received.source_url,
        )

    def _stop_at_login(self, url: str) -> None:
        triage = self._pack.triage
        for marks, page in ((triage.session_lost, "login page"), (triage.second_factor, "page for a second factor")):
            if marks is not None and address_matches(marks, url):
                msg = f"the portal sent us to its {page} instead of a file"
                raise SessionLostError(msg)


def waiting_s(retry_after: str | None) -> float | None:
    """Seconds that a Retry-After header tells; one that names a date is answered by our own clock."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None


def _stop_if_busy(answer: httpx.Response) -> None:
    """A 503 alone may be the trouble of one file; with a time to come back it speaks for the portal."""
    retry_after = answer.headers.get("retry-after")
    is_pause = answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None
    if is_pause or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise PortalBusyError(answer.status_code, waiting_s(retry_after))


@contextlib.asynccontextmanager
async def open_downloads(
    pack: Pack, portal: PortalOptions, context: BrowserContext, user_agent: str
) -> AsyncGenerator[Downloads]:
    """Open the HTTP client that goes with a session.

    Args:
        pack: The portal's rules.
        portal: Where it is.
        context: Whose cookies are used.
        user_agent: The browser's own: some portals bind a session to it.
    """
    async with httpx.AsyncClient(
        follow_redirects=False,
        verify=ssl.create_default_context(),  # what this system trusts, as the browser does
        timeout=httpx.Timeout(pack.limits.stall_s),
        headers={"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"},
    ) as client:
        yield Downloads(pack, portal, context, client)


def _fingerprint(path: Path) -> tuple[int, str]:
    with path.open("rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


def _is_login_page(path: Path) -> bool:
    """An HTML page with a field for a password. An attachment that is a form of that kind does not exist."""
    if path.stat().st_size > _LOGIN_PAGE_BYTES_MAX:
        return False
    text = path.read_bytes().lower()
    return b'type="password"' in text or b"type='password'" in text or b"type=password" in text


def _disposition_name(header: str) -> str:
    """File name of a Content-Disposition header, the extended form first."""
    message = email.message.Message()
    message["content-disposition"] = header
    name = message.get_filename() or ""
    with contextlib.suppress(UnicodeError):  # raw UTF-8 that the HTTP layer read as Latin-1
        return name.encode("latin-1").decode("utf-8")
    return name
