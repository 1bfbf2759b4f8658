"""Downloads files by our own HTTP client with the browser's cookies.

Used wherever a page gives an address: memory stays flat, several files run side by side, and the answer's status and
redirects are seen. Where this client is stricter than a browser, or is taken for a program, it steps aside.
"""

from __future__ import annotations

import contextlib
import ssl
import zlib
from collections.abc import AsyncGenerator
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import anyio
import httpx
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import BrowserOptions, PortalOptions
from poolwright.portal.addresses import origin_of
from poolwright.portal.pack import Pack
from poolwright.worker.errors import PortalBusyError, first_line, raise_if_closed
from poolwright.worker.transfer.content_disposition import parse_content_disposition
from poolwright.worker.transfer.download_limits import DownloadAllowance, network_problem, target_problem
from poolwright.worker.transfer.http_client import HttpClients, open_http_clients, store_response_cookies
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

#: As many as a browser follows.
_HOP_COUNT_MAX = 20
#: Answers that bring a file. One that brings a part of it, or nothing yet, brings none.
_WHOLE = frozenset({HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NON_AUTHORITATIVE_INFORMATION})
#: Answers that another try can turn.
_PASSING = frozenset({202, 206, 408, 425, 500, 502, 503, 504})
#: Answers that may mean only that a program asked and not a browser.
_REFUSALS = frozenset({400, 401, 403, 406, 407, 412})
#: Answers that somebody gets, too, who is logged out.
_DOUBTFUL = frozenset({401, 403})


class HttpDownloader:
    """Asks for the files of one session. The same clients for all tabs; cookies are asked of the browser each time."""

    def __init__(self, pack: Pack, portal: PortalOptions, context: BrowserContext, clients: HttpClients) -> None:
        """Made by ``open_file_stream`` alone."""
        self._pack = pack
        self._portal = portal
        self._context = context
        self._clients = clients

    async def fetch(
        self, address: str, part: Path, allowance: DownloadAllowance, known: tuple[str, ...]
    ) -> ReceivedFile:
        """Bring what an address holds to ``part``.

        Args:
            address: Where the page says that the file is.
            part: Where it is written.
            allowance: What the order may still bring.
            known: How the page calls the file.

        Raises:
            RefusedError: It was not handed out, or not to us.
            PortalBusyError: The portal wants to be asked later.
            OSError: The disk is full or not writable.
        """
        url = address
        try:
            for _ in range(_HOP_COUNT_MAX):
                async with self._ask(url) as answer:
                    await store_response_cookies(answer, self._context)
                    if not answer.has_redirect_location:
                        received = await self._save(answer, part, allowance, known)
                        return _at(received, address, str(answer.url))
                    url = _joined(str(answer.url), answer.headers["location"])
                await self._check_target(url)
        except httpx.TimeoutException as error:
            msg = f"no data was received for {self._pack.limits.stall_s:g} s"
            is_unheard = isinstance(error, httpx.ConnectTimeout)
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=is_unheard) from error
        # The client hands a refusal on as it is that comes after the greeting, as for want of a certificate.
        except (httpx.HTTPError, httpx.StreamError, ssl.SSLError, zlib.error) as error:
            msg = f"the transfer broke off ({first_line(error)})"
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True) from error
        except (httpx.InvalidURL, UnicodeError, PlaywrightError) as error:
            raise_if_closed(error)
            msg = f"its address is invalid ({first_line(error)})"
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True) from error
        msg = "its address redirects too many times"
        raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True)

    async def check_origin(self, url: str) -> None:
        """See whether a file may come from where the browser found it.

        Raises:
            RefusedError: Its network is none of the portal's.
        """
        host = origin_of(url)
        if host is None or self._pack.may_fetch(self._portal.base_url, url):
            return
        problem = network_problem(host.host, await _addresses(url), await _addresses(self._portal.base_url))
        if problem:
            raise DownloadRefusedError(problem, is_retryable=False)

    async def _check_target(self, url: str) -> None:
        if problem := target_problem(self._pack, self._portal.base_url, url):
            raise DownloadRefusedError(problem, is_retryable=False)
        await self.check_origin(url)

    @contextlib.asynccontextmanager
    async def _ask(self, url: str) -> AsyncGenerator[httpx.Response]:
        cookies = await self._context.cookies(url)
        crumbs = "; ".join(f"{cookie.get('name')}={cookie.get('value')}" for cookie in cookies)
        # As bytes: a browser sends the letters of a cookie as UTF-8, and this client would refuse them.
        headers = {b"Cookie": crumbs.encode("utf-8", "replace")} if crumbs else {}
        client = self._clients.client_for(url)
        if client is None:
            msg = "only the browser can use the system's proxy"
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True)
        async with client.stream("GET", url, headers=headers) as answer:
            yield answer

    async def _save(
        self, answer: httpx.Response, part: Path, allowance: DownloadAllowance, known: tuple[str, ...]
    ) -> ReceivedFile:
        _raise_if_busy(answer)
        declared = announced_size(answer.status_code, answer.headers)
        is_all_there_is = answer.status_code == HTTPStatus.PARTIAL_CONTENT and declared is not None
        if answer.status_code not in _WHOLE and not is_all_there_is:
            raise DownloadRefusedError(
                f"the portal answered {answer.status_code} {answer.reason_phrase}".rstrip(),
                is_retryable=answer.status_code in _PASSING,
                is_for_browser=answer.status_code in _REFUSALS,
                is_session_in_doubt=answer.status_code in _DOUBTFUL,
            )
        codings = parse_content_encoding(answer.headers.get("content-encoding", ""))
        if not SUPPORTED_CODINGS.issuperset(codings):
            msg = f"it has a content encoding that only a browser can decode ({', '.join(codings)})"
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True)
        allowance.check_announced(declared or 0)
        size_bytes = await _written(answer, ContentDecoder(codings), part, allowance)
        if size_bytes == 0 and "refresh" in answer.headers:
            msg = "its address refers to another one"
            raise DownloadRefusedError(msg, is_retryable=True, is_for_browser=True)
        headers = [value for name, value in answer.headers.raw if name.lower() == b"content-disposition"]
        return ReceivedFile(
            path=part,
            disposition=parse_content_disposition(headers, known),
            declared_type=media_type(answer.headers.get("content-type", "")),
            declared_bytes=declared,
        )


async def _written(answer: httpx.Response, unpacking: ContentDecoder, part: Path, allowance: DownloadAllowance) -> int:
    """Write the content of an answer; its size."""
    size_bytes = 0
    async with await anyio.open_file(part, "wb") as target:
        async for chunk in answer.aiter_raw():
            for piece in unpacking.decode(chunk):
                size_bytes += len(piece)
                allowance.check(size_bytes)
                await target.write(piece)
    if not unpacking.is_complete:
        msg = "it was sent compressed, and its end is missing"
        raise IncompleteDownloadError(msg)
    return size_bytes


def _at(received: ReceivedFile, source_url: str, final_url: str) -> ReceivedFile:
    return ReceivedFile(
        path=received.path,
        disposition=received.disposition,
        declared_type=received.declared_type,
        declared_bytes=received.declared_bytes,
        source_url=source_url,
        final_url=final_url,
    )


def _joined(url: str, location: str) -> str:
    """Where a redirect leads; the text itself where that is no address."""
    try:
        return urldefrag(urljoin(url, location)).url
    except ValueError:
        return location


def parse_retry_after(retry_after: str | None) -> float | None:
    """Seconds that a Retry-After header tells; one that names a date is answered by our own clock."""
    return float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None


def _raise_if_busy(answer: httpx.Response) -> None:
    """A 503 alone may be the trouble of one file; with a time to come back it speaks for the portal."""
    retry_after = answer.headers.get("retry-after")
    is_pause = answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE and retry_after is not None
    if is_pause or answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise PortalBusyError(answer.status_code, parse_retry_after(retry_after))


async def _addresses(url: str) -> tuple[str, ...]:
    """The addresses of a host in the network; none where it has no name here, as behind a proxy."""
    origin = origin_of(url)
    if origin is None:
        return ()
    try:
        found = await anyio.getaddrinfo(origin.host, origin.port)
    except (OSError, UnicodeError):
        return ()
    return tuple(str(place[0]) for *_, place in found)


@contextlib.asynccontextmanager
async def open_http_downloader(
    pack: Pack, portal: PortalOptions, context: BrowserContext, user_agent: str, browser: BrowserOptions
) -> AsyncGenerator[HttpDownloader]:
    """Open the HTTP clients that go with a session.

    Args:
        pack: The portal's rules.
        portal: Where it is.
        context: Whose cookies are used.
        user_agent: The browser's own: some portals bind a session to it.
        browser: By which proxy it goes, and what it is told of certificates.
    """
    async with open_http_clients(browser, user_agent, pack.limits.stall_s) as clients:
        yield HttpDownloader(pack, portal, context, clients)
