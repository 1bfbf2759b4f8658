"""Puts the portal together: its addresses, and the tally of all that is asked."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from poolwright.demo.counters import Counters, Room
from poolwright.demo.endpoints import admin, downloads, front, orders
from poolwright.demo.site import Site

_ROOMS = (
    (re.compile(r"/order_headers/[^/]+"), Room.ORDER_PAGE),
    (re.compile(r"/order_headers/[^/]+/attachments\.json"), Room.ATTACHMENT_LIST),
    (re.compile(r"/attachment/.*|/documents/.*"), Room.DOWNLOAD),
    (re.compile(r"/sessions.*"), Room.LOGIN),
    (re.compile(r"/assets/.*"), Room.ASSET),
)


def create_app(site: Site) -> Starlette:
    """The portal as an ASGI application."""
    app = Starlette(
        routes=[*front.ROUTES, *orders.ROUTES, *downloads.ROUTES, *admin.ROUTES],
        middleware=[Middleware(Tally, counters=site.counters)],
        exception_handlers={404: _nowhere, 405: _nowhere},
    )
    app.state.site = site
    return app


class Tally:
    """Counts requests by room while they are being answered. Admin requests don't count."""

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through."""
        path: str = scope["path"] if scope["type"] == "http" else ""
        if not path or path.startswith(f"{admin.PREFIX}/"):
            await self._app(scope, receive, send)
            return
        with self._counters.request(_room(path)):
            try:
                await self._app(scope, receive, send)
            except Exception:
                self._counters.server_error()
                raise


def _room(path: str) -> Room:
    return next((room for pattern, room in _ROOMS if pattern.fullmatch(path)), Room.OTHER)


async def _nowhere(_request: Request, _problem: Exception) -> Response:
    return front.nowhere()
