"""systemd's notify protocol, spoken by a whole program."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest

from tests.support.paths import ROOT
from tests.support.service_manager import listening

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systemd is where unix sockets are")

#: Beats twice in the tenth part of a second.
BUSY_USEC = 100_000
#: A program whose loop gives five signs of life, stands still for two seconds, and gives signs again.
STANDS_STILL = """
import os, sys, time, anyio
from poolwright.concurrency import SystemClock
from poolwright.service.daemon.systemd import SystemdNotifier
from poolwright.settings import SystemdEnvironment

async def main():
    notifier = SystemdNotifier(SystemdEnvironment(), SystemClock())
    seen = anyio.Event()
    def is_alive():
        counted.append(1)
        if len(counted) == 5:
            seen.set()
        return True
    counted = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(notifier.run_watchdog, is_alive)
        notifier.ready()
        await seen.wait()
        notifier.status("stands still")
        sys.stdin.readline()
        notifier.status("goes on")
        await anyio.to_thread.run_sync(sys.stdin.readline)
        tasks.cancel_scope.cancel()

anyio.run(main)
"""


async def test_a_loop_that_stands_still_gives_no_sign_until_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole program: its loop is stopped by a call that blocks, which no timer within it can hide."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", str(BUSY_USEC))
    with listening(tmp_path / "notify") as manager, anyio.fail_after(100):
        async with await anyio.open_process(
            [sys.executable, "-c", STANDS_STILL], cwd=ROOT, stdout=None, stderr=None
        ) as program:
            assert program.stdin is not None
            heard: list[str] = []
            while (word := await manager.next_word()) != "STATUS=stands still":
                heard.append(word)
            assert heard.count("WATCHDOG=1") >= 4
            assert "READY=1" in heard
            with anyio.move_on_after(1):  # ten times as long as a sign may stay away
                assert await manager.next_word() == "nothing"
            await program.stdin.send(b"go on\n")
            assert await manager.next_word() == "STATUS=goes on"
            assert await manager.next_word() == "WATCHDOG=1"
            await program.stdin.send(b"end\n")
            assert await program.wait() == 0
