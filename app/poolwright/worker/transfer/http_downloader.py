"""Downloads files by our HTTP client with the browser's cookies.

Used if a page gives an address: memory use is constant, several files run in parallel, and the status and the redirects
of a response are known. If this client is stricter than a browser, or is refused as a program, the browser downloads.
"""

from __future__ import annotations

import contextlib
import re
import ssl
import zlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import anyio
import httpx
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.concurrency import SystemClock
from poolwright.domain.options import BrowserOptions, PortalOptions
from poolwright.portal.addresses import is_sent_to, origin_of
from poolwright.portal.pack import Pack
from poolwright.worker.errors import PortalBusyError, first_line, raise_if_closed
from poolwright.worker.transfer.content_disposition import parse_content_disposition
from poolwright.worker.transfer.download_limits import DownloadAllowance, target_problem
from poolwright.worker.transfer.http_client import HttpClients, open_http_clients, store_response_cookies
from poolwright.worker.transfer.name_resolver import NameResolver
from poolwright.worker.transfer.received_file import (
    SUPPORTED_CODINGS,
    ContentDecoder,
    DownloadRefusedError,
    IncompleteDownloadError,
    ReceivedFile,
    announced_size,
    media_type,
    parse_content_encoding,
)
from poolwright.worker.transfer.resumption import Continuation, Resumption, total_size
from poolwright.worker.transfer.validators import NO_VALIDATORS, Validators

#: As many redirects as a browser follows.
_REDIRECT_COUNT_MAX = 20
#: Statuses of a response with a whole file; 206 has a part of it, and 202 has no file yet.
_FILE_STATUSES = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NON_AUTHORITATIVE_INFORMATION})
#: Statuses that may change at another try.
_RETRYABLE_STATUSES = frozenset({202, 206, 408, 425, 500, 502, 503, 504})
#: Statuses with which no browser gets a file either. With any other one the portal may have refused a program, or a
#: browser takes the content all the same.
_SURE_STATUSES = frozenset({202, 204, 205, 206, 304, 408, 410, 413, 425, 500, 501, 502, 503, 504})
#: Statuses that a lost login can cause.
_LOGIN_STATUSES = frozenset({401, 403})
#: How often the transfer of one file may go on after it broke off; each time it must have brought bytes.
RESUME_COUNT_MAX = 5
#: Bytes that are written at once: the small pieces of a connection would cost a change of threads each.
WRITE_BYTES = 1024 * 1024
#: Errors of a connection in the middle of a file. httpx does not wrap those of TLS.
_BROKEN = (httpx.TransportError, ssl.SSLError)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpText:
    """A page or an answer as the portal sent it."""

    url: str
    #: As declared, in lower case and without parameters.
    media_type: str
    text: str


class HttpDownloader:
    """Downloads the files of one session. All tabs share its clients; each request reads the browser's cookies."""

    def __init__(
        self,
        pack: Pack,
        portal: PortalOptions,
        context: BrowserContext,
        clients: HttpClients,
        resolver: NameResolver | None = None,
    ) -> None:
        """Keep the parts; created by ``open_http_downloader``."""
        self._resolver = resolver or NameResolver()
        self._pack = pack
        self._portal = portal
        self._context = context
        self._clients = clients

    async def fetch(
        self,
        address: str,
        part: Path,
        allowance: DownloadAllowance,
        known_names: tuple[str, ...],
        known: Validators = NO_VALIDATORS,
    ) -> ReceivedFile:
        """Download an address to ``part`` and return the file.

        Args:
            address: The address on the page.
            part: The path to write to.
            allowance: The bytes that the order may still download.
            known_names: The names that the page gives the file.
            known: The validators of the file that we have; if the portal answers that it is the same one, nothing is
                written.

        Raises:
            DownloadRefusedError: The file could not be downloaded.
            PortalBusyError: The portal is too busy.
            OSError: The disk is full or not writable.
        """
        url = address
        try:
            for _ in range(_REDIRECT_COUNT_MAX):
                async with self._request(url, known.condition) as response:
                    await store_response_cookies(response, self._context)
                    if known.condition and response.status_code == HTTPStatus.NOT_MODIFIED:
                        return ReceivedFile(path=part, source_url=address, is_unchanged=True)
                    if not response.has_redirect_location:
                        received = await self._receive(response, part, allowance, known_names)
                        final_url = address if url == address else str(response.url)
                        return replace(received, source_url=address, final_url=final_url)
                    url = _redirect_target(str(response.url), response.headers["location"])
                self._check_target(url)
        except httpx.TimeoutException as error:
            msg = f"no data was received for {self._pack.limits.stall_s:g} s"
            is_unconnected = isinstance(error, httpx.ConnectTimeout)
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=is_unconnected) from error
        # httpx does not wrap an SSLError after the handshake, as when a client certificate is missing.
        except (httpx.HTTPError, httpx.StreamError, ssl.SSLError, zlib.error) as error:
            msg = f"the transfer broke off ({first_line(error)})"
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True) from error
        except (httpx.InvalidURL, UnicodeError, PlaywrightError) as error:
            raise_if_closed(error)
            msg = f"its address is invalid ({first_line(error)})"
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True) from error
        msg = "its address redirects too many times"
        raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True)

    async def read(self, url: str, wishes: Mapping[str, str], limit_bytes: int) -> HttpText | None:
        """Read a page or an answer of the portal; ``None`` if it is no whole text with status 200 at this very address.

        Args:
            url: The address.
            wishes: Headers that say what is wanted.
            limit_bytes: The size beyond which it is none.

        Raises:
            playwright.async_api.Error: The browser, which has the cookies, is gone.
        """
        content = bytearray()
        try:
            async with self._request(url, wishes) as response:
                await store_response_cookies(response, self._context)
                codings = parse_content_encoding(response.headers.get("content-encoding", ""))
                if response.status_code != HTTPStatus.OK or "refresh" in response.headers or codings:
                    return None
                async for piece in response.aiter_raw():
                    content += piece
                    if len(content) > limit_bytes:
                        return None
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, ssl.SSLError, UnicodeError, DownloadRefusedError):
            return None
        declared = media_type(response.headers.get("content-type", ""))
        usual = "utf-8" if declared.endswith("json") else ""  # by its standard (RFC 8259, section 8.1)
        text = decode_sure(bytes(content), response.charset_encoding or usual)
        return None if text is None else HttpText(url=url, media_type=declared, text=text)

    async def check_origin(self, url: str) -> None:
        """Check that a file may come from an address, by its network.

        Raises:
            DownloadRefusedError: It is not on the internet, and the pack does not name its host.
        """
        await self._checked_address(url)

    async def _checked_address(self, url: str) -> str:
        """Return the network address to connect to; empty if the name is looked up again, by a proxy or by the client.

        Raises:
            DownloadRefusedError: It is not on the internet, and the pack does not name its host.
        """
        if origin_of(url) is None or self._pack.may_fetch(self._portal.base_url, url):
            return ""
        found = await self._resolver.resolve(url)
        if found.problem:
            raise DownloadRefusedError(found.problem, is_retryable=found.is_unresolved)
        return next(iter(found.usable), "")

    def _check_target(self, url: str) -> None:
        if problem := target_problem(self._pack, self._portal.base_url, url):
            raise DownloadRefusedError(problem, is_retryable=False)

    @contextlib.asynccontextmanager
    async def _request(self, url: str, condition: Mapping[str, str]) -> AsyncGenerator[httpx.Response]:
        cookies = await self._context.cookies(url)
        if not self._pack.may_have_cookies(self._portal.base_url, url):
            cookies = [cookie for cookie in cookies if not self._is_of_portal(cookie.get("domain", ""))]
        cookie_header = "; ".join(f"{cookie.get('name')}={cookie.get('value')}" for cookie in cookies)
        # As bytes: a browser sends a cookie as UTF-8, but this client refuses such text.
        headers = {b"Cookie": cookie_header.encode("utf-8", "replace")} if cookie_header else {}
        headers |= {name.encode(): value.encode() for name, value in condition.items()}
        client = self._clients.client_for(url)
        if client is None:
            msg = "only the browser can use the system's proxy, or log in to the portal"
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True)
        given = httpx.URL(url)
        target, extensions = given, {}
        if address := await self._checked_address(url):
            # The very address that was checked: a second look-up of the name might lead elsewhere.
            target, extensions = given.copy_with(host=address), {"sni_hostname": given.host}
            headers[b"Host"] = given.netloc
        auth = self._clients.auth_for(url)
        async with client.stream("GET", target, headers=headers, auth=auth, extensions=extensions) as response:
            response.request.url = given
            yield response

    def _is_of_portal(self, cookie_domain: str) -> bool:
        """Return whether the portal gets a cookie too: no storage and no host of others may see it."""
        portal = origin_of(self._portal.base_url)
        return portal is None or is_sent_to(portal.host, cookie_domain)

    async def _receive(
        self, response: httpx.Response, part: Path, allowance: DownloadAllowance, known_names: tuple[str, ...]
    ) -> ReceivedFile:
        """Save the file of a response; where its transfer breaks off, go on with the rest if the portal can send it."""
        file, answer, rest = response, response, None
        async with contextlib.AsyncExitStack() as requests:
            for _ in range(RESUME_COUNT_MAX):
                try:
                    return await self._save(file, answer, part, allowance, known_names)
                except _BROKEN as error:
                    broken = error
                size_bytes = (await anyio.Path(part).stat()).st_size
                earlier, rest = rest, Resumption.find(file.status_code, file.headers, size_bytes)
                if rest is None or (earlier is not None and rest.received_bytes <= earlier.received_bytes):
                    raise broken
                await answer.aclose()
                answer = await requests.enter_async_context(self._request(str(file.url), rest.headers))
                await store_response_cookies(answer, self._context)
                _raise_if_busy(answer)
                continuation = rest.judge(answer.status_code, answer.headers)
                if continuation is Continuation.NEITHER:
                    raise broken
                if continuation is Continuation.WHOLE:
                    file, rest = answer, None
            return await self._save(file, answer, part, allowance, known_names)

    async def _save(
        self,
        file: httpx.Response,
        answer: httpx.Response,
        part: Path,
        allowance: DownloadAllowance,
        known_names: tuple[str, ...],
    ) -> ReceivedFile:
        """Save a file.

        Args:
            file: The response that began the file, whose headers describe it.
            answer: The response to read: the same one, or one with the rest of the file.
            part: The path to write to; the rest is appended.
            allowance: The bytes that the order may still download.
            known_names: The names that the page gives the file.
        """
        declared = _checked_size(file)
        is_rest = answer is not file
        if is_rest:
            declared = declared or total_size(answer.headers)
        codings = parse_content_encoding(file.headers.get("content-encoding", ""))
        if not SUPPORTED_CODINGS.issuperset(codings):
            msg = f"it has a content encoding that only a browser can decode ({', '.join(codings)})"
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True)
        if not is_rest:
            allowance.check_announced(declared or 0)
        headers = [value for name, value in file.headers.raw if name.lower() == b"content-disposition"]
        disposition = parse_content_disposition(headers, known_names)
        try:
            size_bytes = await _write(answer, ContentDecoder(codings), part, allowance, is_rest=is_rest)
        except IncompleteDownloadError as error:
            error.label = disposition.name
            raise
        if size_bytes == 0 and "refresh" in file.headers:
            msg = "its address refers to another one"
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True)
        return ReceivedFile(
            path=part,
            disposition=disposition,
            declared_type=media_type(file.headers.get("content-type", "")),
            declared_bytes=declared,
            validators=Validators.read(file.headers),
        )


#: How a page names its encoding itself, within what a browser looks at.
_META_CHARSET = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_META_WITHIN_BYTES = 1024
#: Names by which browsers mean Windows-1252.
_OF_WINDOWS = frozenset({"iso-8859-1", "iso8859-1", "latin-1", "latin1", "us-ascii", "ascii"})


def decode_sure(content: bytes, charset: str) -> str | None:
    """Return a text as a browser reads it; ``None`` if a browser would have to guess its encoding, or it has errors.

    Args:
        content: The bytes.
        charset: The encoding by the header; empty if it names none.
    """
    named = _META_CHARSET.search(content[:_META_WITHIN_BYTES])
    label = (charset or (named[1].decode("ascii") if named else "")).lower()
    try:
        if not label:
            return content.decode("ascii")
        return content.decode("cp1252" if label in _OF_WINDOWS else label)
    except (UnicodeDecodeError, LookupError):
        return None


def _checked_size(response: httpx.Response) -> int | None:
    """Return the size that a response with a file announces; ``None`` if it announces none.

    Raises:
        DownloadRefusedError: It has no file.
        PortalBusyError: The portal is too busy.
    """
    _raise_if_busy(response)
    declared = announced_size(response.status_code, response.headers)
    is_whole_file = response.status_code == HTTPStatus.PARTIAL_CONTENT and declared is not None
    if response.status_code not in _FILE_STATUSES and not is_whole_file:
        raise DownloadRefusedError(
            f"the portal answered {response.status_code} {response.reason_phrase}".rstrip(),
            is_retryable=response.status_code in _RETRYABLE_STATUSES,
            is_for_browser=response.status_code not in _SURE_STATUSES,
            is_session_in_doubt=response.status_code in _LOGIN_STATUSES,
        )
    return declared


async def _write(
    response: httpx.Response, decoder: ContentDecoder, part: Path, allowance: DownloadAllowance, *, is_rest: bool
) -> int:
    """Write the content of a response, all of it that was received if it breaks off; return the size of the file."""
    async with await anyio.open_file(part, "ab" if is_rest else "wb") as target:
        size_bytes = await target.tell()
        pieces, broken = bytearray(), None
        try:
            async for chunk in response.aiter_raw():
                for piece in decoder.decode(chunk):
                    size_bytes += len(piece)
                    allowance.check(size_bytes)
                    pieces += piece
                    if len(pieces) >= WRITE_BYTES:
                        await target.write(pieces)
                        pieces.clear()
        except _BROKEN as error:
            broken = error
        await target.write(pieces)
        if broken is not None:
            raise broken
    if not decoder.is_complete:
        msg = "it was sent compressed, and its end is missing"
        raise IncompleteDownloadError(msg)
    return size_bytes


def _redirect_target(url: str, location: str) -> str:
    """Return the target of a redirect, read as leniently as by a browser; the text itself if it is no address."""
    path, mark, query = location.strip().partition("?")
    try:
        return urldefrag(urljoin(url, f"{path.replace(chr(92), '/')}{mark}{query}")).url
    except ValueError:
        return location


def parse_retry_after(retry_after: str | None, sent_at: str | None = None) -> float | None:
    """Return the seconds of a Retry-After header, which holds them or a date; ``None`` if there is none.

    Args:
        retry_after: The header.
        sent_at: The date of the response by the portal's own clock; that of this machine counts without one.
    """
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after)
    until = _http_date(retry_after)
    return None if until is None else max(0.0, (until - (_http_date(sent_at) or SystemClock().now())).total_seconds())


def _http_date(text: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _raise_if_busy(response: httpx.Response) -> None:
    """Raise for a busy portal; a 503 without Retry-After may concern this file only."""
    retry_after = response.headers.get("retry-after")
    is_pause = response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None
    if is_pause or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise PortalBusyError(response.status_code, parse_retry_after(retry_after, response.headers.get("date")))


@contextlib.asynccontextmanager
async def open_http_downloader(
    pack: Pack, portal: PortalOptions, context: BrowserContext, user_agent: str, browser: BrowserOptions
) -> AsyncGenerator[HttpDownloader]:
    """Open the HTTP downloader of a session.

    Args:
        pack: The portal's rules.
        portal: The address of the portal.
        context: The browser whose cookies are used.
        user_agent: The browser's User-Agent: some portals bind a session to it.
        browser: The proxy and the certificates of the browser.
    """
    async with open_http_clients(browser, user_agent, pack.limits.stall_s) as clients:
        yield HttpDownloader(pack, portal, context, clients, NameResolver(browser.proxy))
