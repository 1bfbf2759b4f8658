"""Messages to the service manager (systemd ``sd_notify``): ready, status, reload, stop, and the watchdog.

Without a service manager no message is sent, and a message that cannot be sent never stops the daemon. The watchdog
message is sent by the event loop itself and only while ``is_alive`` returns true: if the loop is blocked, or the pool
no longer processes its events, the messages stop and systemd restarts the daemon.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from loguru import logger

from poolwright.concurrency import periodic
from poolwright.domain.ports import Clock
from poolwright.settings import SystemdEnvironment

#: systemd recommends two messages in the time within which it expects one.
_SIGNALS_PER_WATCHDOG_TIME = 2
#: A longer status is cut, so that it fits into a datagram.
_STATUS_LENGTH_MAX = 500


class SystemdNotifier:
    """Sends messages to the service manager's socket; does nothing without one."""

    def __init__(self, supervision: SystemdEnvironment, clock: Clock) -> None:
        """Read the socket address and the watchdog interval.

        Args:
            supervision: Its socket is a path, or ``@`` and an abstract name; other kinds are ignored.
            clock: A reload message contains its monotonic time.
        """
        self._address = _address(supervision.notify_socket)
        self._watchdog_s = supervision.watchdog_s
        self._clock = clock
        self._is_reachable = True

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
            is_alive: Returns whether the pool processes its events. Must return at once.
        """
        if not self._address or self._watchdog_s is None:
            return
        was_alive = True
        async for _ in periodic(self._watchdog_s / _SIGNALS_PER_WATCHDOG_TIME):
            alive_now = is_alive()
            if alive_now:
                self._send("WATCHDOG=1")
            elif was_alive:
                logger.error("no watchdog message is sent: the pool does not process its events")
            was_alive = alive_now

    def _send(self, *lines: str) -> None:
        if not self._address or not lines:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
                connection.setblocking(False)  # noqa: FBT003 - its only parameter
                connection.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            if self._is_reachable:
                logger.warning("the service manager cannot be reached: {}", error)
            self._is_reachable = False
        else:
            self._is_reachable = True


def _address(text: str) -> str:
    """Return the socket address for Python: an abstract name begins with a zero byte."""
    if not hasattr(socket, "AF_UNIX") or not text.startswith(("/", "@")):
        return ""
    return f"\0{text[1:]}" if text.startswith("@") else text


def _status(text: str) -> tuple[str, ...]:
    """Return the status message, without line breaks: a second line would be a separate message."""
    line = " ".join(text.split())[:_STATUS_LENGTH_MAX]
    return (f"STATUS={line}",) if line else ()
