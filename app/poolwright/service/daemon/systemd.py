"""Messages to the service manager (systemd ``sd_notify``): ready, status, reload, stop, and the watchdog.

Where nobody listens nothing is said, and a manager that does not take a word never stops the daemon. The watchdog's
sign is sent by the event loop itself and only while ``is_alive`` says so: a loop that stands still, or a pool that does
not deal with its facts any more, falls silent and is started anew.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from loguru import logger

from poolwright.concurrency import periodic
from poolwright.domain.ports import Clock
from poolwright.settings import SystemdEnvironment

#: A sign comes twice in the time within which it is wanted, as systemd asks for.
_SIGNALS_PER_WATCHDOG_TIME = 2
#: A status of more is cut; a datagram has room for it.
_STATUS_LENGTH_MAX = 500


class SystemdNotifier:
    """Sends messages to the service manager's socket; does nothing without one."""

    def __init__(self, supervision: SystemdEnvironment, clock: Clock) -> None:
        """Take what the manager asked for.

        Args:
            supervision: Where it listens: a path, or ``@`` and a name without a file. Other kinds are passed over.
            clock: Its monotonic time is told with a reload.
        """
        self._address = _address(supervision.notify_socket)
        self._watchdog_s = supervision.watchdog_s
        self._clock = clock
        self._is_heard = True

    def ready(self, status: str = "") -> None:
        """Report that the daemon accepts orders; also ends a reload."""
        self._send("READY=1", *_status(status))

    def status(self, status: str) -> None:
        """Send one line for ``systemctl status``."""
        self._send(*_status(status))

    def reloading(self) -> None:
        """Report that the settings are being reloaded; ``ready`` must follow."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.monotonic() * 1_000_000)}")

    def stopping(self, status: str = "") -> None:
        """Report that the daemon is stopping: orders in progress may finish."""
        self._send("STOPPING=1", *_status(status))

    async def run_watchdog(self, is_alive: Callable[[], bool]) -> None:
        """Send watchdog messages until cancelled; returns at once if no watchdog is configured.

        Args:
            is_alive: Whether everything that must go on does so. Returns at once.
        """
        if not self._address or self._watchdog_s is None:
            return
        was_alive = True
        async for _ in periodic(self._watchdog_s / _SIGNALS_PER_WATCHDOG_TIME):
            is_so = is_alive()
            if is_so:
                self._send("WATCHDOG=1")
            elif was_alive:
                logger.error("no watchdog message is sent: the pool does not process its events")
            was_alive = is_so

    def _send(self, *words: str) -> None:
        if not self._address or not words:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
                line.setblocking(False)  # noqa: FBT003 - its only parameter
                line.sendto("\n".join(words).encode(), self._address)
        except OSError as error:
            if self._is_heard:
                logger.warning("the service manager cannot be reached: {}", error)
            self._is_heard = False
        else:
            self._is_heard = True


def _address(text: str) -> str:
    """A socket's address as Python takes it: a name without a file begins with a zero byte."""
    if not hasattr(socket, "AF_UNIX") or not text.startswith(("/", "@")):
        return ""
    return f"\0{text[1:]}" if text.startswith("@") else text


def _status(text: str) -> tuple[str, ...]:
    """One line at most: a second line would be a word of its own."""
    line = " ".join(text.split())[:_STATUS_LENGTH_MAX]
    return (f"STATUS={line}",) if line else ()
