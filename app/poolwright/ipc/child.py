"""The worker's end of the channel, and its outgoing messages."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from anyio.abc import ByteReceiveStream, ByteSendStream
from anyio.streams.file import FileReadStream, FileWriteStream
from anyio.streams.memory import MemoryObjectSendStream
from pydantic import BaseModel

from poolwright.domain.events import Level
from poolwright.domain.ids import WorkerRef
from poolwright.domain.state_machine import Transition
from poolwright.ipc.channel import Channel, PipeReader, PipeWriter
from poolwright.ipc.codec import TO_WORKER
from poolwright.ipc.inherited_pipes import InheritedPipes
from poolwright.ipc.messages import LogNotice, StateChanged, ToWorker


def open_channel(pipes: InheritedPipes, *, has_pollable_pipes: bool = os.name == "posix") -> Channel[ToWorker]:
    """Open the inherited descriptors as a channel; threads read and write them if the platform cannot poll pipes."""
    source: ByteReceiveStream
    sink: ByteSendStream
    if has_pollable_pipes:
        source, sink = PipeReader(pipes.read), PipeWriter(pipes.write)
    else:
        source = FileReadStream(os.fdopen(pipes.read, "rb", buffering=0))
        sink = FileWriteStream(os.fdopen(pipes.write, "wb", buffering=0))
    return Channel(source, sink, TO_WORKER)


@dataclass(kw_only=True)
class Outbox:
    """Queues the messages of one worker to its supervisor; never waits."""

    worker: WorkerRef
    outbox: MemoryObjectSendStream[BaseModel]

    def send(self, kind: Callable[..., BaseModel], /, **content: object) -> None:
        """Queue one message."""
        self.outbox.send_nowait(kind(slot=self.worker.slot, generation=self.worker.generation, **content))

    def report_transition(self, transition: Transition) -> None:
        """Queue a transition of a state machine."""
        self.send(StateChanged, transition=transition)

    def report_status(self, level: Level, text: str) -> None:
        """Queue a log message for people."""
        self.send(LogNotice, level=level, text=text)
