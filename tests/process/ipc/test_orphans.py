"""What dead runs left: killed when it is marked by their folder, and nothing else is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from poolwright.ipc.process_tree import ProcessTree, adopt_orphans, kill_by_folder, kill_tree
from tests.support.child_processes import is_alive, kill_all
from tests.support.paths import ROOT

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="sessions are of POSIX"),
    pytest.mark.timeout(60),
]

Start = Callable[..., int]


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    """Starts processes that live until they are killed; gives their pids."""
    with ExitStack() as started:

        def start(*arguments: str, **environment: str) -> int:
            process = started.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", "import signal; print(flush=True); signal.pause()", *arguments],
                    env=environment,
                    stdout=subprocess.PIPE,
                    start_new_session=True,
                )
            )
            started.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()  # for a moment after its start Linux shows no arguments of a process
            return process.pid

        yield start


def test_processes_of_a_dead_run_are_killed(home: Path, start: Start) -> None:
    run = home / "run-1"
    strays = [
        start(TMPDIR=str(run)),
        start(TMPDIR=str(run / "w1" / "tmp")),
        start(f"--user-data-dir={run}"),
        start("--headless", f"--user-data-dir={run / 'w1' / 'profile'}", "about:blank"),
        start(f"--user-data-dir={run / 'w1' / 'profile'}", TMPDIR="/tmp"),
    ]

    kill_by_folder(run)

    assert not [pid for pid in strays if is_alive(pid)]


def test_nobody_else_is_killed(home: Path, start: Start) -> None:
    run = home / "run-1"
    strangers = [
        start(),
        start(TMPDIR=str(home)),
        start(TMPDIR=str(home / "run-10")),
        start(TMPDIR=str(run / ".." / "run-2")),
        start(TMPDIR=""),
        start(TMPDIR="run-1"),
        start(TEMP=str(run)),
        start(f"--user-data-dir={home / 'run-10' / 'profile'}"),
        start(f"--user-data-dir={home}"),
        start("--user-data-dir=", str(run)),
        start(f"--data-dir={run}"),
        start(str(run)),
        start("grep", f"x--user-data-dir={run}"),
    ]

    kill_by_folder(run)

    assert all(is_alive(pid) for pid in strangers)


def test_a_browser_that_hides_its_environment_is_known_by_its_arguments(
    home: Path, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sandboxed processes may be read by root alone."""

    def refuse(process: psutil.Process) -> dict[str, str]:
        raise psutil.AccessDenied(process.pid)

    monkeypatch.setattr(psutil.Process, "environ", refuse)
    stray = start(f"--user-data-dir={home / 'run-1'}")

    kill_by_folder(home / "run-1")

    assert not is_alive(stray)


def test_a_folder_that_nobody_uses_is_no_matter(home: Path) -> None:
    kill_by_folder(home / "run-1")


def test_what_we_started_beside_a_worker_is_never_taken_for_its_own(home: Path) -> None:
    """Also where something of the worker is of our own session, which a process is until it begins another."""
    sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
    with (
        subprocess.Popen(sleeper, env={}, start_new_session=True) as worker,
        subprocess.Popen(sleeper, env={"TMPDIR": str(home)}) as member,
        subprocess.Popen(sleeper, env={}) as other,
    ):
        pids = [worker.pid, member.pid, other.pid]
        try:
            family = ProcessTree(worker.pid, home)
            assert {process.pid for process in family.scan()} == {worker.pid, member.pid}
            kill_tree(family)

            assert [is_alive(pid) for pid in pids] == [False, False, True]
        finally:
            kill_all(pids)


def _dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""], start_new_session=True) as ended:
        return ended.pid


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
def test_a_frozen_helper_of_a_browser_that_is_gone_is_ended_though_nobody_ever_saw_either(home: Path) -> None:
    """It shows no folder, and its session was never looked at."""
    adopt_orphans()
    helper = "import os, signal; print(os.getpid(), flush=True); signal.pause()"
    leave = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {helper!r}, *sys.argv[1:]])"

    def orphan(*arguments: str) -> int:
        browser = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", leave, *arguments],
            env={},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        with browser:
            assert browser.stdout is not None
            pid = int(browser.stdout.readline())
        os.kill(pid, signal.SIGSTOP)
        return pid

    frozen, other = orphan("--type=renderer"), orphan("--no-helper")
    try:
        kill_tree(ProcessTree(_dead_pid(), home))

        assert (is_alive(frozen), is_alive(other)) == (False, True)
    finally:
        kill_all([frozen, other])


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has subreapers")
def test_an_orphan_that_nobody_asks_for_its_exit_code_is_gone_all_the_same(home: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "tests.process.ipc.unreaping_parent", str(home)], cwd=ROOT, check=True, timeout=30
    )
