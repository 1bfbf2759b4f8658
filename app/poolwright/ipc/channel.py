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

#: A reader that took the first bytes of an item and leaves the others for so long will not take them any more.
FINISH_LIMIT_S = 5.0
_CHUNK_BYTES = 65_536


class PipeReader(ByteReceiveStream):
    """The end that is read."""

    def __init__(self, descriptor: int) -> None:
        """Take over a descriptor; nobody else may use it from here on."""
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    async def receive(self, max_bytes: int = _CHUNK_BYTES) -> bytes:
        """Wait for bytes.

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
    """The end that is written."""

    def __init__(self, descriptor: int) -> None:
        """Take over a descriptor; nobody else may use it from here on."""
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor

    async def send(self, item: bytes) -> None:
        """Write all bytes, waiting while the pipe is full; all or none of them when the caller is cancelled.

        Raises:
            BrokenResourceError: The reader is gone.
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
        """Write what the pipe takes now, or wait until it takes something; gives what is left."""
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
        """Write what was begun before the caller was cancelled; a reader that takes no more of it gets the end."""
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
    """Typed messages in, any message out. Owns both byte streams; one task receives, any task sends."""

    def __init__(self, source: ByteReceiveStream, sink: ByteSendStream, incoming: TypeAdapter[M]) -> None:
        """Join two byte streams into one link."""
        self._source = source
        self._sink = sink
        self._decoder = Decoder(incoming)
        self._received: deque[M] = deque()
        self._fault: FrameError | None = None
        self._sending = anyio.Lock()

    async def __aenter__(self) -> Self:
        """Use the link."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the link."""
        await self.aclose()

    async def send(self, message: BaseModel) -> None:
        """Write one frame, whole or not at all when the caller is cancelled: half a frame would end the link.

        That is what the sink does with any item: a pipe finishes it, asyncio's streams and threads have it already.

        Raises:
            BrokenResourceError: The peer is gone.
            ClosedResourceError: The link was closed here.
            WireError: The message is too large for a frame.
        """
        frame = encode(message)
        async with self._sending:
            await self._sink.send(frame)

    async def receive(self) -> M:
        """The next message.

        Raises:
            EndOfStream: The peer closed the link between two frames.
            WireError: The peer sent no frame, or closed the link inside one; nothing after that is read.
            ClosedResourceError: The link was closed here.
        """
        while not self._received:
            if self._fault is not None:
                raise self._fault
            await self._read()
        return self._received.popleft()

    async def _read(self) -> None:
        """Read once. A fault waits until the messages before it were taken."""
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
