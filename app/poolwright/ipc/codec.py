"""Encodes messages as frames (a 4-byte big-endian length, then JSON) and decodes them incrementally, without I/O."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from poolwright.domain.errors import FrameFault
from poolwright.ipc.messages import ToSupervisor, ToWorker

#: Largest frame: the report of an order with tens of thousands of attachments fits.
FRAME_LIMIT_BYTES = 16 * 1024 * 1024
#: Validation problems that an error names.
_PROBLEM_COUNT_MAX = 3
_LENGTH = struct.Struct(">I")

M = TypeVar("M")

#: A type adapter is built when the first frame is read, because each end reads only one of the two.
_BUILD_AT_FIRST_FRAME = ConfigDict(defer_build=True)
TO_WORKER: TypeAdapter[ToWorker] = TypeAdapter(ToWorker, config=_BUILD_AT_FIRST_FRAME)
TO_SUPERVISOR: TypeAdapter[ToSupervisor] = TypeAdapter(ToSupervisor, config=_BUILD_AT_FIRST_FRAME)


class FrameError(Exception):
    """The peer sent an invalid frame. The channel cannot be used any more."""

    def __init__(self, fault: FrameFault, detail: str = "") -> None:
        """Store the fault."""
        super().__init__(f"{fault.value}: {detail}" if detail else fault.value)
        self.fault = fault


def encode(message: BaseModel) -> bytes:
    """Return a message as one frame.

    Raises:
        FrameError: The message is larger than a frame may be.
    """
    body = _body(message)
    if len(body) > FRAME_LIMIT_BYTES:
        raise FrameError(FrameFault.TOO_LARGE, f"{type(message).__name__} of {len(body)} bytes")
    return _LENGTH.pack(len(body)) + body


def _body(message: BaseModel) -> bytes:
    try:
        return message.model_dump_json().encode()
    except PydanticSerializationError:
        # Texts of pages and file names may contain lone surrogates, which UTF-8 cannot encode: they are replaced.
        text = json.dumps(message.model_dump(mode="json"), ensure_ascii=False)
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _problems(error: ValidationError) -> str:
    """Describe where a frame is wrong and how, without quoting its content."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'frame'} {problem['type']}"
        for problem in problems[:_PROBLEM_COUNT_MAX]
    )


class Decoder(Generic[M]):
    """Decodes whole messages from bytes that arrive in chunks of any size."""

    def __init__(self, messages: TypeAdapter[M]) -> None:
        """Decode frames with messages of the type ``messages``."""
        self._messages = messages
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> Iterator[M]:
        """Add bytes and yield every message that is complete now.

        Raises:
            FrameError: The bytes are not a valid frame; nothing after them can be read.
        """
        self._buffer += chunk
        while len(self._buffer) >= _LENGTH.size:
            (size,) = _LENGTH.unpack_from(self._buffer)
            if size > FRAME_LIMIT_BYTES:
                raise FrameError(FrameFault.TOO_LARGE, f"{size} bytes announced")
            end = _LENGTH.size + size
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield self._read(body)

    def finish(self) -> None:
        """Check that the stream did not end inside a frame.

        Raises:
            FrameError: It ended inside a frame.
        """
        if self._buffer:
            raise FrameError(FrameFault.TORN, f"{len(self._buffer)} bytes left")

    def _read(self, body: bytes) -> M:
        try:
            return self._messages.validate_json(body)
        except ValidationError as error:
            # The cause is left out: it quotes the frame, and a frame may hold a password.
            raise FrameError(FrameFault.NOT_A_MESSAGE, _problems(error)) from None
