"""Who is let in: nobody without the token, and that is settled before anything of what they send is read.

Plain ASGI: a framework would read and parse a body first, and only then ask who sent it.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from poolwright.service.api.problems import problem
from poolwright.service.api.token import Gatekeeper

_TOO_MANY = "Too many wrong tokens. Try again later with the token that `poolwright serve` printed at startup."
_NEEDED = "Send the daemon's token as `Authorization: Bearer TOKEN`. `poolwright serve` prints it at startup."


class Guarded:
    """Requires the token on all paths but the public ones."""

    def __init__(self, app: ASGIApp, keeper: Gatekeeper, open_paths: Collection[str]) -> None:
        """Let ``keeper`` decide about every path that is not one of ``open_paths``."""
        self._app = app
        self._keeper = keeper
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or reject it."""
        if scope["type"] != "http" or scope["path"] in self._open_paths:
            await self._app(scope, receive, send)
            return
        kind, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        wait_s = self._keeper.wait_s(token.strip()) if kind.lower() == "bearer" else 0.0
        if wait_s is None:
            await self._app(scope, receive, send)
            return
        if wait_s > 0:
            answer = problem(HTTPStatus.TOO_MANY_REQUESTS, _TOO_MANY, {"Retry-After": f"{math.ceil(wait_s)}"})
        else:
            answer = problem(HTTPStatus.UNAUTHORIZED, _NEEDED, {"WWW-Authenticate": "Bearer"})
        await answer(scope, receive, send)
