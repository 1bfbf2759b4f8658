"""Messages over a pair of byte streams. Both ends of the link stand on this."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import Generic, Self, TypeVar

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream
from pydantic import BaseModel, TypeAdapter

from app.wire.codec import Decoder, encode

M = TypeVar("M")


class FrameStream(Generic[M]):
    """Typed messages in, any message out. Owns both byte streams; one task receives, any task sends."""

    def __init__(self, source: ByteReceiveStream, sink: ByteSendStream, incoming: TypeAdapter[M]) -> None:
        """Join two byte streams into one link."""
        self._source = source
        self._sink = sink
        self._decoder = Decoder(incoming)
        self._received: deque[M] = deque()
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
        """Write one frame whole, also when the caller is cancelled in the middle: half a frame would end the link.

        Raises:
            BrokenResourceError: The peer is gone.
            ClosedResourceError: The link was closed here.
            WireError: The message is too large for a frame.
        """
        frame = encode(message)
        async with self._sending:
            with anyio.CancelScope(shield=True):
                await self._sink.send(frame)

    async def receive(self) -> M:
        """The next message.

        Raises:
            EndOfStream: The peer closed the link between two frames.
            WireError: The peer sent no frame, or closed the link inside one.
            ClosedResourceError: The link was closed here.
        """
        while not self._received:
            try:
                chunk = await self._source.receive()
            except anyio.EndOfStream:
                self._decoder.finish()
                raise
            self._received.extend(self._decoder.feed(chunk))
        return self._received.popleft()

    async def aclose(self) -> None:
        """Close both directions; the peer sees the end of the stream."""
        await self._sink.aclose()
        await self._source.aclose()
