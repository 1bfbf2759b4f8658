"""Signals: the first ends in order, the second now, and what runs without an order of its own is wound up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import anyio
import pytest

from app.cli.signals import finishing_on_signal, first_words, hearing_signals, unless_interrupted
from tests.support.paths import ROOT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_asks_to_stop_and_the_second_to_stop_now(number: signal.Signals) -> None:
    said: list[str] = []
    with anyio.fail_after(5):
        async with hearing_signals(said.append, lambda: "in order") as wishes:
            assert not wishes.stop.is_set()

            os.kill(os.getpid(), number)
            await wishes.stop.wait()
            assert not wishes.stop_now.is_set()
            assert said == ["in order"]

            os.kill(os.getpid(), number)
            await wishes.stop_now.wait()
            assert said[1].startswith("Stopping now")

            os.kill(os.getpid(), number)
            await anyio.wait_all_tasks_blocked()


async def test_an_error_leaves_the_block_as_it_is() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with hearing_signals(print, str):
            raise ValueError("mine")


async def test_work_that_ends_by_itself_gives_its_result() -> None:
    async def work() -> int:
        return 42

    assert await unless_interrupted(work) == 42


async def test_work_that_is_interrupted_is_wound_up_first() -> None:
    wound_up = anyio.Event()

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await anyio.sleep_forever()
        finally:
            wound_up.set()

    with anyio.fail_after(5), pytest.raises(KeyboardInterrupt):
        await unless_interrupted(work)

    assert wound_up.is_set()


async def test_an_error_of_the_work_comes_through() -> None:
    async def work() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await unless_interrupted(work)


def test_the_words_say_what_is_waited_for() -> None:
    assert first_words(0, 60.0) == "Stopping; press Ctrl+C again to stop now."
    assert "finishing 1 order in flight, at most 60 s" in first_words(1, 60.0)
    assert "finishing 3 orders in flight" in first_words(3, 60.0)


#: A whole ``poolwright run`` whose pool only waits for its end.
PROGRAM = """
import sys
from dataclasses import replace
from app.cli import conduct
from app.archive.tree import PRIVATE_NAME
from app.cli.main import main
from app.service import sandbox
from app.service.batch import Ending
from app.service.beacon import find_batch
from tests.support.commands import ONE_DONE, SANDBOX_ALLOWED
from tests.support.events import started

last = sys.argv.pop()

async def wait(job, *, observe, stop, stop_now):
    observe(started(1, 1))
    beacon = job.out / PRIVATE_NAME
    print("READY", find_batch(beacon).is_draining, file=sys.stderr, flush=True)
    await (stop if last == "first" else stop_now).wait()
    print("DRAINS", find_batch(beacon).is_draining, file=sys.stderr, flush=True)
    return replace(ONE_DONE, ending=Ending.STOPPED, left_count=1)

conduct.run_batch = wait
sandbox.probe = lambda _: SANDBOX_ALLOWED
main()
"""


@pytest.mark.process
@pytest.mark.usefixtures("profile")
@pytest.mark.parametrize(("last", "signal_count"), [("first", 1), ("second", 2)])
def test_a_stopped_program_says_what_it_does_and_ends_with_code_7(
    last: str, signal_count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "-c", PROGRAM, "run", "PO4500000001", "--sandbox", "on", last]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        assert program.stderr.readline() == "READY False\n"
        said: list[str] = []
        for _ in range(signal_count):
            program.send_signal(signal.SIGTERM)
            said.append(program.stdout.readline())
        rest = program.stdout.read()
        complaints = program.stderr.read()

    assert program.returncode == 7
    assert "DRAINS True" in complaints, "those that ask for its health hear that it drains"
    assert "finishing 1 order in flight, at most 60 s; press Ctrl+C again" in said[0]
    assert all("Stopping now" in line for line in said[1:])
    assert "Stopped: 1 of 2 orders is done. 1 order waits" in rest


async def test_the_first_signal_lets_work_end_in_order() -> None:
    said: list[str] = []

    async def work(enough: anyio.Event) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await enough.wait()
        return "done"

    with anyio.fail_after(5):
        assert await finishing_on_signal(work, lambda: said.append("closing")) == "done"
    assert said == ["closing"]


async def test_the_second_signal_cancels_work_that_does_not_end() -> None:
    async def work(enough: anyio.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await enough.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await anyio.sleep_forever()

    with anyio.fail_after(5), pytest.raises(KeyboardInterrupt):
        await finishing_on_signal(work, lambda: None)
