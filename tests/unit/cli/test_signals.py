"""Signals: the first ends in order, the second now, and what runs without an order of its own is wound up."""

from __future__ import annotations

import os
import signal

import anyio
import pytest

from poolwright.cli.signals import run_cancellable, run_stoppable, stop_message, stop_signals, termination_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_the_first_signal_asks_to_stop_and_the_second_to_stop_now(number: signal.Signals) -> None:
    said: list[str] = []
    with anyio.fail_after(5):
        async with stop_signals(said.append, lambda: "in order") as wishes:
            assert not wishes.stop.is_set()

            os.kill(os.getpid(), number)
            await wishes.stop.wait()
            assert not wishes.stop_now.is_set()
            assert said == ["in order"]

            os.kill(os.getpid(), number)
            await wishes.stop_now.wait()
            assert said[1].startswith("Stopping at once")

            os.kill(os.getpid(), number)
            await anyio.wait_all_tasks_blocked()


async def test_an_error_leaves_the_block_as_it_is() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with stop_signals(print, str):
            raise ValueError("mine")


async def test_work_that_ends_by_itself_gives_its_result() -> None:
    async def work() -> int:
        return 42

    assert await run_cancellable(work) == 42


async def test_work_that_is_interrupted_is_wound_up_first() -> None:
    wound_up = anyio.Event()

    async def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            await anyio.sleep_forever()
        finally:
            wound_up.set()

    with anyio.fail_after(5), pytest.raises(KeyboardInterrupt):
        await run_cancellable(work)

    assert wound_up.is_set()


async def test_an_error_of_the_work_comes_through() -> None:
    async def work() -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await run_cancellable(work)


def test_the_words_say_what_is_waited_for() -> None:
    assert stop_message(0, 60.0) == "Stopping; press Ctrl+C again to stop at once."
    assert "finishing 1 order in progress, at most 60 s" in stop_message(1, 60.0)
    assert "finishing 3 orders in progress" in stop_message(3, 60.0)


async def test_the_first_signal_lets_work_end_in_order() -> None:
    said: list[str] = []

    async def work(enough: anyio.Event) -> str:
        os.kill(os.getpid(), signal.SIGINT)
        await enough.wait()
        return "done"

    with anyio.fail_after(5):
        assert await run_stoppable(work, lambda: said.append("closing")) == "done"
    assert said == ["closing"]


async def test_the_second_signal_cancels_work_that_does_not_end() -> None:
    async def work(enough: anyio.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await enough.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await anyio.sleep_forever()

    with anyio.fail_after(5), pytest.raises(KeyboardInterrupt):
        await run_stoppable(work, lambda: None)


def test_who_was_made_deaf_to_a_signal_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    ignored = {signal.SIGHUP}

    def handler(one: signal.Signals) -> signal.Handlers:
        return signal.SIG_IGN if one in ignored else signal.SIG_DFL

    monkeypatch.setattr(signal, "getsignal", handler)

    assert termination_signals() == (signal.SIGINT, signal.SIGTERM), "as nohup starts it"
    ignored.clear()
    assert termination_signals() == (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    assert termination_signals(includes_hangup=False) == (signal.SIGINT, signal.SIGTERM)
