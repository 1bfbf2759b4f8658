"""Messages over a pair of byte streams. Both ends of the link stand on this."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream
from pydantic import BaseModel, TypeAdapter

from poolwright.wire.codec import Decoder, WireError, encode

M = TypeVar("M")


class FrameStream(Generic[M]):
    """Typed messages in, any message out. Owns both byte streams; one task receives, any task sends."""

    def __init__(self, source: ByteReceiveStream, sink: ByteSendStream, incoming: TypeAdapter[M]) -> None:
        """Join two byte streams into one link."""
        self._source = source
        self._sink = sink
        self._decoder = Decoder(incoming)
        self._received: deque[M] = deque()
        self._fault: WireError | None = None
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
        except WireError as error:
            self._fault = error

    async def aclose(self) -> None:
        """Close both directions; the peer sees the end of the stream."""
        try:
            await self._sink.aclose()
        finally:
            await self._source.aclose()
