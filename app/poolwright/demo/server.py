"""The demo portal as a web server: its ASGI application, and the process that serves it until it is stopped.

When it listens, it writes one JSON line with its URL and credentials to standard output, or to the descriptor of
``--ready-fd``. It stops on SIGTERM and SIGINT, and with ``--die-with-parent`` when its standard input ends. By default
it is reachable from this machine only.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from types import FrameType

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from poolwright.demo import routes_admin, routes_orders, routes_user
from poolwright.demo.site import DemoSite, make_site
from poolwright.demo.stats import Counters, RequestKind

_REQUEST_KINDS = (
    (re.compile(r"/order_headers/[^/]+"), RequestKind.ORDER_PAGE),
    (re.compile(r"/order_headers/[^/]+/attachments\.json"), RequestKind.ATTACHMENT_LIST),
    (re.compile(r"/attachment/.*|/documents/.*"), RequestKind.DOWNLOAD),
    (re.compile(r"/sessions.*"), RequestKind.LOGIN),
    (re.compile(r"/assets/.*"), RequestKind.ASSET),
)


def create_app(site: DemoSite) -> Starlette:
    """Return the portal as an ASGI application."""
    app = Starlette(
        routes=[
            *routes_user.USER_ROUTES,
            *routes_orders.ORDER_ROUTES,
            *routes_orders.DOWNLOAD_ROUTES,
            *routes_admin.ADMIN_ROUTES,
        ],
        middleware=[Middleware(StatsMiddleware, counters=site.counters)],
        exception_handlers={404: _not_found, 405: _not_found},
    )
    app.state.site = site
    return app


class StatsMiddleware:
    """Counts requests by kind, and how many are concurrent; without requests of the admin API."""

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request and pass it on."""
        path: str = scope["path"] if scope["type"] == "http" else ""
        if not path or path.startswith(f"{routes_admin.PREFIX}/"):
            await self._app(scope, receive, send)
            return
        with self._counters.count_request(_request_kind(path)):
            try:
                await self._app(scope, receive, send)
            except Exception:
                self._counters.count_server_error()
                raise


def _request_kind(path: str) -> RequestKind:
    return next((kind for pattern, kind in _REQUEST_KINDS if pattern.fullmatch(path)), RequestKind.OTHER)


async def _not_found(_request: Request, _problem: Exception) -> Response:
    return routes_user.not_found()


_BACKLOG = 256
_KEEP_ALIVE_S = 75
_GRACE_S = 1
_CANNOT_START = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyLine:
    """The fields of the JSON line that reports that the portal is ready."""

    url: str
    admin_token: str
    user: str
    password: str


class _Server(uvicorn.Server):
    """A server that writes the ready line when it listens."""

    def __init__(self, config: uvicorn.Config, ready: ReadyLine, ready_fd: int) -> None:
        super().__init__(config)
        self._ready = ready
        self._ready_fd = ready_fd

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then write the ready line."""
        await super().startup(sockets)
        os.write(self._ready_fd, json.dumps(asdict(self._ready)).encode() + b"\n")


def main() -> None:
    """Run the portal until it is stopped, with exit code 0; exit with code 2 if the address cannot be used."""
    options = _parser().parse_args()
    try:
        listener = _listener(options.host, options.port)
    except OSError as error:
        sys.exit(_report_bind_error(options.host, options.port, error))
    token = secrets.token_urlsafe(24)
    site = make_site(
        seed=options.seed,
        order_count=options.orders,
        session_minutes=options.session_minutes,
        admin_token=token,
        totp_secret=options.totp_secret,
    )
    host, port = listener.getsockname()[:2]
    ready = ReadyLine(
        url=f"http://{host}:{port}", admin_token=token, user=site.account.user, password=site.account.password
    )
    config = uvicorn.Config(
        create_app(site),
        lifespan="off",
        ws="none",
        log_level="warning",
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
    )
    server = _Server(config, ready, options.ready_fd)
    _stop_on_signals(server)
    anyio.run(partial(_serve, server, listener, dies_with_parent=options.die_with_parent and sys.platform != "win32"))


async def _serve(server: uvicorn.Server, listener: socket.socket, *, dies_with_parent: bool) -> None:
    async with anyio.create_task_group() as tasks:
        if dies_with_parent:
            tasks.start_soon(_stop_at_end_of_input, server)
        await server.serve(sockets=[listener])
        tasks.cancel_scope.cancel()


async def _stop_at_end_of_input(server: uvicorn.Server) -> None:
    """Stop the server when standard input ends: the parent process, which holds its other end, is gone."""
    descriptor = sys.stdin.fileno()
    is_open = True
    while is_open:
        await anyio.wait_readable(descriptor)
        is_open = bool(os.read(descriptor, 4096))
    server.should_exit = True


def _stop_on_signals(server: uvicorn.Server) -> None:
    """Handle signals before and after uvicorn does, which raises them again at its end: stop without an error."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _listener(host: str, port: int) -> socket.socket:
    """Open the listening socket, with explicit TCP: otherwise asyncio does not turn off Nagle's algorithm (40 ms)."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _report_bind_error(host: str, port: int, error: OSError) -> int:
    sys.stderr.write(
        f"The portal cannot listen on {host}:{port} ({error.strerror}); choose another --host or --port.\n"
    )
    return _CANNOT_START


def _integer_between(lowest: int, highest: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        number = int(text)
        if not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(f"{number} is not between {lowest} and {highest}")
        return number

    return whole_number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m poolwright.demo", description="A made-up procurement portal for demos and tests."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=_integer_between(0, 65535), default=0, help="port; 0 takes a free one (default)")
    parser.add_argument(
        "--orders", type=_integer_between(0, 1_000_000), default=40, help="number of orders in the list (default: 40)"
    )
    parser.add_argument("--seed", type=int, default=7, help="seed of the generated orders (default: 7)")
    parser.add_argument(
        "--session-minutes", type=float, help="end sessions that are unused for this time (default: never)"
    )
    parser.add_argument(
        "--totp-secret", default="", help="require a one-time code of this secret, too (default: password only)"
    )
    parser.add_argument("--ready-fd", type=int, default=1, help="descriptor for the ready line (default: 1)")
    parser.add_argument("--die-with-parent", action="store_true", help="stop when standard input ends (not on Windows)")
    return parser
