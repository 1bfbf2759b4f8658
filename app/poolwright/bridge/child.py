"""The worker's end of the link: claims its descriptors before anything can print on them, and ends with its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from dataclasses import dataclass

from anyio.abc import ByteReceiveStream, ByteSendStream
from anyio.streams.file import FileReadStream, FileWriteStream

from poolwright.bridge.pipes import PipeReader, PipeWriter
from poolwright.bridge.stream import FrameStream
from poolwright.wire.codec import TO_WORKER
from poolwright.wire.messages import ToWorker

#: Frames over the process's own stdin and stdout, for platforms that cannot pass further descriptors.
STDIO = "stdio"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The descriptors of the channel, protected from anything that prints."""

    read: int
    write: int


def claim(frames: str) -> Claimed:
    """Take the descriptors named on the command line: ``READ,WRITE``, or ``stdio``.

    With ``stdio`` the process's own stdin and stdout are moved away and replaced: reading gives the end of file,
    printing goes to stderr, where the supervisor reads log lines.
    """
    if frames != STDIO:
        read, write = (int(part) for part in frames.split(","))
        os.set_inheritable(read, False)  # noqa: FBT003 - takes no keyword
        os.set_inheritable(write, False)  # noqa: FBT003
        return Claimed(read=read, write=write)
    claimed = Claimed(read=os.dup(0), write=os.dup(1))
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    os.dup2(2, 1)
    return claimed


def link(claimed: Claimed, *, has_pollable_pipes: bool = os.name == "posix") -> FrameStream[ToWorker]:
    """Open the claimed descriptors as a link; threads read and write them where the platform cannot poll pipes."""
    source: ByteReceiveStream
    sink: ByteSendStream
    if has_pollable_pipes:
        source, sink = PipeReader(claimed.read), PipeWriter(claimed.write)
    else:
        source = FileReadStream(os.fdopen(claimed.read, "rb", buffering=0))
        sink = FileWriteStream(os.fdopen(claimed.write, "wb", buffering=0))
    return FrameStream(source, sink, TO_WORKER)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies, also when the parent is killed outright.

    The browser's driver then sees its pipe close and closes the browser. Elsewhere than on Linux the closed link
    does the same a moment later, and so it does for a parent that died before the kernel was asked.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
