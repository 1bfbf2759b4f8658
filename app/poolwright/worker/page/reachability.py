"""Checks whether the portal can be reached, and finds the next step for a person if it cannot.

The browser makes the request as its pages do: it alone knows its proxies, the names that they resolve, and its
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
    pages = context.pages  # empty once the browser is gone
    with anyio.move_on_after(_LIMIT_S), contextlib.suppress(PlaywrightError):
        return bool(pages) and await _is_unanswered(await target_sender(pages[0]), base_url)
    return False


async def _is_unanswered(send: SendCommand, url: str) -> bool:
    tree = await send("Page.getFrameTree", {})
    request = {
        "frameId": tree["frameTree"]["frame"]["id"],
        "url": url,
        "options": {"disableCache": True, "includeCredentials": False},
    }
    resource = (await send("Network.loadNetworkResource", request))["resource"]
    if "stream" in resource:
        await send("IO.close", {"handle": resource["stream"]})
    return not resource.get("httpStatusCode") and is_no_answer(str(resource.get("netErrorName", "")))


_CODE = re.compile(r"net::ERR_\w+")
#: The address in the text of a browser error.
_ADDRESS = re.compile(r" at (https?://\S+)")
_UNTRUSTED = (
    "this machine does not trust the portal's certificate; set ca_file (POOLWRIGHT_CA_FILE) to the certificate of the "
    "authority that signed it, or on Windows and macOS add that certificate to the system's store"
)
_UNKNOWN = (
    "the portal requires a client certificate, and it got none or rejected the one it got; check client_cert and "
    "client_key (POOLWRIGHT_CLIENT_CERT …), and ask the portal's operator whether the certificate is registered"
)
_FOREIGN = (
    "that host requires a client certificate, and it got none or rejected the one it got; add the host to "
    "client_cert_hosts (POOLWRIGHT_CLIENT_CERT_HOSTS) if client_cert may be sent to it"
)
#: Some servers accept every connection, and refuse each request without the right certificate.
_NO_CERTIFICATE = (
    "if it requires a client certificate, check client_cert and client_key (POOLWRIGHT_CLIENT_CERT …): some "
    "portals answer like this if the right one is missing"
)
_ENDED = (
    "the connection was accepted and then closed, by the portal or by a proxy or firewall in between. Check the port "
    f"in base_url (POOLWRIGHT_BASE_URL); {_NO_CERTIFICATE}"
)
#: Browser errors for a connection that was made and then closed by the other side.
_ENDINGS = tuple(
    f"net::ERR_{name}" for name in ("CONNECTION_ABORTED", "CONNECTION_CLOSED", "CONNECTION_RESET", "EMPTY_")
)
_OF_PROXY = (
    "the proxy does not answer, or rejects this machine; check proxy, proxy_user and proxy_password "
    "(POOLWRIGHT_PROXY …), and https_proxy in the environment"
)
#: The next step by the first letters of a browser error, longer prefixes first.
_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "net::ERR_CERT_COMMON_NAME_INVALID": "the portal's certificate is for another host; check base_url "
        "(POOLWRIGHT_BASE_URL)",
        "net::ERR_CERT_DATE_INVALID": "the portal's certificate expired or is not valid yet; check the clock of this "
        "machine; if it is right, tell the portal's operator",
        "net::ERR_CERT_": _UNTRUSTED,
        "net::ERR_SSL_CLIENT_AUTH_": _UNKNOWN,
        "net::ERR_BAD_SSL_CLIENT_AUTH_": _UNKNOWN,
        # The portal refused and closed the connection before Chromium read the refusal, so only the close is reported.
        "net::ERR_SOCKET_NOT_CONNECTED": f"the portal closed the connection as soon as it was made; {_NO_CERTIFICATE}",
        **dict.fromkeys(_ENDINGS, _ENDED),
        "net::ERR_SSL_": "no secure connection can be made; check the portal's certificate and any proxy in between",
        "net::ERR_INVALID_AUTH_CREDENTIALS": "the portal or a proxy asks for HTTP authentication; set "
        "http_user and http_password (POOLWRIGHT_HTTP_USER …), or proxy_user and proxy_password",
        "net::ERR_PROXY_": _OF_PROXY,
        "net::ERR_TUNNEL_": _OF_PROXY,
        "net::ERR_MANDATORY_PROXY_": _OF_PROXY,
        "net::ERR_SOCKS_": _OF_PROXY,
    }
)


def remedy(text: str, base_url: str, address: str = "") -> str:
    """Return the next step for a browser error; empty if none is known.

    Args:
        text: The text of the error.
        base_url: The address of the portal.
        address: The address that the browser was opening, for a text that does not contain it.
    """
    code, match = _CODE.search(text), _ADDRESS.search(text)
    target, portal = origin_of(match[1] if match else address), origin_of(base_url)
    step = next((sentence for start, sentence in _REMEDIES.items() if code and code.group().startswith(start)), "")
    if not step or target is None or target == portal:
        return step
    return f"the portal redirects to {target.host}, and {_FOREIGN}" if step is _UNKNOWN else f"{target.host}: {step}"


#: The name of a scheme at the beginning of a challenge, which may be followed by parameters with values of their own.
_SCHEME = re.compile(r"(?:^|,\s*)([A-Za-z][A-Za-z0-9-]*)(?=\s+[^=\s,]|\s*,|\s*$)")


def authentication_schemes(header: str) -> tuple[str, ...]:
    """Return the schemes that a ``WWW-Authenticate`` header names, such as ``Basic`` and ``Negotiate``."""
    return tuple(dict.fromkeys(_SCHEME.findall(header)))


#: The schemes that a browser answers with user and password.
_ANSWERED = frozenset({"basic", "digest", "ntlm"})


def remedy_for_challenge(schemes: str, *, is_login: bool) -> str:
    """Return the sentence on a portal that asks for HTTP authentication.

    Args:
        schemes: The schemes that it offers.
        is_login: Whether its pack says that this is its login, with user and password of the login.
    """
    if not _ANSWERED.intersection(schemes.casefold().split(", ")):
        possible = "only Basic, Digest and NTLM are possible"
        return f"it asks for HTTP authentication by {schemes}, which Poolwright cannot answer; {possible}"
    names = "user and password (POOLWRIGHT_USER, POOLWRIGHT_PASSWORD)"
    names = names if is_login else "http_user and http_password (POOLWRIGHT_HTTP_USER …)"
    return f"it asks for HTTP authentication, and got no user and password or rejected them; check {names}"


def remedy_for_status(status: int) -> str:
    """Return the next step for the HTTP status of a response; empty if none is known."""
    return _NO_CERTIFICATE if status == HTTPStatus.BAD_REQUEST else ""


def describe_failure(base_url: str, error: PlaywrightError) -> str:
    """Return one sentence: the portal does not answer, or its answer is refused, and the next step if it is known."""
    step = remedy(error.message, base_url)
    problem = "does not answer" if is_no_answer(error.message) and not _is_ended(error.message) else "cannot be opened"
    return f"The portal {base_url} {problem} ({first_line(error)})" + (f": {step}." if step else ".")


def _is_ended(text: str) -> bool:
    code = _CODE.search(text)
    return code is not None and code.group().startswith(_ENDINGS)
