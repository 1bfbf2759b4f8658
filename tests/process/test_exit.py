"""The end of our own processes: quick, and yet nothing that was to happen at the end is left out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LEAVE = """
import atexit, sys, threading
from poolwright import interpreter

class Late:
    def __del__(self):
        print("the interpreter took everything apart")

late = Late()
atexit.register(print, "the handler of a user")
print("what was printed", end="")
sys.stderr.write("what went wrong")
interpreter.end_process(7)
"""
#: With output that waits in a buffer, whatever the environment says.
QUIETLY = [sys.executable, "-I", "-c", LEAVE]


def test_handlers_run_and_output_is_written_before_the_quick_end() -> None:
    ended = subprocess.run(QUIETLY, capture_output=True, text=True, timeout=60, check=False)

    assert ended.returncode == 7
    assert ended.stdout == "what was printedthe handler of a user\n"
    assert ended.stderr == "what went wrong"


@pytest.mark.skipif(sys.platform == "win32", reason="no such file on Windows")
def test_output_that_cannot_be_written_does_not_change_the_code() -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(QUIETLY, stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)

    assert (ended.returncode, ended.stderr) == (7, b"what went wrong")
