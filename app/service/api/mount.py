"""The interface below a path of a proxy in front, which may hand the path on as it came, or without its beginning.

Plain ASGI, and in front of everything else: what is behind knows nothing of the beginning.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Mounted:
    """An application that is found below a path too."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        """Answer below ``prefix``, which begins with a slash and ends in none; empty for the top alone."""
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through. A page finds what is beside it only where its own path ends in a slash."""
        path: str = scope.get("path", "")
        if self._prefix and scope["type"] == "http" and path == self._prefix:
            answer = RedirectResponse(f"{self._prefix}/", HTTPStatus.PERMANENT_REDIRECT)
            await answer(scope, receive, send)
            return
        if self._prefix and path.startswith(f"{self._prefix}/"):
            scope = {**scope, "path": path.removeprefix(self._prefix), "raw_path": None}
        await self._app(scope, receive, send)
