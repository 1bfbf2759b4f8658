"""What a worker inherits from its supervisor: the descriptors of the channel, and its end with its parent.

Loads no library, because it comes before everything else in a worker.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from dataclasses import dataclass

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


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies, also when the parent is killed outright.

    The browser's driver then sees its pipe close and closes the browser. On other systems than Linux the closed channel
    has the same effect a moment later, as it has if the parent died before this call.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
