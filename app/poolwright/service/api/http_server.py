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
    """Make sure that a daemon is not opened to the network by accident.

    Raises:
        OptionsError: Others can ask there, and nobody said that they may.
    """
    if not is_local_host(host) and not allows_remote:
        raise OptionsError(
            f"host is {host!r}, which can be reached from the network. Add --allow-remote if this is intended."
        )


def request_limits_for(host: str, upload_bytes: int, further_names: Collection[str] = ()) -> RequestLimits:
    """What requests may be there. Names are answered that a web page of somebody else cannot take for itself.

    Args:
        host: Where the daemon listens.
        upload_bytes: Of a list that is sent.
        further_names: Those that a proxy in front is asked by, and hands on.
    """
    names = {_normalized_name(name) for name in (host, *further_names)}
    own = RequestLimits(upload_bytes=upload_bytes, hosts=LOOPBACK_NAMES | names)
    if is_local_host(host):
        return own
    return replace(own, hosts={*own.hosts, socket.gethostname().lower()}, takes_addresses=True)


def _normalized_name(name: str) -> str:
    """A name as browsers send it: letters beyond ASCII in the form that the network knows, and no dot at its end."""
    plain = name.lower().removesuffix(".")
    try:
        return plain.encode("idna").decode()
    except UnicodeError:  # an address, or none that any browser asks
        return plain


#: Time limit for responses in progress at shutdown; event streams end with the daemon.
SHUTDOWN_GRACE_S = 5
#: An idle connection is closed after this time.
KEEP_ALIVE_S = 10
#: From the opening of a connection, or the first byte of a further request, to the end of its headers.
HEADERS_S = 10.0
#: More at a time are answered 503: those that let us wait and those that are just let in are the smaller part.
CONNECTIONS_MAX = 400
#: So many of them may let us wait: one more, and the one that has done so for longest is closed. Whoever opens
#: connections, and then asks nothing, sends half a request or reads no answer, keeps nobody else out.
SLOW_CONNECTIONS_MAX = 100
#: So many may wait to be let in; all of them are let in at once. Each takes a descriptor, of which browsers need some.
BACKLOG = 50
#: A response is given up when the client reads nothing for this time.
UNREAD_ANSWER_S = 30.0
#: Header lines that one request may have; beyond that the connection is closed.
HEADER_BYTES_MAX = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenAddress:
    """The host and port to listen on."""

    host: str
    #: 0 for any free port.
    port: int


class _Server(uvicorn.Server):
    """Signals belong to the program that serves, which ends it in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class HttpConnection(H11Protocol):
    """Lets nobody hold a connection for ever by letting us wait: for a request, the rest of one, or an answer's taking.

    The server itself waits for ever for the first request of a connection, for one that was begun, and for a client
    that takes no more of its answer: some hundred such connections would keep everybody else out.
    """

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    #: Since when the client lets us wait, by the clock of the loop; nothing while it waits for us.
    waited_since_s: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Start the time limit of a new connection; close the slowest one if there are too many."""
        super().connection_made(transport)
        self._update_deadline()
        own = (cast("HttpConnection", one) for one in self.connections if isinstance(one, HttpConnection))
        open_ones = (one for one in own if not one.transport.is_closing())
        waits = {one: one.waited_since_s for one in open_ones if one.waited_since_s is not None}
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
        """Note that the response is complete: the client may send another request."""
        super().on_response_complete()
        self._update_wait()

    def pause_writing(self) -> None:
        """Start the time limit for a client that does not read its response."""
        super().pause_writing()
        self._unread = self._unread or self.loop.call_later(UNREAD_ANSWER_S, self.transport.abort)
        self._update_wait()

    def resume_writing(self) -> None:
        """Cancel that time limit: the client reads again."""
        super().resume_writing()
        self._unread = _cancel_timer(self._unread)
        self._update_wait()

    @property
    def _is_answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete

    def _update_deadline(self) -> None:
        """Time runs from the first of a request to the last of its headers; drops of it win none."""
        if self._is_answering:
            self._deadline = _cancel_timer(self._deadline)
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADERS_S, self.transport.close)
        self._update_wait()

    def _update_wait(self) -> None:
        """Drops of a request, and an answer that is taken drop by drop, are one wait."""
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
    """Open the port before anything else is started, so that a used port is reported at once.

    Who connects meanwhile waits until it is served.

    Raises:
        OptionsError: The host is not an address of this machine.
        SetupError: The port is taken or may not be used.
    """
    try:
        kind, _, _, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        listener = _bind(kind, place)
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
    """Serve for the duration of the block; responses in progress may then finish within a time limit."""
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
    """Not cancelled: the server is asked to end, and does so within a limit of its own."""
    with anyio.CancelScope(shield=True):
        await server.serve([listener])


def _bind(kind: int, place: Any) -> socket.socket:  # noqa: ANN401 - the library's own type for addresses
    listener = socket.socket(kind, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let two programs have one port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener
