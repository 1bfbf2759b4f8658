"""A worker process that plays one part, named by SCRIPT in its environment. Light: it imports nothing of the program.

Started as ``python -m tests.support.scripted_child SLOT GENERATION FRAMES``. Whatever the part, it first tells its own
pid, or that of the process that it leaves behind, in a frame of its own.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

ENVIRONMENT = os.environ  # noqa: TID251 - the only place where a script can be named
#: Lives until it is killed, in a session of its own, holding none of its parent's descriptors but the outputs.
_SLEEPER = [sys.executable, "-c", "import os, signal, sys; os.close(int(sys.argv[1])); signal.pause()"]


class Part:
    """What every part can do."""

    def __init__(self, slot: str, generation: str, frames: str) -> None:
        self.slot, self.generation = int(slot), int(generation)
        self.read, self.write = (0, 1) if frames == "stdio" else map(int, frames.split(","))

    def say(self, text: str) -> None:
        content = {"type": "said", "slot": self.slot, "generation": self.generation, "level": "info", "text": text}
        body = json.dumps(content).encode()
        frame = struct.pack(">I", len(body)) + body
        while frame:
            frame = frame[os.write(self.write, frame) :]

    def listen(self) -> bytes:
        """All that comes until the link is closed."""
        heard = b""
        while chunk := os.read(self.read, 65_536):
            heard += chunk
        return heard

    def leave(self, *arguments: str, environment: dict[str, str] | None = None) -> None:
        """Start a process that outlives this one."""
        started, starting = os.pipe()
        command = [*_SLEEPER, str(starting), *arguments]
        left = subprocess.Popen(command, env=environment, start_new_session=True, pass_fds=(starting,))
        left.returncode = 0  # nobody here will ask for it again
        os.close(starting)
        os.read(started, 1)  # for a moment after its start Linux shows neither arguments nor environment of a process
        os.close(started)
        self.say(str(left.pid))


def orderly(part: Part) -> None:
    """Ends when its link is closed, as a worker does."""
    part.say(str(os.getpid()))
    part.listen()


def thoughtful(part: Part) -> None:
    """Tells how it was ended: by the closed link alone, or by a signal as well."""

    def note(_number: int, _frame: FrameType | None) -> None:
        os._exit(15)

    signal.signal(signal.SIGTERM, note)
    part.say(str(os.getpid()))
    part.listen()
    os._exit(5)


def stubborn(part: Part) -> None:
    """Does not care about its link, and ends by SIGTERM."""
    part.say(str(os.getpid()))
    signal.pause()


def deaf(part: Part) -> None:
    """Cares about nothing but SIGKILL."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    part.say(str(os.getpid()))
    while True:
        signal.pause()


def stopped(part: Part) -> None:
    """Hangs, as under a debugger or on a machine without memory."""
    part.say(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGSTOP)


def failing(part: Part) -> None:
    """Ends by itself with an exit code."""
    part.say(str(os.getpid()))
    sys.exit(7)


def killed(part: Part) -> None:
    """Is killed, as by the kernel when memory runs out."""
    part.say(str(os.getpid()))
    os.kill(os.getpid(), signal.SIGKILL)


def silent(part: Part) -> None:
    """Ends before its first word."""


def leaving(part: Part) -> None:
    """Ends in order and leaves a process that is known by its descent alone."""
    part.leave(environment={})
    part.listen()


def dying_by_folder(part: Part) -> None:
    """Dies, and leaves a process that is marked by its temporary folder alone."""
    part.leave()
    sys.exit(7)


def dying_by_profile(part: Part) -> None:
    """Dies, and leaves a process that is marked by its profile alone, as Chromium is."""
    part.leave(f"--user-data-dir={ENVIRONMENT['PROFILE']}", environment={})
    sys.exit(7)


def dying_unmarked(part: Part) -> None:
    """Tells of a process that only its descent gives away, and dies when its link is closed or it is killed."""
    part.leave(environment={})
    signal.pause()


def dying_unseen(part: Part) -> None:
    """Dies, and leaves a process that dies by itself a moment later, of a session that nobody has seen."""
    short = subprocess.run(
        ["/bin/sh", "-c", "sleep 0.1 >/dev/null 2>&1 & echo $!"],
        env={},
        start_new_session=True,
        stdout=subprocess.PIPE,
        check=True,
    )
    part.say(short.stdout.decode().strip())
    sys.exit(7)


def disowning(part: Part, *, is_of_its_session: bool) -> None:
    """Starts a process whose parent ends at once."""
    asked = subprocess.run(
        ["/bin/sh", "-c", "sleep 600 >/dev/null 2>&1 & echo $!"],
        env={} if is_of_its_session else None,
        start_new_session=not is_of_its_session,
        stdout=subprocess.PIPE,
        check=True,
    )
    part.say(asked.stdout.decode().strip())
    part.listen()


def disowning_by_session(part: Part) -> None:
    """Lives on without a process that only its session gives away."""
    disowning(part, is_of_its_session=True)


def disowning_by_folder(part: Part) -> None:
    """Lives on without a process that only its temporary folder gives away."""
    disowning(part, is_of_its_session=False)


def printing(part: Part) -> None:
    """Prints in every way, and then ends."""
    part.say(str(os.getpid()))
    if part.write != 1:
        os.write(1, b"to stdout\n")
    os.write(2, "plain ünï\nwindows \r\n\n  \nhalf".encode())
    os.write(2, b" a line\n\xff\xfe no text\n")
    os.write(2, b"long: " + b"x" * 200_000 + b" end\n" + b"no end of line")


def telling(part: Part) -> None:
    """Tells its surroundings."""
    part.say(str(os.getpid()))
    part.say(
        json.dumps(
            {
                "environment": dict(ENVIRONMENT),
                "session": os.getsid(0),
                "arguments": sys.argv[1:],
                "stdin": "" if part.read == 0 else sys.stdin.read(),
                "open": sorted(int(one.name) for one in Path("/proc/self/fd").iterdir() if one.exists()),
            }
        )
    )
    part.listen()


def echoing(part: Part) -> None:
    """Says the first frame that it hears as it came."""
    part.say(str(os.getpid()))
    (size,) = struct.unpack(">I", os.read(part.read, 4))
    body = b""
    while len(body) < size:
        body += os.read(part.read, size - len(body))
    part.say(body.decode())
    part.listen()


PARTS: dict[str, Callable[[Part], None]] = {
    part.__name__: part
    for part in (
        orderly,
        thoughtful,
        stubborn,
        deaf,
        stopped,
        failing,
        killed,
        silent,
        leaving,
        dying_by_folder,
        dying_by_profile,
        dying_unmarked,
        dying_unseen,
        disowning_by_session,
        disowning_by_folder,
        printing,
        telling,
        echoing,
    )
}

if __name__ == "__main__":
    PARTS[ENVIRONMENT["SCRIPT"]](Part(*sys.argv[1:]))
