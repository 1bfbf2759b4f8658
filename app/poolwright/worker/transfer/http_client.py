"""Our own HTTP client, with the browser's proxy, certificates and cookies."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import Cookie
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import httpx
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import BrowserOptions, Identity, Proxy
from poolwright.portal.addresses import origin_of

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

#: What a browser understands by no expiry.
_OF_SESSION = -1.0
_SAME_SITE: Mapping[str, Literal["Lax", "None", "Strict"]] = {"strict": "Strict", "lax": "Lax", "none": "None"}


async def store_response_cookies(answer: httpx.Response, context: BrowserContext) -> None:
    """Give the browser what an answer sets. One that it does not take is passed over."""
    if "set-cookie" not in answer.headers:
        return
    for cookie in response_cookies(answer):
        with contextlib.suppress(PlaywrightError):
            await context.add_cookies([cookie])


def response_cookies(answer: httpx.Response) -> Iterator[SetCookieParam]:
    """The cookies that an answer sets, for the hosts for which it may; none that it takes away."""
    jar = httpx.Cookies()
    jar.extract_cookies(answer)
    for cookie in jar.jar:
        yield _cookie_param(cookie, answer.url)


def _cookie_param(cookie: Cookie, url: httpx.URL) -> SetCookieParam:
    told: SetCookieParam = {
        "name": cookie.name,
        "value": cookie.value or "",
        # The library calls a host without a dot by another name.
        "domain": cookie.domain if cookie.domain_specified else url.host,
        "path": cookie.path,
        "expires": float(cookie.expires) if cookie.expires else _OF_SESSION,
        "httpOnly": cookie.has_nonstandard_attr("HttpOnly"),
        "secure": cookie.secure and url.scheme == "https",
    }
    same_site = (cookie.get_nonstandard_attr("SameSite") or "").lower()
    if same_site in _SAME_SITE:
        told["sameSite"] = _SAME_SITE[same_site]
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpClients:
    """A client for all places but those that are shown a certificate if they ask, and one for these."""

    #: Nothing where the proxy of this system is of a kind that only a browser can use.
    default: httpx.AsyncClient | None
    #: Nothing where there is no certificate to show.
    with_certificate: httpx.AsyncClient | None = None
    #: Scheme, host and port.
    portal: str = ""
    #: Who else is shown it; a name with a dot in front stands for all below it.
    hosts: tuple[str, ...] = ()

    def client_for(self, url: str) -> httpx.AsyncClient | None:
        """The one that may ask for this address."""
        return self.with_certificate if self.with_certificate is not None and self._may_see(url) else self.default

    def _may_see(self, url: str) -> bool:
        place = origin_of(url)
        if place is None or place.scheme != "https":
            return False
        is_named = any(f".{place.host}".endswith(f".{name.removeprefix('.')}") for name in self.hosts if name[0] == ".")
        return is_named or place.host in self.hosts or place == origin_of(self.portal)


@contextlib.asynccontextmanager
async def open_http_clients(options: BrowserOptions, user_agent: str, stall_s: float) -> AsyncGenerator[HttpClients]:
    """Open the clients that go with a browser.

    Args:
        options: The browser's own.
        user_agent: Of the browser: some portals bind a session to it.
        stall_s: How long nothing may come.
    """
    headers = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
    trust = _trust(options.authorities)
    usual = _client(options.proxy, trust, trust, headers, stall_s)
    shown = None if options.identity is None else _showing(options.identity, _trust(options.authorities))
    showing = None if shown is None else _client(options.proxy, shown, trust, headers, stall_s)
    hosts = () if options.identity is None else options.identity.hosts
    async with usual or contextlib.nullcontext(), showing or contextlib.nullcontext():
        yield HttpClients(default=usual, with_certificate=showing, portal=options.http_origin, hosts=hosts)


def _client(
    proxy: Proxy | None, verify: ssl.SSLContext, to_proxy: ssl.SSLContext, headers: dict[str, str], stall_s: float
) -> httpx.AsyncClient | None:
    try:
        return httpx.AsyncClient(
            follow_redirects=False,
            proxy=_proxy_of(proxy, to_proxy),
            mounts=_mounts(proxy),
            verify=verify,
            timeout=httpx.Timeout(stall_s),
            headers=headers,
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        return None


def _trust(authorities: str) -> ssl.SSLContext:
    """What this system trusts, as the browser does, and what the settings name beside it."""
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(cadata=authorities)
    return context


def _showing(identity: Identity, context: ssl.SSLContext) -> ssl.SSLContext:
    """Python reads a key from a file alone: there is one for a moment, which nobody else may read."""
    with tempfile.TemporaryDirectory(prefix="key-") as folder:
        path = Path(folder, "own.pem")
        path.write_text(identity.key.text + identity.chain, encoding="ascii")
        context.load_cert_chain(path)
    return context


def _proxy_of(proxy: Proxy | None, context: ssl.SSLContext) -> httpx.Proxy | None:
    if proxy is None:
        return None
    auth = (proxy.user, proxy.password.text) if proxy.user else None
    return httpx.Proxy(proxy.address, auth=auth, ssl_context=context if proxy.address.startswith("https") else None)


def _mounts(proxy: Proxy | None) -> dict[str, httpx.AsyncBaseTransport | None]:
    """What goes past a proxy, in the client's words; nothing in place of a transport is its own, without a proxy."""
    names = () if proxy is None else proxy.bypass
    return {f"all://*{name}" if name.startswith(".") else f"all://{name}": None for name in names}
