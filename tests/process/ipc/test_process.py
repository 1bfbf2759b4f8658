"""The supervisor's end, against real processes that behave in every way a worker can."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import cast

import anyio
import anyio.lowlevel
import psutil
import pytest
from anyio.abc import Process

from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.tasks import POTask
from poolwright.ipc import process
from poolwright.ipc.messages import Assign, LogNotice
from poolwright.ipc.process import SpawnSpec, WorkerProcess, spawn
from tests.support.child_processes import Play, ReusedNumber, is_alive, open_descriptors, order

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals and sessions are of POSIX"),
    pytest.mark.timeout(60),
]

each_way = pytest.mark.parametrize("is_over_stdio", [False, True], ids=["pipes", "stdio"])


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For children that will not end by themselves: nothing is gained by waiting for them."""
    monkeypatch.setattr(process, "CLOSE_LIMIT_S", 0.05)
    monkeypatch.setattr(process, "TERM_LIMIT_S", 0.05)


@each_way
async def test_a_worker_ends_by_itself_when_its_link_is_closed(play: Play, is_over_stdio: bool) -> None:
    async with play("thoughtful", is_over_stdio=is_over_stdio) as (child, pid):
        assert pid == child.pid
        await child.end()

        assert await child.wait() == 5


@each_way
async def test_a_worker_that_does_not_see_its_link_close_is_asked_to_end(
    play: Play, monkeypatch: pytest.MonkeyPatch, is_over_stdio: bool
) -> None:
    monkeypatch.setattr(process, "CLOSE_LIMIT_S", 0.05)
    async with play("stubborn", is_over_stdio=is_over_stdio) as (child, _):
        await child.end()

        assert await child.wait() == -signal.SIGTERM


@each_way
@pytest.mark.parametrize("part", ["deaf", "stopped"])
@pytest.mark.usefixtures("impatient")
async def test_a_worker_that_hangs_is_killed_in_bounded_time(play: Play, part: str, is_over_stdio: bool) -> None:
    async with play(part, is_over_stdio=is_over_stdio) as (child, _):
        started = time.monotonic()
        await child.end()

        assert time.monotonic() - started < 20
        assert await child.wait() == -signal.SIGKILL


@pytest.mark.usefixtures("impatient")
async def test_a_worker_is_ended_although_the_caller_is_cancelled(play: Play) -> None:
    async with play("deaf") as (child, pid):
        with anyio.CancelScope() as scope:
            scope.cancel()
            await child.end()

        assert not is_alive(pid)


@pytest.mark.usefixtures("impatient")
async def test_a_full_pipe_to_a_stopped_worker_does_not_delay_its_end(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.ipc.channel.FINISH_LIMIT_S", 0.05)
    async with play("stopped") as (child, _):
        with anyio.move_on_after(0.2) as limit:
            await child.channel.send(assignment("x" * 1_000_000))

        assert limit.cancelled_caught


@each_way
@pytest.mark.parametrize(("part", "code"), [("failing", 7), ("killed", -signal.SIGKILL)])
async def test_it_is_told_how_a_worker_ended(play: Play, part: str, code: int, is_over_stdio: bool) -> None:
    async with play(part, is_over_stdio=is_over_stdio) as (child, _):
        with pytest.raises(anyio.EndOfStream):
            await child.channel.receive()

        assert await child.wait() == code


@each_way
async def test_a_worker_that_dies_before_its_first_word_ends_the_link(
    home: Path, monkeypatch: pytest.MonkeyPatch, is_over_stdio: bool
) -> None:
    monkeypatch.setenv("SCRIPT", "silent")
    child = await spawn(order(home, is_over_stdio=is_over_stdio))

    with pytest.raises(anyio.EndOfStream):
        await child.channel.receive()
    assert await child.wait() == 0
    await child.end()


async def test_the_death_of_one_worker_ends_its_link_though_others_were_started_meanwhile(play: Play) -> None:
    async with play("orderly") as (first, pid), play("orderly"), play("orderly", is_over_stdio=True):
        os.kill(pid, signal.SIGKILL)

        with pytest.raises(anyio.EndOfStream):
            await first.channel.receive()


@each_way
async def test_what_a_worker_leaves_behind_is_swept(play: Play, is_over_stdio: bool) -> None:
    async with play("leaving", is_over_stdio=is_over_stdio) as (child, left):
        assert left != child.pid
        assert is_alive(left)

        await child.end()

        assert await child.wait() == 0
        assert not is_alive(left)


@each_way
@pytest.mark.parametrize("part", ["dying_by_folder", "dying_by_profile"])
async def test_what_a_dead_worker_had_started_is_swept(play: Play, part: str, is_over_stdio: bool) -> None:
    async with play(part, is_over_stdio=is_over_stdio) as (child, left):
        assert await child.wait() == 7
        assert is_alive(left)

        await child.end()

        assert not is_alive(left)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to whom they are wished")
async def test_a_process_seen_before_its_worker_was_killed_is_swept(play: Play) -> None:
    async with play("dying_unmarked") as (child, left):
        await child.scan()
        os.kill(child.pid, signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL
        assert is_alive(left)

        await child.end()

        assert not psutil.pid_exists(left)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to whom they are wished")
@pytest.mark.parametrize("part", ["leaving", "dying_by_folder", "dying_unmarked"])
async def test_nothing_of_a_worker_stays_a_zombie(play: Play, part: str) -> None:
    async with play(part) as (child, left):
        await child.scan()

        await child.end()

        assert not psutil.pid_exists(left)
        assert not psutil.pid_exists(child.pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives orphans to whom they are wished")
async def test_what_died_unseen_is_buried_all_the_same(play: Play) -> None:
    async with play("dying_unseen") as (child, left):
        while is_alive(left):
            await anyio.lowlevel.checkpoint()
        assert psutil.pid_exists(left)

        await child.end()

        assert not psutil.pid_exists(left)


async def test_a_stranger_that_has_the_number_of_a_dead_worker_lives_on(play: Play, home: Path) -> None:
    """Numbers of processes are given again."""
    async with play("orderly") as (_, pid), play("failing") as (child, _):
        await child.wait()
        renumbered = cast("Process", ReusedNumber(child._process, pid))

        await WorkerProcess(order(home / "other"), renumbered, child.channel).end()

        assert is_alive(pid)


@each_way
async def test_prints_of_a_worker_become_lines(play: Play, is_over_stdio: bool) -> None:
    lines: list[str] = []
    async with play("printing", is_over_stdio=is_over_stdio) as (child, _):
        await child.read_lines(lines.append)

    assert ("to stdout" in lines) is not is_over_stdio
    assert [line for line in lines if line != "to stdout"] == [
        "plain ünï",
        "windows",
        "half a line",
        "\ufffd\ufffd no text",
        "long: " + "x" * 1994,
        "no end of line",
    ]


def assignment(number: str) -> Assign:
    return Assign(task=POTask(task_id=TaskId("demo:1"), po_number=number, portal_number="1"), staging="demo-1")


@each_way
async def test_large_frames_go_both_ways(play: Play, is_over_stdio: bool) -> None:
    message = assignment("ü" * 100_000)
    async with play("echoing", is_over_stdio=is_over_stdio) as (child, _):
        await child.channel.send(message)
        heard = await child.channel.receive()

    assert isinstance(heard, LogNotice)
    assert Assign.model_validate_json(heard.text) == message


@each_way
async def test_a_worker_inherits_our_surroundings_without_our_secrets(
    play: Play, home: Path, monkeypatch: pytest.MonkeyPatch, is_over_stdio: bool
) -> None:
    monkeypatch.setenv("POOLWRIGHT_PASSWORD", "hunter2")
    monkeypatch.setenv("POOLWRIGHT_ANYTHING", "else")
    of_the_driver = ("PWDEBUG", "DEBUG", "DEBUG_FILE", "SELENIUM_REMOTE_URL")
    for name in of_the_driver:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("DEBUGGER_OF_MY_OWN", "mine")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test")
    monkeypatch.setenv("TMPDIR", "/somewhere/else")
    async with play("telling", is_over_stdio=is_over_stdio) as (child, pid):
        told = await child.channel.receive()
        assert isinstance(told, LogNotice)
        seen = json.loads(told.text)

    environment = seen["environment"]
    assert not [name for name in environment if name.startswith("POOLWRIGHT_") or name in of_the_driver]
    assert environment["DEBUGGER_OF_MY_OWN"] == "mine"
    assert environment["HTTPS_PROXY"] == "http://proxy.test"
    assert {environment[name] for name in ("TMPDIR", "TEMP", "TMP")} == {str(home / "tmp")}
    assert seen["session"] == pid
    slot, generation, frames = seen["arguments"]
    assert (slot, generation) == ("3", "2")
    link = [] if is_over_stdio else sorted(map(int, frames.split(",")))
    assert seen["open"] == [0, 1, 2, *link]
    assert seen["stdin"] == ""


@pytest.mark.parametrize(
    ("own", "cache", "expected"),
    [
        ("/srv/cache", "/home/anna/.cache/poolwright", "/srv/cache"),
        ("", "/home/anna/.cache/poolwright", "/home/anna/.cache/poolwright/driver"),
        ("", "~/.cache/poolwright", None),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="made for folder names of other systems")
def test_the_compiled_driver_is_kept_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own: str, cache: str, expected: str | None
) -> None:
    """But not in a folder named ``~``, for a user without a home."""
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: Path(cache))
    monkeypatch.setenv("NODE_COMPILE_CACHE", own)
    if not own:
        monkeypatch.delenv("NODE_COMPILE_CACHE")

    assert process.worker_environment(tmp_path).get("NODE_COMPILE_CACHE") == expected


def test_frames_go_over_pipes_of_their_own_where_the_platform_has_them(tmp_path: Path) -> None:
    plain = SpawnSpec(worker=WorkerRef(1, 1), temp_path=tmp_path, profile_path=tmp_path)

    assert not plain.is_over_stdio
    assert plain.module == "poolwright.worker"


@each_way
async def test_a_worker_that_cannot_be_started_leaves_nothing_open(
    home: Path, monkeypatch: pytest.MonkeyPatch, is_over_stdio: bool
) -> None:
    monkeypatch.setattr(sys, "executable", str(home / "no-python"))
    before = open_descriptors()

    with pytest.raises(FileNotFoundError):
        await spawn(order(home, is_over_stdio=is_over_stdio))

    assert open_descriptors() == before


@pytest.mark.parametrize("turns", range(1, 6))
async def test_a_start_that_has_begun_is_not_cancelled_midway(home: Path, turns: int) -> None:
    """Its caller gets the process and ends it; nobody else knows of it, and it would outlive its folders."""
    started: list[WorkerProcess] = []

    async def start() -> None:
        started.append(await spawn(order(home)))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(start)
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()

    (child,) = started
    await child.end()
    assert not is_alive(child.pid)


async def test_no_pipe_stays_open_when_there_is_none_for_the_way_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe, made = os.pipe, list[tuple[int, int]]()

    def scarce() -> tuple[int, int]:
        if made:
            raise OSError(24, "Too many open files")
        made.append(pipe())
        return made[0]

    before = open_descriptors()
    monkeypatch.setattr(os, "pipe", scarce)

    with pytest.raises(OSError, match="Too many open files"):
        await spawn(order(home))

    assert open_descriptors() == before


@each_way
async def test_a_start_that_is_called_off_leaves_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, is_over_stdio: bool
) -> None:
    """What the fixture looks for afterwards: a process below its folder."""
    monkeypatch.setenv("SCRIPT", "deaf")
    before = open_descriptors()
    with anyio.CancelScope() as scope:
        scope.cancel()
        await spawn(order(home, is_over_stdio=is_over_stdio))

    assert scope.cancelled_caught
    assert open_descriptors() == before


async def test_an_ended_worker_leaves_nothing_open(play: Play) -> None:
    async with play("orderly"):
        pass  # the first child of a process opens what asyncio keeps
    before = open_descriptors()

    async with play("orderly"), play("orderly", is_over_stdio=True):
        pass

    assert open_descriptors() == before
