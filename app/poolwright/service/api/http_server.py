"""The HTTP server: checks who can reach its address, listens there, and limits slow connections."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncGenerator, Collection, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Any, cast

import anyio
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from poolwright.domain.errors import OptionsError, SetupError, unwrap_group
from poolwright.service.api.middleware import LOOPBACK_NAMES, RequestLimits, is_address

REMOTE_ACCESS_WARNING = (
    "This daemon can be reached from the network: anyone with its token has full control, and the token is "
    "sent unencrypted. Put a proxy with TLS in front of it."
)


def is_local_host(host: str) -> bool:
    """Return whether only programs on this machine can connect to the host."""
    return host.lower().removesuffix(".") == "localhost" or (is_address(host) and ip_address(host).is_loopback)


def check_bind_address(host: str, *, allows_remote: bool) -> None:
    """Check that a daemon is not opened to the network by accident.

    Raises:
        OptionsError: Other machines can connect to the host, and remote access is not allowed.
    """
    if not is_local_host(host) and not allows_remote:
        raise OptionsError(
            f"host is {host!r}, which can be reached from the network. Add --allow-remote if this is intended."
        )


def request_limits_for(host: str, upload_bytes: int, further_names: Collection[str] = ()) -> RequestLimits:
    """Return the limits for requests to this host.

    Only host names are allowed that a foreign web page cannot use for DNS rebinding.

    Args:
        host: The host on which the daemon listens.
        upload_bytes: Maximum size of an uploaded list.
        further_names: Host names that a proxy in front passes on.
    """
    names = {_normalized_name(name) for name in (host, *further_names)}
    own = RequestLimits(upload_bytes=upload_bytes, hosts=LOOPBACK_NAMES | names)
    if is_local_host(host):
        return own
    return replace(own, hosts={*own.hosts, socket.gethostname().lower()}, takes_addresses=True)


def _normalized_name(name: str) -> str:
    """Return a host name as browsers send it: lower case, non-ASCII letters in IDNA form, no trailing dot."""
    plain = name.lower().removesuffix(".")
    try:
        return plain.encode("idna").decode()
    except UnicodeError:  # an IP address, or a name that no browser sends
        return plain


#: Time limit for responses in progress at shutdown; event streams end with the daemon.
SHUTDOWN_GRACE_S = 5
#: An idle connection is closed after this time.
KEEP_ALIVE_S = 10
#: Time limit from the opening of a connection, or the first byte of its next request, to the end of the headers.
HEADERS_S = 10.0
#: Requests on further connections are answered with 503. Slow and waiting connections are the smaller part of these.
CONNECTIONS_MAX = 400
#: Connections for whose client the server may wait at a time; beyond that, the one that has waited longest is closed.
#: Clients that send no request, half a request or do not read the response therefore never keep others out.
SLOW_CONNECTIONS_MAX = 100
#: Connections that may wait to be accepted; all are accepted at once. Each needs a file descriptor, as browsers do.
BACKLOG = 50
#: A connection is closed if its client reads none of the response for this time.
UNREAD_ANSWER_S = 30.0
#: Maximum size of the headers of a request; beyond that the connection is closed.
HEADER_BYTES_MAX = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenAddress:
    """The host and port to listen on."""

    host: str
    #: 0 for any free port.
    port: int


class _Server(uvicorn.Server):
    """A server that leaves signals to the program, which stops the server itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class HttpConnection(H11Protocol):
    """A connection with time limits for the request headers and for reading the response.

    uvicorn itself waits without limit for the first request of a connection, for the rest of a request, and for a
    client that does not read its response: a few hundred such connections would keep all other clients out.
    """

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    #: Loop time since when the server has been waiting for the client; ``None`` while the client waits for the server.
    waited_since_s: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start the time limit of a new connection; close the slowest one if there are too many."""
        super().connection_made(transport)
        self._update_deadline()
        own = (cast("HttpConnection", item) for item in self.connections if isinstance(item, HttpConnection))
        still_open = (connection for connection in own if not connection.transport.is_closing())
        waits = {item: item.waited_since_s for item in still_open if item.waited_since_s is not None}
        if len(waits) > SLOW_CONNECTIONS_MAX:
            min(waits, key=waits.__getitem__).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel the timers of a closed connection."""
        self._deadline = _cancel_timer(self._deadline)
        self._unread = _cancel_timer(self._unread)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Handle received data and update the time limit."""
        super().data_received(data)
        self._update_deadline()

    def on_response_complete(self) -> None:
        """Start the wait for the next request of the client."""
        super().on_response_complete()
        self._update_wait()

    def pause_writing(self) -> None:
        """Start the time limit for a client that does not read its response."""
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(UNREAD_ANSWER_S, self.transport.abort)
        self._update_wait()

    def resume_writing(self) -> None:
        """Cancel the time limit of ``pause_writing``: the client reads again."""
        super().resume_writing()
        self._unread = _cancel_timer(self._unread)
        self._update_wait()

    @property
    def _is_answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _update_deadline(self) -> None:
        """Start or cancel the time limit for the headers; single bytes of a request do not extend it."""
        if self._is_answering:
            self._deadline = _cancel_timer(self._deadline)
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADERS_S, self.transport.close)
        self._update_wait()

    def _update_wait(self) -> None:
        """Update ``waited_since_s``; a request sent, or a response read, byte by byte counts as one wait."""
        is_waited_for = self.flow.write_paused or not self._is_answering or self.cycle.more_body
        if not is_waited_for:
            self.waited_since_s = None
        elif self.waited_since_s is None:
            self.waited_since_s = self.loop.time()


def _cancel_timer(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


@contextlib.contextmanager
def open_listener(address: ListenAddress) -> Generator[socket.socket]:
    """Open the port for the duration of the block.

    This happens before anything else is started, so that a used port is reported at once. Clients that connect before
    ``run_server`` wait.

    Raises:
        OptionsError: The host is not an address of this machine.
        SetupError: The port is taken or may not be used.
    """
    try:
        family, _, _, _, bind_address = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        listener = _bind(family, bind_address)
    except socket.gaierror as error:
        raise OptionsError(
            f"host is {address.host!r}, which is not an address of this machine ({error.strerror})."
        ) from error
    except OSError as error:
        raise SetupError(
            f"{address.host} port {address.port} cannot be opened ({error.strerror}); "
            "another daemon may be using it. Choose another port with --port."
        ) from error
    with listener:
        yield listener


def listener_url(listener: socket.socket) -> str:
    """Return the URL of the listener."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@asynccontextmanager
async def run_server(app: ASGIApp, listener: socket.socket) -> AsyncGenerator[None]:
    """Serve for the duration of the block; then responses in progress may finish within ``SHUTDOWN_GRACE_S``."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        http=HttpConnection,
        ws="none",
        h11_max_incomplete_event_size=HEADER_BYTES_MAX,
        limit_concurrency=CONNECTIONS_MAX,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_GRACE_S,
    )
    server = _Server(config)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_run_uvicorn, server, listener)
            try:
                yield
            finally:
                server.should_exit = True
    except ExceptionGroup as group:
        raise unwrap_group(group) from group


async def _run_uvicorn(server: uvicorn.Server, listener: socket.socket) -> None:
    """Run the server, shielded from cancellation: ``should_exit`` stops it within its own time limit."""
    with anyio.CancelScope(shield=True):
        await server.serve([listener])


def _bind(family: int, address: Any) -> socket.socket:  # noqa: ANN401 - the library's own type for addresses
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # on Windows it would let two programs share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
