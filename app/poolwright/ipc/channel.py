"""A typed message channel over a pair of byte streams, and pipes of the operating system as such streams."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream
from anyio.lowlevel import checkpoint
from pydantic import BaseModel, TypeAdapter

from poolwright.ipc.codec import Decoder, FrameError, encode

#: Time limit for writing the rest of an item that the reader has begun to read; after that the pipe is closed.
FINISH_LIMIT_S = 5.0
_CHUNK_BYTES = 65_536


class PipeReader(ByteReceiveStream):
    """The reading end of a pipe."""

    def __init__(self, descriptor: int) -> None:
        """Take over a descriptor, which no other code may use from now on."""
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    async def receive(self, max_bytes: int = _CHUNK_BYTES) -> bytes:
        """Wait for bytes and return them.

        Raises:
            EndOfStream: Every writer has closed its end.
            ClosedResourceError: This end was closed here.
        """
        await checkpoint()
        while True:
            if self._descriptor < 0:
                raise anyio.ClosedResourceError
            try:
                chunk = os.read(self._descriptor, max_bytes)
            except BlockingIOError:
                await anyio.wait_readable(self._descriptor)
                continue
            if not chunk:
                raise anyio.EndOfStream
            return chunk

    async def aclose(self) -> None:
        """Close the descriptor; a waiting ``receive`` ends with ``ClosedResourceError``."""
        self._descriptor = _close(self._descriptor)
        await checkpoint()


class PipeWriter(ByteSendStream):
    """The writing end of a pipe."""

    def __init__(self, descriptor: int) -> None:
        """Take over a descriptor, which no other code may use from now on."""
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    async def send(self, item: bytes) -> None:
        """Write all bytes, waiting while the pipe is full; all or none of them if the caller is cancelled.

        Raises:
            BrokenResourceError: The reader has closed its end.
            ClosedResourceError: This end was closed here.
        """
        await checkpoint()
        rest = memoryview(item)
        try:
            while rest:
                rest = await self._write(rest)
        except anyio.get_cancelled_exc_class():
            if len(rest) < len(item):
                await self._finish(rest)  # noqa: ASYNC102 - _finish() shields itself, with a limit
            raise

    async def _write(self, rest: memoryview) -> memoryview:
        """Write what fits into the pipe now, or wait until something does; return the rest."""
        if self._descriptor < 0:
            raise anyio.ClosedResourceError
        try:
            return rest[os.write(self._descriptor, rest) :]
        except BlockingIOError:
            await anyio.wait_writable(self._descriptor)
            return rest
        except BrokenPipeError as error:
            raise anyio.BrokenResourceError from error

    async def _finish(self, rest: memoryview) -> None:
        """Write the rest of an item that was begun before a cancellation, or close the pipe after the limit."""
        with (
            anyio.move_on_after(FINISH_LIMIT_S, shield=True),
            contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError),
        ):
            while rest:
                rest = await self._write(rest)
        if rest:
            self._descriptor = _close(self._descriptor)

    async def aclose(self) -> None:
        """Close the descriptor: the reader sees the end of the stream."""
        self._descriptor = _close(self._descriptor)
        await checkpoint()


def _close(descriptor: int) -> int:
    if descriptor >= 0:
        anyio.notify_closing(descriptor)
        os.close(descriptor)
    return -1


M = TypeVar("M")


class Channel(Generic[M]):
    """Receives typed messages and sends any. Owns both byte streams; one task receives, any task sends."""

    def __init__(self, source: ByteReceiveStream, sink: ByteSendStream, incoming: TypeAdapter[M]) -> None:
        """Join two byte streams into one channel."""
        self._source = source
        self._sink = sink
        self._decoder = Decoder(incoming)
        self._received: deque[M] = deque()
        self._fault: FrameError | None = None
        self._sending = anyio.Lock()

    async def __aenter__(self) -> Self:
        """Return the channel itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the channel."""
        await self.aclose()

    async def send(self, message: BaseModel) -> None:
        """Write one frame, whole or not at all if the caller is cancelled: half a frame would break the channel.

        The sink ensures that: a pipe finishes an item that it has begun, asyncio's streams and threads buffer it.

        Raises:
            BrokenResourceError: The peer has closed its end.
            ClosedResourceError: The channel was closed here.
            FrameError: The message is too large for a frame.
        """
        frame = encode(message)
        async with self._sending:
            await self._sink.send(frame)

    async def receive(self) -> M:
        """Wait for the next message and return it.

        Raises:
            EndOfStream: The peer closed the channel between two frames.
            FrameError: The peer sent an invalid frame, or closed the channel inside one; nothing after that is read.
            ClosedResourceError: The channel was closed here.
        """
        while not self._received:
            if self._fault is not None:
                raise self._fault
            await self._read()
        return self._received.popleft()

    async def _read(self) -> None:
        """Read once. A fault is raised after the messages before it were received."""
        try:
            chunk = await self._source.receive()
        except anyio.EndOfStream:
            self._decoder.finish()
            raise
        try:
            self._received.extend(self._decoder.feed(chunk))
        except FrameError as error:
            self._fault = error

    async def aclose(self) -> None:
        """Close both directions; the peer sees the end of the stream."""
        try:
            await self._sink.aclose()
        finally:
            await self._source.aclose()
