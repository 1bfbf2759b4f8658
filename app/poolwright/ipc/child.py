"""The worker's end of the channel: its inherited descriptors, its outgoing messages, and its end with its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
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
from poolwright.ipc.messages import LogNotice, StateChanged, ToWorker

#: Frames over the process's own stdin and stdout, for platforms that cannot pass further descriptors.
STDIO = "stdio"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InheritedPipes:
    """The descriptors of the channel, protected from anything that prints."""

    read: int
    write: int


def take_over_descriptors(frames: str) -> InheritedPipes:
    """Take over the descriptors from the command line: ``READ,WRITE``, or ``stdio``.

    With ``stdio`` the process's own stdin and stdout are moved and replaced: stdin gives the end of file, and stdout
    goes to stderr, where the supervisor reads log lines.
    """
    if frames != STDIO:
        read, write = (int(part) for part in frames.split(","))
        os.set_inheritable(read, False)  # noqa: FBT003 - takes no keyword
        os.set_inheritable(write, False)  # noqa: FBT003
        return InheritedPipes(read=read, write=write)
    pipes = InheritedPipes(read=os.dup(0), write=os.dup(1))
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return pipes


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


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies, also when the parent is killed outright.

    The browser's driver then sees its pipe close and closes the browser. On other systems than Linux the closed channel
    has the same effect a moment later, as it has if the parent died before this call.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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
