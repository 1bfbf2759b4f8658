"""Messages to bytes and back: a 4-byte big-endian length, then JSON. Incremental, bounded, no I/O."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from app.domain.failures import Fault
from app.wire.messages import ToSupervisor, ToWorker

#: Largest frame; a report with hundreds of attachments stays far below.
FRAME_LIMIT_BYTES = 1024 * 1024
_LENGTH = struct.Struct(">I")

M = TypeVar("M")

TO_WORKER: TypeAdapter[ToWorker] = TypeAdapter(ToWorker)
TO_SUPERVISOR: TypeAdapter[ToSupervisor] = TypeAdapter(ToSupervisor)


class WireError(Exception):
    """The peer sent what is no frame of this protocol. The link cannot be used any more."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        """Keep whose fault it is."""
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault


def encode(message: BaseModel) -> bytes:
    """One frame.

    Raises:
        WireError: The message is larger than a frame may be.
    """
    body = message.model_dump_json().encode()
    if len(body) > FRAME_LIMIT_BYTES:
        raise WireError(Fault.TOO_LARGE, f"{type(message).__name__} of {len(body)} bytes")
    return _LENGTH.pack(len(body)) + body


class Decoder(Generic[M]):
    """Takes bytes in any chunks, gives whole messages."""

    def __init__(self, messages: TypeAdapter[M]) -> None:
        """Read frames that hold ``messages``."""
        self._messages = messages
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[M]:
        """Add bytes and yield every message that is whole now.

        Raises:
            WireError: The bytes are no frame; nothing after them can be read.
        """
        self._buffer += chunk
        while len(self._buffer) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._buffer)
            if size > FRAME_LIMIT_BYTES:
                raise WireError(Fault.TOO_LARGE, f"{size} bytes announced")
            end = _LENGTH.size + size
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield self._read(body)

    def finish(self) -> None:
        """The link ended.

        Raises:
            WireError: It ended inside a frame.
        """
        if self._buffer:
            raise WireError(Fault.TORN, f"{len(self._buffer)} bytes left")

    def _read(self, body: bytes) -> M:
        try:
            return self._messages.validate_json(body)
        except ValidationError as error:
            raise WireError(Fault.NOT_A_MESSAGE, f"{error.error_count()} problems") from error
