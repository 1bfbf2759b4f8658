"""Our HTTP client, with the browser's proxy, certificates and cookies."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import httpx
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.options import BrowserOptions, Identity, PortalHeader, Proxy, Secret
from poolwright.portal.addresses import origin_of

if TYPE_CHECKING:
    from playwright._impl._api_structures import SetCookieParam

#: The expiry of a session cookie, as the driver expects it.
_NO_EXPIRY = -1.0
#: The pack limits what a portal is asked; a file that waits here for a connection would count as a silent portal.
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)
_SAME_SITE: Mapping[str, Literal["Lax", "None", "Strict"]] = {"strict": "Strict", "lax": "Lax", "none": "None"}


async def store_response_cookies(response: httpx.Response, context: BrowserContext) -> None:
    """Add the cookies of a response to the browser; a cookie that it refuses is skipped."""
    if "set-cookie" not in response.headers:
        return
    for cookie in response_cookies(response):
        with contextlib.suppress(PlaywrightError):
            await context.add_cookies([cookie])


def response_cookies(response: httpx.Response) -> Iterator[SetCookieParam]:
    """Yield the cookies that a response sets for allowed hosts; without those that it deletes."""
    jar = httpx.Cookies()
    jar.extract_cookies(response)
    for cookie in jar.jar:
        yield _cookie_param(cookie, response.url)


def _cookie_param(cookie: Cookie, url: httpx.URL) -> SetCookieParam:
    param: SetCookieParam = {
        "name": cookie.name,
        "value": cookie.value or "",
        # The cookie jar adds ".local" to a host name without a dot.
        "domain": cookie.domain if cookie.domain_specified else url.host,
        "path": cookie.path,
        "expires": float(cookie.expires) if cookie.expires else _NO_EXPIRY,
        "httpOnly": cookie.has_nonstandard_attr("HttpOnly"),
        "secure": cookie.secure and url.scheme == "https",
    }
    same_site = (cookie.get_nonstandard_attr("SameSite") or "").lower()
    if same_site in _SAME_SITE:
        param["sameSite"] = _SAME_SITE[same_site]
    return param


class PortalAuth(httpx.Auth):
    """Sends what the portal knows its visitor by: a header, and user and password once the portal has asked for them.

    As a browser does, it sends user and password without another question after the first one.
    """

    def __init__(self, header: PortalHeader | None, user: str, password: Secret) -> None:
        """Keep what is sent; an empty user is never sent."""
        self._header = header
        self._basic = httpx.BasicAuth(user, password.text) if user else None
        self._is_asked = False

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response]:
        """Add what is known, and answer the portal's question for user and password once."""
        if self._header is not None:
            request.headers[self._header.name] = self._header.value.text
        was_sent = self._is_asked
        response = yield from self._sent(request)
        if self._basic is None or was_sent or not _asks_for_basic(response):
            return
        self._is_asked = True
        yield from self._sent(request)

    def _sent(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, httpx.Response]:
        if self._basic is not None and self._is_asked:
            request = next(self._basic.auth_flow(request))
        return (yield request)


def _asks_for_basic(response: httpx.Response) -> bool:
    if response.status_code != HTTPStatus.UNAUTHORIZED:
        return False
    offers = response.headers.get_list("www-authenticate", split_commas=True)
    return any(offer.split(" ")[0].lower() == "basic" for offer in offers)


def _portal_auth(options: BrowserOptions) -> PortalAuth | None:
    if options.header is None and not options.http_user:
        return None
    return PortalAuth(options.header, options.http_user, options.http_password)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpClients:
    """The HTTP client for most hosts, and the one for hosts that may get the client certificate."""

    #: ``None`` if only a browser can use the proxy of this system.
    default: httpx.AsyncClient | None
    #: ``None`` if no client certificate is set.
    with_certificate: httpx.AsyncClient | None = None
    #: Origin of the portal: scheme, host and port.
    portal: str = ""
    #: What only the portal gets with a request: user and password if it asks for them, and the header of its pack.
    auth: PortalAuth | None = None
    #: Whether only a browser can log in to the portal: some ways bind a login to a connection.
    is_login_of_browser: bool = False
    #: Other hosts that may get the certificate; a name with a leading dot includes all its subdomains.
    hosts: tuple[str, ...] = ()

    def client_for(self, url: str) -> httpx.AsyncClient | None:
        """Return the client for an address; ``None`` if only a browser can request it."""
        if self.is_login_of_browser and self._is_portal(url):
            return None
        return (
            self.with_certificate
            if self.with_certificate is not None and self._may_get_certificate(url)
            else self.default
        )

    def auth_for(self, url: str) -> PortalAuth | None:
        """Return what is sent with a request to an address; ``None`` for every address but the portal's own."""
        return self.auth if self._is_portal(url) else None

    def _is_portal(self, url: str) -> bool:
        origin = origin_of(url)
        return origin is not None and origin == origin_of(self.portal)

    def _may_get_certificate(self, url: str) -> bool:
        origin = origin_of(url)
        if origin is None or origin.scheme != "https":
            return False
        is_named = any(
            f".{origin.host}".endswith(f".{name.removeprefix('.')}") for name in self.hosts if name[0] == "."
        )
        return is_named or origin.host in self.hosts or origin == origin_of(self.portal)


@contextlib.asynccontextmanager
async def open_http_clients(options: BrowserOptions, user_agent: str, stall_s: float) -> AsyncGenerator[HttpClients]:
    """Open the HTTP clients of a session.

    Args:
        options: The options of the browser.
        user_agent: The browser's User-Agent: some portals bind a session to it.
        stall_s: The longest time without a byte.
    """
    headers = {"User-Agent": user_agent, "Accept": "*/*", "Accept-Encoding": "identity"}
    trust = _trust(options.authorities)
    default = _client(options.proxy, trust, trust, headers, stall_s)
    certificate_context = (
        None if options.identity is None else _with_client_certificate(options.identity, _trust(options.authorities))
    )
    with_certificate = (
        None if certificate_context is None else _client(options.proxy, certificate_context, trust, headers, stall_s)
    )
    hosts = () if options.identity is None else options.identity.hosts
    async with default or contextlib.nullcontext(), with_certificate or contextlib.nullcontext():
        yield HttpClients(
            default=default,
            with_certificate=with_certificate,
            portal=options.http_origin,
            auth=_portal_auth(options),
            is_login_of_browser=options.is_login_of_browser,
            hosts=hosts,
        )


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
            limits=_LIMITS,
            headers=headers,
            cookies=_no_cookies(),
        )
    except (ImportError, ValueError, httpx.InvalidURL):
        return None


def _no_cookies() -> CookieJar:
    """Return a jar that keeps none: the browser has the cookies and decides with each request which are sent where."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def _trust(authorities: str) -> ssl.SSLContext:
    """Return a TLS context that trusts the authorities of this system, as the browser does, and of the settings."""
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(cadata=authorities)
    return context


def _with_client_certificate(identity: Identity, context: ssl.SSLContext) -> ssl.SSLContext:
    """Return the TLS context with the client certificate; ``ssl`` needs a key file, so a private one exists briefly."""
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
    """Return the hosts that bypass the proxy, in the form of httpx; ``None`` is its transport without a proxy."""
    names = () if proxy is None else proxy.bypass
    return {f"all://*{name}" if name.startswith(".") else f"all://{name}": None for name in names}
