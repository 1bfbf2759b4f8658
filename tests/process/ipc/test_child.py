"""The worker's end, in real processes that print while they speak."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from poolwright.domain.ids import TaskId
from poolwright.domain.tasks import POTask
from poolwright.ipc.channel import Channel, PipeReader, PipeWriter
from poolwright.ipc.child import open_channel
from poolwright.ipc.codec import TO_SUPERVISOR
from poolwright.ipc.inherited_pipes import InheritedPipes
from poolwright.ipc.messages import Assign, Drain, LogNotice
from poolwright.ipc.process import spawn
from tests.support.child_processes import is_alive, order
from tests.support.links import said
from tests.support.paths import ROOT

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="descriptors are passed on POSIX"),
    pytest.mark.timeout(60),
]

each_way = pytest.mark.parametrize("is_over_stdio", [False, True], ids=["pipes", "stdio"])


def assignment(number: str) -> Assign:
    return Assign(task=POTask(task_id=TaskId("demo:1"), po_number=number, portal_number="1"), staging="demo-1")


@each_way
async def test_prints_become_lines_and_frames_stay_whole(
    home: Path, monkeypatch: pytest.MonkeyPatch, is_over_stdio: bool
) -> None:
    monkeypatch.setenv("SCRIPT", "noisy")
    sent = [letter * 100_000 for letter in "abcdefgh"]
    heard: list[str] = []
    lines: list[str] = []
    child = await spawn(order(home, module="tests.process.ipc.claiming_child", is_over_stdio=is_over_stdio))
    try:
        assert await child.channel.receive() == said_by(child.pid)
        async with anyio.create_task_group() as reading:
            reading.start_soon(child.read_lines, lines.append)
            for number in sent:
                await child.channel.send(assignment(number))
                answer = await child.channel.receive()
                assert isinstance(answer, LogNotice)
                heard.append(answer.text)
            await child.channel.aclose()
        assert await child.wait() == 0
    finally:
        await child.end()

    assert heard == sent
    noises = ["printed by python", "written to descriptor 1", "written to descriptor 2", "printed by another program"]
    assert sorted(lines) == sorted(noises * 2 * len(sent))


@each_way
async def test_the_death_of_a_worker_ends_the_link_though_what_it_started_lives_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, is_over_stdio: bool
) -> None:
    monkeypatch.setenv("SCRIPT", "leaving")
    child = await spawn(order(home, module="tests.process.ipc.claiming_child", is_over_stdio=is_over_stdio))
    try:
        assert await child.channel.receive() == said_by(child.pid)
        left = await child.channel.receive()
        assert isinstance(left, LogNotice)

        with pytest.raises(anyio.EndOfStream):
            await child.channel.receive()

        assert is_alive(int(left.text))
    finally:
        await child.end()


def said_by(pid: int) -> LogNotice:
    return said(str(pid)).model_copy(update={"slot": 3, "generation": 2})


async def test_threads_carry_the_link_where_pipes_cannot_be_polled() -> None:
    """As on Windows."""
    down_read, down_write = os.pipe()
    up_read, up_write = os.pipe()
    large = said("x" * 1_000_000)
    worker = open_channel(InheritedPipes(read=down_read, write=up_write), has_pollable_pipes=False)
    supervisor = Channel(PipeReader(up_read), PipeWriter(down_write), TO_SUPERVISOR)
    async with worker, supervisor, anyio.create_task_group() as tasks:
        tasks.start_soon(worker.send, large)
        assert await supervisor.receive() == large
        await supervisor.send(assignment("PO1"))
        await supervisor.send(Drain())
        assert [await worker.receive(), await worker.receive()] == [assignment("PO1"), Drain()]
        await supervisor.aclose()
        with pytest.raises(anyio.EndOfStream):
            await worker.receive()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's death")
def test_a_worker_dies_with_its_parent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(home))
    with subprocess.Popen(
        [sys.executable, "-m", "tests.process.ipc.parent_and_child", "parent"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        child = os.pidfd_open(int(parent.stdout.readline()))
        try:
            assert not has_ended(child, limit_s=0)
            parent.kill()
            assert has_ended(child, limit_s=20)
        finally:
            os.close(child)


def has_ended(process: int, *, limit_s: float) -> bool:
    """Whether the process behind this descriptor ends in time."""
    return bool(select.select([process], [], [], limit_s)[0])
