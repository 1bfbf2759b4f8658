"""The client of a demo portal: starts it as a separate process, calls its admin API, and ends it."""

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
"""The first truth of thousands of orders takes seconds."""
NO_TLS_CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody and so loads no certificates, which would take longer than a call: the portal has none itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalClient:
    """One running portal. Every call opens a connection of its own and raises ``httpx.HTTPError`` when it fails."""

    url: str
    admin_token: str = field(repr=False)
    user: str
    password: str = field(repr=False)
    pid: int

    def order_url(self, number: str) -> str:
        """The page of an order."""
        return f"{self.url}/order_headers/{number}"

    async def truth(self, *numbers: str) -> dict[str, OrderTruth]:
        """What must come of these orders, by number; of all of them, listed and odd, when none is named."""
        return TRUTHS.validate_json(await self._request("GET", "/truth", params={"order": list(numbers)}))

    async def orders(self, count: int = 40, *, is_messy: bool = False) -> list[ListedOrder]:
        """The list that a user would bring: clean, or as people type it."""
        variant = "messy" if is_messy else "clean"
        return LISTED_ORDERS.validate_json(
            await self._request("GET", "/orders", params={"count": count, "variant": variant})
        )

    async def stats(self) -> Stats:
        """What was asked of the portal so far."""
        return STATS.validate_json(await self._request("GET", "/stats"))

    async def reset_stats(self) -> None:
        """Count from zero again."""
        await self._request("DELETE", "/stats")

    async def add_fault(
        self,
        fault: Fault,
        scope: FaultScope = FaultScope.ORDER_PAGE,
        *,
        order: str | None = None,
        times: int | None = None,
    ) -> None:
        """Let a fault strike ``times`` requests of a scope, or all of them until it is cleared."""
        standing = FaultRule(fault=fault, scope=scope, order=order, times=times)
        await self._request("POST", "/faults", content=standing.model_dump_json())

    async def faults(self) -> list[FaultRule]:
        """The faults that are still to strike."""
        return FAULTS.validate_json(await self._request("GET", "/faults"))

    async def clear_faults(self) -> None:
        """End all faults."""
        await self._request("DELETE", "/faults")

    async def expire_sessions(self, *, after_pages: int = 0, times: int = 1) -> None:
        """Log everybody out: at once, or when the order page after so many more is asked for, so many times over."""
        await self._request("POST", "/expire", json={"after_pages": after_pages, "times": times})

    async def visitors(self) -> dict[str, str]:
        """Everybody who is logged in: values of the session cookie, each with that of the cookie without expiry."""
        return VISITORS.validate_json(await self._request("GET", "/sessions"))

    async def admit(self, visitors: Mapping[str, str]) -> None:
        """Let in whoever has these cookies, as ``visitors`` gives them."""
        await self._request("POST", "/sessions", json=visitors)

    async def require_visit_cookie(self, *, is_required: bool) -> None:
        """Say whether a login needs the cookie without expiry too."""
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
            answer = await client.request(method, PREFIX + path, params=params, json=json, content=content)
        return answer.raise_for_status().content


_START_LIMIT_S = 20
_STOP_LIMIT_S = 3
_LINE_LIMIT_BYTES = 4096
_STDERR_SHOWN_BYTES = 2000


class PortalError(Exception):
    """The portal did not start, or did not end. The message holds its last words."""


@asynccontextmanager
async def running_portal(
    *,
    order_count: int = 40,
    seed: int = 7,
    session_minutes: float | None = None,
    port: int = 0,
    totp_secret: str = "",
) -> AsyncGenerator[PortalClient]:
    """Run a portal on this machine for the length of the block.

    It ends with the block, however that ends, and by itself should this process die.

    Raises:
        PortalError: It said nothing within 20 s, or was still alive after it was killed.
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
    with tempfile.TemporaryFile() as last_words:
        # A session of its own: a Ctrl+C in the terminal is for the program, which still needs the portal then.
        process = await anyio.open_process(command, stderr=last_words, start_new_session=True)
        try:
            yield await _connect(process, last_words)
        finally:
            await _end(process)  # noqa: ASYNC102 - _end() shields itself, with limits


async def _connect(process: Process, last_words: IO[bytes]) -> PortalClient:
    try:
        with anyio.fail_after(_START_LIMIT_S):
            line = await _first_line(process)
    except (TimeoutError, anyio.EndOfStream, anyio.IncompleteRead, anyio.DelimiterNotFound) as problem:
        last_words.seek(0)
        told = last_words.read()[-_STDERR_SHOWN_BYTES:].decode(errors="replace").strip()
        raise PortalError(f"The demo portal did not start: {told or 'no output within the time limit'}") from problem
    return PortalClient(**json.loads(line), pid=process.pid)


async def _first_line(process: Process) -> bytes:
    if process.stdout is None:
        raise PortalError("The demo portal was started without a pipe to answer on.")
    return await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", _LINE_LIMIT_BYTES)


async def _end(process: Process) -> None:
    """Ask, then kill; cancellation waits for it, at most twice the limit."""
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
            raise PortalError(f"The demo portal (pid {process.pid}) is still alive after it was killed.")
        await process.aclose()
