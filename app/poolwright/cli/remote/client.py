"""The HTTP client for the daemon of an output folder, which finds its address and token."""

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
from poolwright.service.pidfile import find_daemon
from poolwright.settings import Settings

#: Longer than any answer takes; a list of many thousand rows is read in seconds.
TIMEOUT_S = 120.0
_UNPROCESSABLE = {413, 422}


class DaemonRefusedError(PoolError):
    """The daemon said no; the message is its own."""


class DaemonClient:
    """Asks one daemon. Made by ``line_to``."""

    def __init__(self, client: httpx.Client) -> None:
        """Ask by ``client``."""
        self._client = client

    def get(self, path: str, **asked: str | int) -> Any:  # noqa: ANN401 - JSON
        """What a path tells."""
        return self._checked(self._client.get(path, params=asked)).json()

    def download(self, path: str, **asked: str) -> httpx.Response:
        """A file."""
        return self._checked(self._client.get(path, params=asked))

    def post(self, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Ask for something to be done."""
        answer = self._checked(self._client.post(path, json=body))
        return answer.json() if answer.content else None

    def upload(self, path: str, name: str, content: bytes, fields: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
        """Send a file."""
        return self._checked(self._client.post(path, files={"file": (name, content)}, data=fields)).json()

    @contextmanager
    def events(self) -> Generator[Iterator[Event]]:
        """What happens from now on, until the daemon ends. When the block begins, nothing is missed any more."""
        with self._client.stream("GET", "/api/v1/events", timeout=httpx.Timeout(TIMEOUT_S, read=60.0)) as answer:
            if not answer.is_success:
                answer.read()
            lines = self._checked(answer).iter_lines()
            next(lines, "")  # the daemon's first word comes when it has begun to listen for us
            yield _parse_events(lines)

    @staticmethod
    def _checked(answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        try:
            told = str(answer.json()["detail"])
        except (ValueError, KeyError, TypeError):
            told = f"The daemon answered {answer.status_code}; the log has the details."
        raise (InputRefusedError if answer.status_code in _UNPROCESSABLE else DaemonRefusedError)(told)


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
    """A line to the daemon of the output folder.

    Raises:
        SetupError: None runs there, or it does not answer.
    """
    private = settings.out / PRIVATE_NAME
    beacon = find_daemon(private)
    advice = f"start it with `poolwright serve --out {settings.out}`, or name its output folder with --out."
    if beacon is None:
        raise SetupError(f"No daemon is running on {settings.out}; {advice}")
    try:
        token = (private / TOKEN_FILE_NAME).read_text(encoding="ascii").strip()
    except OSError as error:
        told = f"The daemon's token in {private / TOKEN_FILE_NAME} cannot be read ({error.strerror}); use its own user."
        raise SetupError(told) from error
    headers = {"Authorization": f"Bearer {token}"}
    try:
        with httpx.Client(
            base_url=beacon.url, headers=headers, timeout=TIMEOUT_S, trust_env=False, verify=NO_TLS_CONTEXT
        ) as client:
            yield DaemonClient(client)
    except httpx.TransportError as error:
        raise SetupError(f"The daemon at {beacon.url} does not answer ({error}); {advice}") from error
