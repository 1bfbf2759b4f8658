"""ASGI middleware: security headers, path prefix, request limits, and authentication.

All of them are plain ASGI in front of the framework, which would read and parse a body before it checks the token. A
body is counted while it arrives, so that no more than its limit is ever held in memory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address
from types import MappingProxyType

import anyio
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poolwright.service.api.errors import problem_response
from poolwright.service.api.token_auth import TokenAuth

#: For responses that do not set these headers. Data is never a page: a browser that opens it runs no script.
SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)


class SecurityHeadersMiddleware:
    """Adds security headers to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap ``app``."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and add the headers to its response."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class PathPrefixMiddleware:
    """Makes an application available below a path prefix, too."""

    def __init__(self, app: ASGIApp, prefix: str, is_own: Callable[[str], bool]) -> None:
        """Wrap ``app``.

        Args:
            app: The application.
            prefix: Begins with a slash and has no trailing slash; empty for no prefix.
            is_own: Returns whether the application has a path. A prefix may equal the beginning of one of our paths
                (``/api``): the rest of a request's path shows whether the proxy has removed the prefix already.
        """
        self._app = app
        self._prefix = prefix
        self._is_own = is_own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on without the prefix; redirect to a trailing slash, which relative links need."""
        path: str = scope.get("path", "")
        if self._prefix and scope["type"] == "http" and path == self._prefix:
            response = RedirectResponse(f"{self._prefix}/", HTTPStatus.PERMANENT_REDIRECT)
            await response(scope, receive, send)
            return
        rest = path.removeprefix(self._prefix)
        if self._prefix and path.startswith(f"{self._prefix}/") and self._is_own(rest):
            scope = {**scope, "path": rest, "raw_path": None}
        await self._app(scope, receive, send)


#: Host names of this machine for itself. A web page that uses DNS rebinding sends its own name instead.
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

#: Size and time limit for discarding the body of a request that is too large, before it is answered.
DISCARD_BYTES, DISCARD_S = 64 * 1024 * 1024, 10.0
_CLOSE_CONNECTION = {"Connection": "close"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """Limits of one request."""

    body_bytes: int = 1024 * 1024
    #: Maximum body size of requests to ``upload_paths``.
    upload_bytes: int = 20 * 1024 * 1024
    upload_paths: Collection[str] = ()
    #: Time limit for receiving a body.
    body_s: float = 30.0
    #: Allowed host names, in lower case.
    hosts: Collection[str] = LOOPBACK_NAMES
    #: Whether every numeric address is allowed, too: DNS rebinding needs a name.
    takes_addresses: bool = False


class _LimitedBody:
    """The body of one request, with its size and time limited."""

    def __init__(self, receive: Receive, limit_bytes: int, limit_s: float) -> None:
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._limit_s = limit_s
        self._due_s = anyio.current_time() + limit_s
        self._counted_bytes = 0
        self._is_whole = False

    async def receive(self) -> Message:
        """Return the next part of the body.

        Raises:
            HTTPException: The body is too large, or does not arrive in time.
        """
        if self._is_whole:  # only the end of the connection follows, without a time limit
            return await self._receive()
        message: Message = {}
        with anyio.move_on_at(self._due_s) as deadline:
            message = await self._receive()
        if deadline.cancelled_caught:
            detail = f"The request did not arrive within {self._limit_s:g} s."
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, detail, _CLOSE_CONNECTION)
        self._counted_bytes += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._counted_bytes > self._limit_bytes:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(self._limit_bytes), _CLOSE_CONNECTION)
        return message


class RequestLimitMiddleware:
    """Rejects requests that exceed the limits."""

    def __init__(self, app: ASGIApp, limits: RequestLimits) -> None:
        """Wrap ``app``."""
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or reject it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._is_allowed_host(headers.get("host", "")):
            detail = (
                "This host name is not allowed. Use 127.0.0.1, localhost, the numeric address, or a "
                "name listed in the setting host_names."
            )
            await problem_response(HTTPStatus.MISDIRECTED_REQUEST, detail)(scope, receive, send)
            return
        if "content-length" in headers and "transfer-encoding" in headers:
            # A proxy may read the end of such a body differently (request smuggling), so the connection is closed.
            detail = "Send either Content-Length or Transfer-Encoding, not both."
            await problem_response(HTTPStatus.BAD_REQUEST, detail, _CLOSE_CONNECTION)(scope, receive, send)
            return
        limit_bytes = self._limit_bytes(scope["path"])
        declared = headers.get("content-length", "0")
        if not declared.isascii() or not declared.isdigit() or int(declared) > limit_bytes:
            await _discard_body(receive)
            response = problem_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(limit_bytes), _CLOSE_CONNECTION)
            await response(scope, receive, send)
            return
        await self._app(scope, _LimitedBody(receive, limit_bytes, self._limits.body_s).receive, send)

    def _limit_bytes(self, path: str) -> int:
        return self._limits.upload_bytes if path in self._limits.upload_paths else self._limits.body_bytes

    def _is_allowed_host(self, host: str) -> bool:
        name = (host if host.endswith("]") else host.rpartition(":")[0] or host).lower().removesuffix(".")
        return name in self._limits.hosts or (self._limits.takes_addresses and is_address(name.strip("[]")))


def is_address(text: str) -> bool:
    """Return whether this is an IP address (version 4 or 6), not a name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


async def _discard_body(receive: Receive) -> None:
    """Discard the body within limits: a client that is still sending does not read a response."""
    discarded_bytes = 0
    with anyio.move_on_after(DISCARD_S):
        while discarded_bytes < DISCARD_BYTES:
            message = await receive()
            discarded_bytes += len(message.get("body", b""))
            if not message.get("more_body", False):
                return


def _too_large(limit_bytes: int) -> str:
    return f"The request is larger than {limit_bytes / 1024**2:g} MiB; split the list into several lists."


_TOO_MANY_WRONG_TOKENS = (
    "Too many wrong tokens. Try again later with the token that `poolwright serve` printed at startup."
)
_LOGIN_HINT = "Send the daemon's token as `Authorization: Bearer TOKEN`. `poolwright serve` prints it at startup."


class AuthMiddleware:
    """Requires the token on all paths but the public ones."""

    def __init__(self, app: ASGIApp, token_auth: TokenAuth, open_paths: Collection[str]) -> None:
        """Wrap ``app``; requests to ``open_paths`` need no token."""
        self._app = app
        self._token_auth = token_auth
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or reject it."""
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        wait_s = self._token_auth.retry_after_s(token.strip()) if kind.lower() == "bearer" else 0.0
        if wait_s is None:
            await self._app(scope, receive, send)
            return
        if wait_s > 0:
            response = problem_response(
                HTTPStatus.TOO_MANY_REQUESTS, _TOO_MANY_WRONG_TOKENS, {"Retry-After": f"{math.ceil(wait_s)}"}
            )
        else:
            response = problem_response(HTTPStatus.UNAUTHORIZED, _LOGIN_HINT, {"WWW-Authenticate": "Bearer"})
        await response(scope, receive, send)
