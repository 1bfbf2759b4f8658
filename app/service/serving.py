"""Serves an application on an address for as long as a block lasts, in the event loop and the tasks of its owner."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import uvicorn
from starlette.types import ASGIApp

from app.domain.failures import OptionsError, SetupError, root_cause

#: Answers that are under way get so long at the end; streams of events end at once with what they tell of.
LAST_ANSWERS_S = 5
#: A connection that says nothing is closed.
KEEP_ALIVE_S = 10
#: More at a time are answered 503.
CONNECTIONS_MAX = 200
#: Header lines that one request may have; beyond that the connection is closed.
HEADER_BYTES_MAX = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen."""

    host: str
    #: 0 takes one that is free.
    port: int


class _Server(uvicorn.Server):
    """Signals belong to the program that serves, which ends it in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@asynccontextmanager
async def serving(app: ASGIApp, address: Address) -> AsyncGenerator[str]:
    """Serve until the block ends; gives the address as people type it.

    Raises:
        OptionsError: The host is none of this machine.
        SetupError: The port is taken or may not be used.
    """
    with _listening(address) as listener:
        config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            http="h11",
            h11_max_incomplete_event_size=HEADER_BYTES_MAX,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=LAST_ANSWERS_S,
        )
        server = _Server(config)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(server.serve, [listener])
                host, port = listener.getsockname()[:2]
                yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
                server.should_exit = True
        except ExceptionGroup as group:
            raise root_cause(group) from group


@contextlib.contextmanager
def _listening(address: Address) -> Generator[socket.socket]:
    """A socket of our own, so that a port that is taken is told before anything is served."""
    try:
        kind, _, _, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        with socket.socket(kind, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen()
            yield listener
    except socket.gaierror as error:
        raise OptionsError(
            f"host is {address.host!r}, which is no address of this machine ({error.strerror})."
        ) from error
    except OSError as error:
        raise SetupError(
            f"{address.host} port {address.port} cannot be listened on ({error.strerror}); "
            "another daemon may have it: name another one with --port."
        ) from error
