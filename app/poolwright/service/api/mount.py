"""The interface below a path of a proxy in front, which may hand the path on as it came, or without its beginning.

Plain ASGI, and in front of everything else: what is behind knows nothing of the beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class Mounted:
    """An application that is found below a path too."""

    def __init__(self, app: ASGIApp, prefix: str, is_own: Callable[[str], bool]) -> None:
        """Answer below a path too.

        Args:
            app: What answers at the top.
            prefix: Begins with a slash and ends in none; empty for the top alone.
            is_own: Whether something is there at a path of the top. A path may begin like one of ours (``/api``): what
                is left of it decides whether the proxy took it off.
        """
        self._app = app
        self._prefix = prefix
        self._is_own = is_own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through. A page finds what is beside it only where its own path ends in a slash."""
        path: str = scope.get("path", "")
        if self._prefix and scope["type"] == "http" and path == self._prefix:
            answer = RedirectResponse(f"{self._prefix}/", HTTPStatus.PERMANENT_REDIRECT)
            await answer(scope, receive, send)
            return
        rest = path.removeprefix(self._prefix)
        if self._prefix and path.startswith(f"{self._prefix}/") and self._is_own(rest):
            scope = {**scope, "path": rest, "raw_path": None}
        await self._app(scope, receive, send)
