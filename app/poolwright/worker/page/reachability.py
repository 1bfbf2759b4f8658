"""Checks whether the portal can be reached, and explains to people how to cure it if it cannot.

The browser itself is asked, by the way that its pages take: it alone knows the proxies, the names behind them, and the
certificates.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType

import anyio
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.portal.addresses import origin_of
from poolwright.worker.errors import first_line, is_no_answer
from poolwright.worker.page.devtools import SendCommand, target_sender

_LIMIT_S = 5.0


async def is_portal_unreachable(context: BrowserContext, base_url: str) -> bool:
    """Return whether the portal's address no longer answers; ``False`` if the browser itself is gone."""
    pages = context.pages  # none once it is gone
    with anyio.move_on_after(_LIMIT_S), contextlib.suppress(PlaywrightError):
        return bool(pages) and await _is_unanswered(await target_sender(pages[0]), base_url)
    return False


async def _is_unanswered(send: SendCommand, url: str) -> bool:
    tree = await send("Page.getFrameTree", {})
    ask = {
        "frameId": tree["frameTree"]["frame"]["id"],
        "url": url,
        "options": {"disableCache": True, "includeCredentials": False},
    }
    answer = (await send("Network.loadNetworkResource", ask))["resource"]
    if "stream" in answer:
        await send("IO.close", {"handle": answer["stream"]})
    return not answer.get("httpStatusCode") and is_no_answer(str(answer.get("netErrorName", "")))


_CODE = re.compile(r"net::ERR_\w+")
#: Where it says that it was on its way to.
_PLACE = re.compile(r" at (https?://\S+)")
_UNTRUSTED = (
    "this machine does not trust the portal's certificate; name the certificate of the authority that signed it with "
    "ca_file (POOLWRIGHT_CA_FILE), or put it into this system's own store where that is Windows or macOS"
)
_UNKNOWN = (
    "the portal requires a client certificate, and got none or rejects the one that it was shown; check "
    "client_cert and client_key (POOLWRIGHT_CLIENT_CERT …), and ask those who run the portal whether they know it"
)
_FOREIGN = (
    "that host requires a client certificate, and got none or rejects the one that it was shown; name it in "
    "client_cert_hosts (POOLWRIGHT_CLIENT_CERT_HOSTS) if it may see that of client_cert"
)
#: Some servers let everybody in, and then answer so whoever showed no certificate, or one that they do not take.
_UNSHOWN = (
    "if it requires a client certificate, check client_cert and client_key (POOLWRIGHT_CLIENT_CERT …): some "
    "portals answer so for want of the right one"
)
_ENDED = (
    "the connection was accepted and then closed: by the portal, or by something in between, such as a proxy "
    f"or a firewall. See whether base_url (POOLWRIGHT_BASE_URL) names the right port; {_UNSHOWN}"
)
#: How the browser says that a connection was made and then ended by the other side.
_ENDINGS = tuple(
    f"net::ERR_{what}" for what in ("CONNECTION_ABORTED", "CONNECTION_CLOSED", "CONNECTION_RESET", "EMPTY_")
)
_OF_PROXY = (
    "the proxy does not answer, or rejects this machine; check proxy, proxy_user and proxy_password "
    "(POOLWRIGHT_PROXY …), and https_proxy in the environment"
)
#: How the browser begins to name what is wrong, the narrower words first.
_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "net::ERR_CERT_COMMON_NAME_INVALID": "the portal's certificate is for another host; look at base_url "
        "(POOLWRIGHT_BASE_URL)",
        "net::ERR_CERT_DATE_INVALID": "the portal's certificate expired or is not valid yet; check the clock of this "
        "machine, and else tell those who run the portal",
        "net::ERR_CERT_": _UNTRUSTED,
        "net::ERR_SSL_CLIENT_AUTH_": _UNKNOWN,
        "net::ERR_BAD_SSL_CLIENT_AUTH_": _UNKNOWN,
        # The refusal came, and the end of the connection before it was read: Chromium tells the later one.
        "net::ERR_SOCKET_NOT_CONNECTED": f"the portal ended the connection as soon as it was made; {_UNSHOWN}",
        **dict.fromkeys(_ENDINGS, _ENDED),
        "net::ERR_SSL_": "no secure connection can be made; check the portal's certificate and any proxy in between",
        "net::ERR_INVALID_AUTH_CREDENTIALS": "the portal, or a proxy, asks for a user and password of HTTP's own; set "
        "http_user and http_password (POOLWRIGHT_HTTP_USER …), or proxy_user and proxy_password",
        "net::ERR_PROXY_": _OF_PROXY,
        "net::ERR_TUNNEL_": _OF_PROXY,
        "net::ERR_MANDATORY_PROXY_": _OF_PROXY,
        "net::ERR_SOCKS_": _OF_PROXY,
    }
)


def remedy(text: str, base_url: str, address: str = "") -> str:
    """What can be done about what the browser says; empty where nothing is known.

    Args:
        text: It.
        base_url: Where the portal is.
        address: Where the browser was on its way to, if it does not say so itself.
    """
    code, place = _CODE.search(text), _PLACE.search(text)
    asked, portal = origin_of(place[1] if place else address), origin_of(base_url)
    step = next((told for start, told in _REMEDIES.items() if code and code.group().startswith(start)), "")
    if not step or asked is None or asked == portal:
        return step
    return f"the portal leads to {asked.host}, and {_FOREIGN}" if step is _UNKNOWN else f"{asked.host}: {step}"


def remedy_for_status(status: int) -> str:
    """What can be done about an answer, by its status alone; empty where nothing is known."""
    return _UNSHOWN if status == HTTPStatus.BAD_REQUEST else ""


def describe_failure(base_url: str, error: PlaywrightError) -> str:
    """One sentence: that nobody answers, or that somebody does and the browser does not take it, or is sent away."""
    step = remedy(error.message, base_url)
    what = "does not answer" if is_no_answer(error.message) and not _is_ended(error.message) else "cannot be opened"
    return f"The portal {base_url} {what} ({first_line(error)})" + (f": {step}." if step else ".")


def _is_ended(text: str) -> bool:
    code = _CODE.search(text)
    return code is not None and code.group().startswith(_ENDINGS)
