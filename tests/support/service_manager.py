"""A service manager that listens: a real datagram socket, as systemd has one for each service."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio

from poolwright.settings import SystemdEnvironment


class Manager:
    """Hears what a service says."""

    def __init__(self, line: socket.socket, address: str) -> None:
        self._line = line
        self.address = address

    def supervision(self, watchdog_usec: int | None = None, watchdog_pid: int | None = None) -> SystemdEnvironment:
        """What a service finds in its environment."""
        return SystemdEnvironment.model_construct(
            notify_socket=self.address, watchdog_usec=watchdog_usec, watchdog_pid=watchdog_pid
        )

    def heard(self) -> list[str]:
        """Everything that came since the last look, one entry for each datagram."""
        words: list[str] = []
        while True:
            try:
                words.append(self._line.recv(4096).decode())
            except BlockingIOError:
                return words

    async def next_word(self) -> str:
        """Wait for one datagram."""
        await anyio.wait_readable(self._line)
        return self._line.recv(4096).decode()


@contextmanager
def listening(address: str | Path) -> Generator[Manager]:
    """Listen at a path, or at ``@`` and a name without a file."""
    told = str(address)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(f"\0{told[1:]}" if told.startswith("@") else told)
        line.setblocking(False)
        yield Manager(line, told)
