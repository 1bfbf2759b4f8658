"""Who belongs to a worker: all that it started, also what left it, as long as it is there."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import cast

import anyio
import anyio.to_thread
import psutil
import pytest
from anyio.abc import Process

from poolwright.ipc.process import WorkerProcess
from tests.support.child_processes import Play, ReusedNumber, order

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to whom they are wished"),
    pytest.mark.timeout(60),
]


async def test_a_worker_belongs_to_itself_and_nobody_else_does(play: Play) -> None:
    async with play("orderly") as (child, pid), await anyio.open_process(["sleep", "600"]) as other:
        assert child.pids() == {pid}
        other.kill()


async def test_a_process_that_was_started_since_belongs_to_it(play: Play) -> None:
    async with play("leaving") as (child, left):
        assert child.pids() == {child.pid, left}


@pytest.mark.parametrize("part", ["disowning_by_session", "disowning_by_folder"])
async def test_a_process_that_left_its_worker_belongs_to_it(play: Play, part: str) -> None:
    """As a crash handler does, whose parent ends at once."""
    async with play(part) as (child, left):
        assert psutil.Process(left).ppid() == os.getpid()
        assert child.pids() == {child.pid, left}


async def test_a_process_that_is_gone_is_forgotten(play: Play) -> None:
    async with play("disowning_by_session") as (child, left):
        child.pids()
        os.kill(left, signal.SIGKILL)
        await anyio.to_thread.run_sync(os.waitpid, left, 0)

        assert child.pids() == {child.pid}


async def test_nobody_belongs_to_a_worker_that_has_ended(play: Play, home: Path) -> None:
    """Its number may be another's."""
    async with play("orderly") as (_, pid), play("failing") as (child, _):
        await child.wait()
        renumbered = cast("Process", ReusedNumber(child._process, pid))

        assert not WorkerProcess(order(home / "other"), renumbered, child.channel).pids()


async def test_threads_may_look_at_the_same_time(play: Play) -> None:
    async with play("leaving") as (child, left), anyio.create_task_group() as threads:
        for _ in range(8):
            threads.start_soon(anyio.to_thread.run_sync, child.pids)
        assert child.pids() == {child.pid, left}
