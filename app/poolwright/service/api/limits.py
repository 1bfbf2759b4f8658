"""What a request may be, before anything looks into it: how large, how slow, and for which host.

Plain ASGI: it counts what comes in while it comes, so that no body is ever held beyond its limit.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import ip_address

import anyio
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from poolwright.service.api.problems import problem

#: Names by which a program on this machine reaches us. A web page that bends its own name to us uses none of them.
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

#: Of a request that is too large so much is thrown away before it is answered.
SWALLOW_BYTES, SWALLOW_S = 64 * 1024 * 1024, 10.0
_CLOSE = {"Connection": "close"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLimits:
    """Limits of one request."""

    body_bytes: int = 1024 * 1024
    #: For what is sent to one of ``upload_paths``.
    upload_bytes: int = 20 * 1024 * 1024
    upload_paths: Collection[str] = ()
    #: Seconds that a body may take to come in.
    body_s: float = 30.0
    #: Host names that are answered, in small letters.
    hosts: Collection[str] = LOOPBACK_NAMES
    #: Whether every address in figures is answered too. A page that bends its own name to us has none to show.
    takes_addresses: bool = False


class _Body:
    """The body of one request, with its size and time limited."""

    def __init__(self, receive: Receive, limit_bytes: int, limit_s: float) -> None:
        self._receive = receive
        self._limit_bytes = limit_bytes
        self._limit_s = limit_s
        self._due_s = anyio.current_time() + limit_s
        self._counted_bytes = 0
        self._is_whole = False

    async def receive(self) -> Message:
        """The next part.

        Raises:
            HTTPException: It is too much, or does not come in time.
        """
        if self._is_whole:  # what comes now is the end of the connection, whenever that is
            return await self._receive()
        message: Message = {}
        with anyio.move_on_at(self._due_s) as patience:
            message = await self._receive()
        if patience.cancelled_caught:
            told = f"The request did not arrive within {self._limit_s:g} s."
            raise HTTPException(HTTPStatus.REQUEST_TIMEOUT, told, _CLOSE)
        self._counted_bytes += len(message.get("body", b""))
        self._is_whole = not message.get("more_body", False)
        if self._counted_bytes > self._limit_bytes:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(self._limit_bytes), _CLOSE)
        return message


class Limited:
    """Rejects requests that exceed the limits."""

    def __init__(self, app: ASGIApp, limits: RequestLimits) -> None:
        """Put ``app`` behind ``limits``."""
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if not self._is_ours(headers.get("host", "")):
            told = (
                "This host name is not allowed. Use 127.0.0.1, localhost, the numeric address, or a "
                "name listed in the setting host_names."
            )
            await problem(HTTPStatus.MISDIRECTED_REQUEST, told)(scope, receive, send)
            return
        if "content-length" in headers and "transfer-encoding" in headers:
            # Two who read it differently take its end for another request: nothing more is read from there.
            told = "Send either Content-Length or Transfer-Encoding, not both."
            await problem(HTTPStatus.BAD_REQUEST, told, _CLOSE)(scope, receive, send)
            return
        limit_bytes = self._limit_bytes(scope["path"])
        declared = headers.get("content-length", "0")
        if not declared.isascii() or not declared.isdigit() or int(declared) > limit_bytes:
            await _swallow(receive)
            answer = problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _too_large(limit_bytes), _CLOSE)
            await answer(scope, receive, send)
            return
        await self._app(scope, _Body(receive, limit_bytes, self._limits.body_s).receive, send)

    def _limit_bytes(self, path: str) -> int:
        return self._limits.upload_bytes if path in self._limits.upload_paths else self._limits.body_bytes

    def _is_ours(self, host: str) -> bool:
        name = (host if host.endswith("]") else host.rpartition(":")[0] or host).lower().removesuffix(".")
        return name in self._limits.hosts or (self._limits.takes_addresses and is_address(name.strip("[]")))


def is_address(text: str) -> bool:
    """Whether this is an address in figures, of either version, and no name."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


async def _swallow(receive: Receive) -> None:
    """Throw away what comes, for a while: whoever still sends does not see an answer before it is done."""
    swallowed_bytes = 0
    with anyio.move_on_after(SWALLOW_S):
        while swallowed_bytes < SWALLOW_BYTES:
            message = await receive()
            swallowed_bytes += len(message.get("body", b""))
            if not message.get("more_body", False):
                return


def _too_large(limit_bytes: int) -> str:
    return f"The request is larger than {limit_bytes / 1024**2:g} MiB; split the list into several lists."
