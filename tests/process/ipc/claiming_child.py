"""A worker process that claims its link as the real one does, and then prints without any care.

Started as ``python -m tests.process.ipc.claiming_child SLOT GENERATION FRAMES``; SCRIPT in its environment names the
part.
"""

from __future__ import annotations

import os
import subprocess
import sys

from poolwright.ipc.child import open_channel
from poolwright.ipc.inherited_pipes import take_over_descriptors

CLAIMED = take_over_descriptors(sys.argv[3])

import anyio  # noqa: E402 - the link is claimed first, as in the real worker

from poolwright.domain.events import Level  # noqa: E402
from poolwright.ipc.channel import Channel  # noqa: E402
from poolwright.ipc.messages import Assign, LogNotice, ToWorker  # noqa: E402

SCRIPT = os.environ["SCRIPT"]  # noqa: TID251 - the only place where a script can be named


def said(text: str) -> LogNotice:
    return LogNotice(slot=int(sys.argv[1]), generation=int(sys.argv[2]), level=Level.INFO, text=text)


def make_noise() -> None:
    """Prints in every way that a program or its libraries can."""
    print("printed by python")  # noqa: T201
    os.write(1, b"written to descriptor 1\n")
    os.write(2, b"written to descriptor 2\n")
    subprocess.run(["echo", "printed by another program"], check=True)
    assert sys.stdin.read() == ""


async def noisy(channel: Channel[ToWorker]) -> None:
    """Answers every task with its number, and prints before and after."""
    while True:
        try:
            message = await channel.receive()
        except anyio.EndOfStream:
            return
        assert isinstance(message, Assign)
        make_noise()
        await channel.send(said(message.task.po_number))
        make_noise()


def leave() -> int:
    """Start a process that has everything open that can be inherited, and outlives this one."""
    left = subprocess.Popen(
        [sys.executable, "-c", "import signal; signal.pause()"], close_fds=False, start_new_session=True
    )
    left.returncode = 0  # nobody here will ask for it again
    return left.pid


async def leaving(channel: Channel[ToWorker]) -> None:
    """Leaves a process behind and dies at once."""
    await channel.send(said(str(leave())))
    os._exit(0)


async def serve() -> None:
    async with open_channel(CLAIMED) as channel:
        await channel.send(said(str(os.getpid())))
        await {"noisy": noisy, "leaving": leaving}[SCRIPT](channel)


if __name__ == "__main__":
    anyio.run(serve)
