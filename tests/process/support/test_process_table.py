"""The process table of a test holds what the test started, and what names its folder, whoever has it by now."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.child_processes import kill_all
from tests.support.process_table import process_table

#: What a process whose parent ends becomes: the child of the nearest ancestor that asked for that, as the program does.
_PR_SET_CHILD_SUBREAPER, _PR_GET_CHILD_SUBREAPER = 36, 37
WAITS = "import signal; signal.pause()"
#: Starts a process that outlives it, tells its pid, and ends.
LEAVES = """
import subprocess, sys
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
left = subprocess.Popen([sys.executable, "-c", *sys.argv[1:]], start_new_session=True, **quiet)
print(left.pid)
left.returncode = 0
"""


@pytest.fixture(autouse=True)
def _orphans_are_not_ours() -> Generator[None]:
    """Whatever a test before this one started in this process, orphans do not become its children."""
    if sys.platform != "linux":
        yield
        return
    kernel, before = ctypes.CDLL(None), ctypes.c_int()
    kernel.prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before))
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 0)
    try:
        yield
    finally:
        kernel.prctl(_PR_SET_CHILD_SUBREAPER, before.value)


@contextmanager
def left_alone(*arguments: str, environment: dict[str, str] | None = None) -> Generator[int]:
    """A process that is nobody's child here."""
    command = [sys.executable, "-c", LEAVES, WAITS, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    pid = int(done.stdout)
    try:
        yield pid
    finally:
        kill_all([pid])


@contextmanager
def child_of_ours() -> Generator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", WAITS]) as child:
        try:
            yield child
        finally:
            child.kill()


def rows(folder: Path) -> dict[int, list[str]]:
    """The table without its head, by pid."""
    lines = process_table([folder]).splitlines()
    assert lines[0].split() == ["pid", "parent", "state", "age", "command"]
    return {int(words[0]): words for words in map(str.split, lines[1:])}


def test_a_child_is_told_with_its_parent_its_age_and_its_command(tmp_path: Path) -> None:
    with child_of_ours() as child:
        told = rows(tmp_path)[child.pid]

    assert told[1] == str(os.getpid())
    assert 0 <= float(told[3].removesuffix("s")) < 60
    assert " ".join(told[4:]) == f"{sys.executable} -c {WAITS}"


def test_a_child_that_is_dead_and_not_asked_for_its_end_is_told_by_name(tmp_path: Path) -> None:
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    told = rows(tmp_path)[child.pid]
    child.wait()

    assert (told[2], told[4]) == ("zombie", "[true]")


def test_what_names_the_folder_is_told_and_strangers_are_not(tmp_path: Path) -> None:
    named = str(tmp_path / "profile")
    with (
        child_of_ours() as child,
        left_alone(f"--user-data-dir={named}") as by_command,
        left_alone(environment={"TMPDIR": named}) as by_environment,
        left_alone() as other,
    ):
        told = rows(tmp_path)

    assert {child.pid, by_command, by_environment} <= told.keys()
    assert not {other, os.getpid()} & told.keys()
