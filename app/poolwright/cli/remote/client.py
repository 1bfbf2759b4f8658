"""The HTTP client for the daemon of an output folder, whose address and token it finds."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli.remote.health import NO_TLS_CONTEXT
from poolwright.domain.errors import PoolError, SetupError
from poolwright.domain.events import Event
from poolwright.intake.errors import InputRefusedError
from poolwright.service.api.token_auth import TOKEN_FILE_NAME
from poolwright.service.daemon.event_stream import load_event
from poolwright.service.pidfile import find_daemon, pidfile_problem
from poolwright.settings import Settings

#: Longer than any response takes; reading a list of many thousand rows takes seconds.
TIMEOUT_S = 120.0
_UNPROCESSABLE = {413, 422}


class DaemonRefusedError(PoolError):
    """The daemon refused a request; the message is the daemon's."""


class DaemonClient:
    """Sends requests to one daemon. Created by ``daemon_client``."""

    def __init__(self, client: httpx.Client) -> None:
        """Send requests with ``client``."""
        self._client = client

    def get(self, path: str, **params: str | int) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON content of a path."""
        return self._checked(self._client.get(path, params=params)).json()

    def download(self, path: str, **params: str) -> httpx.Response:
        """Return the response with a file."""
        return self._checked(self._client.get(path, params=params))

    def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Send a POST request; return its JSON content, or ``None``."""
        response = self._checked(self._client.post(path, json=body))
        return response.json() if response.content else None

    def upload(self, path: str, name: str, content: bytes, fields: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
        """Upload a file; return the JSON content of the response."""
        return self._checked(self._client.post(path, files={"file": (name, content)}, data=fields)).json()

    @contextmanager
    def events(self) -> Generator[Iterator[Event]]:
        """Yield the events from now on, until the daemon ends; no event after the start of the block is missed."""
        with self._client.stream("GET", "/api/v1/events", timeout=httpx.Timeout(TIMEOUT_S, read=60.0)) as response:
            if not response.is_success:
                response.read()
            lines = self._checked(response).iter_lines()
            next(lines, "")  # the daemon sends its first line after it has subscribed this client
            yield _parse_events(lines)

    @staticmethod
    def _checked(response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        try:
            message = str(response.json()["detail"])
        except (ValueError, KeyError, TypeError):
            message = f"The daemon returned status {response.status_code}; see its log."
        raise (InputRefusedError if response.status_code in _UNPROCESSABLE else DaemonRefusedError)(message)


def _parse_events(lines: Iterator[str]) -> Iterator[Event]:
    kind = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            event = load_event(kind, json.loads(value))
            if event is not None:
                yield event


@contextmanager
def daemon_client(settings: Settings) -> Generator[DaemonClient]:
    """Yield a client for the daemon of the output folder.

    Raises:
        SetupError: No daemon is running there, or it does not answer.
    """
    private = settings.out / PRIVATE_NAME
    pidfile = find_daemon(private)
    advice = f"start it with `poolwright serve --out {settings.out}`, or set --out to its output folder."
    if pidfile is None:
        raise SetupError(pidfile_problem(private) or f"No daemon is running on {settings.out}; {advice}")
    try:
        token = (private / TOKEN_FILE_NAME).read_text(encoding="ascii").strip()
    except OSError as error:
        raise SetupError(
            f"The daemon's token in {private / TOKEN_FILE_NAME} cannot be read ({error.strerror}). "
            "Run this command as the user of the daemon."
        ) from error
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(
            base_url=pidfile.url, headers=headers, timeout=TIMEOUT_S, trust_env=False, verify=NO_TLS_CONTEXT
        ) as client:
            yield DaemonClient(client)
    except httpx.TransportError as error:
        raise SetupError(f"The daemon at {pidfile.url} does not answer ({error}); {advice}") from error
