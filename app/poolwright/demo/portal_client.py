"""Starts a demo portal as a separate process, calls its admin API, and stops it."""

from __future__ import annotations

import json
import ssl
import tempfile
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import IO

import anyio
import httpx
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from poolwright import interpreter
from poolwright.demo.catalogue.catalogue import ListedOrder
from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.demo.faults import Fault, FaultRule, FaultScope
from poolwright.demo.routes_admin import FAULTS, LISTED_ORDERS, PREFIX, STATS, TOKEN_HEADER, TRUTHS, VISITORS
from poolwright.demo.stats import Stats

_TIMEOUT_S = 60.0
"""The first expected results of thousands of orders take seconds."""
NO_TLS_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no certificates, so that none are loaded, which would take longer than a call: the portal uses no TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalClient:
    """One running portal. Every call opens its own connection and raises ``httpx.HTTPError`` if it fails."""

    url: str
    admin_token: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    pid: int

    def order_url(self, number: str) -> str:
        """Return the URL of an order page."""
        return f"{self.url}/order_headers/{number}"

    async def truth(self, *numbers: str) -> dict[str, OrderTruth]:
        """Return the expected results by order number; without numbers, of all listed and unlisted orders."""
        return TRUTHS.validate_json(await self._request("GET", "/truth", params={"order": list(numbers)}))

    async def orders(self, count: int = 40, *, is_messy: bool = False) -> list[ListedOrder]:
        """Return the order list of a user, with clean numbers or as people type them."""
        variant = "messy" if is_messy else "clean"
        return LISTED_ORDERS.validate_json(
            await self._request("GET", "/orders", params={"count": count, "variant": variant})
        )

    async def stats(self) -> Stats:
        """Return the request statistics."""
        return STATS.validate_json(await self._request("GET", "/stats"))

    async def reset_stats(self) -> None:
        """Set all counts to zero."""
        await self._request("DELETE", "/stats")

    async def add_fault(
        self,
        fault: Fault,
        scope: FaultScope = FaultScope.ORDER_PAGE,
        *,
        order: str | None = None,
        times: int | None = None,
    ) -> None:
        """Register a fault for ``times`` requests of a scope, or for all until it is cleared."""
        rule = FaultRule(fault=fault, scope=scope, order=order, times=times)
        await self._request("POST", "/faults", content=rule.model_dump_json())

    async def faults(self) -> list[FaultRule]:
        """Return the remaining faults."""
        return FAULTS.validate_json(await self._request("GET", "/faults"))

    async def clear_faults(self) -> None:
        """Remove all faults."""
        await self._request("DELETE", "/faults")

    async def expire_sessions(self, *, after_pages: int = 0, times: int = 1) -> None:
        """End all sessions: at once, or at the request after ``after_pages`` order pages, and this ``times`` times."""
        await self._request("POST", "/expire", json={"after_pages": after_pages, "times": times})

    async def visitors(self) -> dict[str, str]:
        """Return the values of the session cookies of all sessions, each with that of the visit cookie."""
        return VISITORS.validate_json(await self._request("GET", "/sessions"))

    async def admit(self, visitors: Mapping[str, str]) -> None:
        """Create sessions with these cookies, as ``visitors`` returns them."""
        await self._request("POST", "/sessions", json=visitors)

    async def require_visit_cookie(self, *, is_required: bool) -> None:
        """Set whether a session needs the visit cookie, too."""
        await self._request("POST", "/rules", json={"require_visit_cookie": is_required})

    async def _request(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str | int | list[str]] | None = None,
        json: Mapping[str, int | bool | str] | None = None,
        content: str | None = None,
    ) -> bytes:
        headers = {TOKEN_HEADER: self.admin_token}
        async with httpx.AsyncClient(
            base_url=self.url, headers=headers, timeout=_TIMEOUT_S, trust_env=False, verify=NO_TLS_CONTEXT
        ) as client:
            response = await client.request(method, PREFIX + path, params=params, json=json, content=content)
        return response.raise_for_status().content


_START_LIMIT_S = 20
_STOP_LIMIT_S = 3
_LINE_LIMIT_BYTES = 4096
_STDERR_SHOWN_BYTES = 2000


class PortalError(Exception):
    """The portal did not start or did not stop. The message includes the end of its error output."""


@asynccontextmanager
async def running_portal(
    *,
    order_count: int = 40,
    seed: int = 7,
    session_minutes: float | None = None,
    port: int = 0,
    totp_secret: str = "",
) -> AsyncGenerator[PortalClient]:
    """Run a portal on this machine for the duration of the block.

    It also stops if this process dies.

    Raises:
        PortalError: It was not ready within 20 s, or was still running after it was killed.
    """
    command = [
        *interpreter.python_command(),
        "-m",
        "poolwright.demo",
        "--die-with-parent",
        f"--orders={order_count}",
        f"--seed={seed}",
    ]
    command.append(f"--port={port}")
    if session_minutes is not None:
        command.append(f"--session-minutes={session_minutes}")
    if totp_secret:
        command.append(f"--totp-secret={totp_secret}")
    with tempfile.TemporaryFile() as error_output:
        # In a new session, so that Ctrl+C in the terminal does not stop the portal, which the program still needs.
        process = await anyio.open_process(command, stderr=error_output, start_new_session=True)
        try:
            yield await _connect(process, error_output)
        finally:
            await _end(process)  # noqa: ASYNC102 - _end() shields itself, with limits


async def _connect(process: Process, error_output: IO[bytes]) -> PortalClient:
    try:
        with anyio.fail_after(_START_LIMIT_S):
            line = await _first_line(process)
    except (TimeoutError, anyio.EndOfStream, anyio.IncompleteRead, anyio.DelimiterNotFound) as error:
        error_output.seek(0)
        message = error_output.read()[-_STDERR_SHOWN_BYTES:].decode(errors="replace").strip()
        raise PortalError(f"The demo portal did not start: {message or 'no output within the time limit'}") from error
    return PortalClient(**json.loads(line), pid=process.pid)


async def _first_line(process: Process) -> bytes:
    if process.stdout is None:
        raise PortalError("The demo portal was started without a pipe for its ready line.")
    return await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", _LINE_LIMIT_BYTES)


async def _end(process: Process) -> None:
    """Terminate the portal, then kill it; shielded from cancellation for at most twice the limit."""
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            process.terminate()
        with anyio.move_on_after(_STOP_LIMIT_S):
            await process.wait()
        if process.returncode is None:
            process.kill()
            with anyio.move_on_after(_STOP_LIMIT_S):
                await process.wait()
        if process.returncode is None:
            raise PortalError(f"The demo portal (pid {process.pid}) is still running after it was killed.")
        await process.aclose()
