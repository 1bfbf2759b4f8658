"""A process that eats memory and starts others, one line of its standard input at a time.

``python -m tests.process.system.memory_hog``; each line is a word and a number of megabytes, and is answered by a pid.
"""

from __future__ import annotations

import os
import signal
import sys

EATEN: list[bytes] = []


def eat(megabytes: int) -> int:
    """Fill new pages."""
    EATEN.append(b"x" * (megabytes << 20))
    return os.getpid()


def fork(megabytes: int) -> int:
    """Start a child that shares all pages with this process, and has some of its own."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        eat(megabytes)
        os.write(write, b"ready")
        while True:
            signal.pause()
    os.read(read, 5)
    _close(read, write)
    return pid


def leave(megabytes: int) -> int:
    """Start a grandchild whose parent ends at once."""
    read, write = os.pipe()
    parent = os.fork()
    if parent == 0:
        os.write(write, str(fork(megabytes)).encode())
        os._exit(0)
    os.waitpid(parent, 0)
    pid = int(os.read(read, 20))
    _close(read, write)
    return pid


def _close(*ends: int) -> None:
    for end in ends:
        os.close(end)


WORDS = {"eat": eat, "fork": fork, "leave": leave}

if __name__ == "__main__":
    for line in sys.stdin:
        word, number = line.split()
        os.write(1, f"{WORDS[word](int(number))}\n".encode())
