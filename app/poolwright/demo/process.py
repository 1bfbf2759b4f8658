"""Starts the portal as a process of its own, and proves at the end that it is gone."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import IO

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from poolwright import interpreter
from poolwright.demo.client import Portal

_START_LIMIT_S = 20
_STOP_LIMIT_S = 3
_LINE_LIMIT_BYTES = 4096
_LAST_WORDS_BYTES = 2000


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
) -> AsyncGenerator[Portal]:
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
            yield await _portal_of(process, last_words)
        finally:
            await _end(process)  # noqa: ASYNC102 - _end() shields itself, with limits


async def _portal_of(process: Process, last_words: IO[bytes]) -> Portal:
    try:
        with anyio.fail_after(_START_LIMIT_S):
            line = await _first_line(process)
    except (TimeoutError, anyio.EndOfStream, anyio.IncompleteRead, anyio.DelimiterNotFound) as problem:
        last_words.seek(0)
        told = last_words.read()[-_LAST_WORDS_BYTES:].decode(errors="replace").strip()
        raise PortalError(f"The demo portal did not start: {told or 'no output within the time limit'}") from problem
    return Portal(**json.loads(line), pid=process.pid)


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
