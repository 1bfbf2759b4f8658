"""Programs that entries start: each is ended with the block that runs it, however that ends."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ByteReceiveStream, Process

from poolwright import interpreter

#: So much of what a program complained about is told.
LAST_WORDS_BYTES = 600
#: A killed program is gone in milliseconds, unless a disk holds it.
_KILL_LIMIT_S = 5.0
_OURS = "POOLWRIGHT_"


def environment(*, is_ours: bool) -> Mapping[str, str]:
    """Return the environment of a child process; only our own program gets our settings, which may hold a password."""
    everything = dict(os.environ)  # noqa: TID251
    if is_ours:
        return everything
    return {
        name: value
        for name, value in everything.items()
        if not name.startswith(_OURS) and name not in interpreter.own_variables
    }


@asynccontextmanager
async def ending(process: Process, limit_s: float) -> AsyncGenerator[None]:
    """Terminate a program at the end of the block, then kill the rest of its session.

    Args:
        process: Leads a session of its own.
        limit_s: So long it may take after it was asked; also when the caller is cancelled.
    """
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                with anyio.move_on_after(limit_s):
                    await process.wait()
            _kill_session(process)
            with anyio.move_on_after(_KILL_LIMIT_S):
                await process.wait()
            await process.aclose()


async def read_tail(stream: ByteReceiveStream, most_bytes: int) -> bytes:
    """Return the last bytes of a stream, once it has ended."""
    tail = b""
    async for piece in stream:
        tail = (tail + piece)[-most_bytes:]
    return tail


def _kill_session(process: Process) -> None:
    """Kill the program and what it left in its session; its number is not another's while that has members."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        elif process.returncode is None:
            process.kill()
