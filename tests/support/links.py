"""Both ends of pipes and links in one process, as two processes would have them."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.lowlevel import checkpoint

from poolwright.domain.events import Level
from poolwright.ipc.channel import Channel, PipeReader, PipeWriter
from poolwright.ipc.codec import TO_SUPERVISOR, TO_WORKER
from poolwright.ipc.messages import LogNotice, ToSupervisor, ToWorker

#: More than any pipe holds.
LARGE_BYTES = 1_000_000


@asynccontextmanager
async def piped() -> AsyncGenerator[tuple[PipeReader, PipeWriter]]:
    """A pipe of the operating system."""
    read, write = os.pipe()
    reader, writer = PipeReader(read), PipeWriter(write)
    try:
        yield reader, writer
    finally:
        with anyio.CancelScope(shield=True):
            await writer.aclose()
            await reader.aclose()


@asynccontextmanager
async def linked() -> AsyncGenerator[tuple[Channel[ToSupervisor], Channel[ToWorker]]]:
    """The supervisor's end and the worker's end of one link."""
    async with piped() as (down_reader, down_writer), piped() as (up_reader, up_writer):
        yield Channel(up_reader, down_writer, TO_SUPERVISOR), Channel(down_reader, up_writer, TO_WORKER)


async def read_all(reader: PipeReader) -> bytes:
    """All bytes until the writer closes its end."""
    return b"".join([chunk async for chunk in reader])


async def fill(writer: PipeWriter) -> bytes:
    """Put into a pipe what it holds, and tell what that was; nobody may read meanwhile."""
    os.set_blocking(writer._descriptor, False)
    written = b""
    try:
        while True:
            written += b"." * os.write(writer._descriptor, b"." * 65_536)
    except BlockingIOError:
        return written


async def settled() -> None:
    """Let every task of this loop run until it waits for something."""
    for _ in range(10):
        await checkpoint()


def said(text: str) -> LogNotice:
    """A frame of any size."""
    return LogNotice(slot=1, generation=1, level=Level.INFO, text=text)


def is_open(descriptor: int) -> bool:
    """Whether a descriptor of this process is in use."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
