"""A program whose own end hangs is ended all the same; one that does not is let be."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Generator

import anyio
import anyio.to_thread
import pytest

from poolwright.cli import process_exit as last
from poolwright.cli import signals
from poolwright.cli.process_exit import ExitCode, exit_process, forced_exit
from poolwright.cli.signals import stop_signals


class RecordedExit:
    """Notes how the program would have ended."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.is_over = threading.Event()

    def __call__(self, code: int) -> None:
        self.codes.append(code)
        self.is_over.set()


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> RecordedExit:
    found = RecordedExit()
    monkeypatch.setattr(os, "_exit", found)
    return found


@pytest.fixture
def hung() -> Generator[threading.Thread]:
    """A thread that waits for a disk, as those of the library do which the interpreter waits for."""
    released = threading.Event()
    thread = threading.Thread(target=released.wait)
    thread.start()
    yield thread
    released.set()
    thread.join()


def test_a_program_that_hangs_ends_with_its_own_words(ends: RecordedExit, capfd: pytest.CaptureFixture[str]) -> None:
    with forced_exit(0.0) as arm:
        arm()
        assert ends.is_over.wait(60)

    assert ends.codes == [ExitCode.STOPPED]
    assert "The next start continues with the rest" in capfd.readouterr().err


def test_a_program_that_ends_in_time_is_let_be(ends: RecordedExit) -> None:
    before = threading.active_count()
    with forced_exit(3600.0) as arm:
        arm()
    with forced_exit(0.0):
        pass  # nobody wanted it to end

    assert ends.codes == []
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(60)
    assert threading.active_count() <= before


async def test_the_first_signal_sets_the_limit(ends: RecordedExit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "EXTRA_TIME_S", 0.0)
    async with stop_signals(lambda _: None, str, limit_s=0.0):
        assert not ends.is_over.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert await anyio.to_thread.run_sync(ends.is_over.wait, 60)

    assert ends.codes == [ExitCode.STOPPED]


def test_a_thread_that_hangs_does_not_keep_the_program(
    ends: RecordedExit, hung: threading.Thread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last, "THREAD_WAIT_S", 0.0)
    exit_process(6)

    assert hung.is_alive()
    assert ends.codes == [6]


def test_threads_that_end_by_themselves_are_waited_for(ends: RecordedExit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last, "THREAD_WAIT_S", 60.0)
    short = threading.Thread(target=sys.getswitchinterval)
    monkeypatch.setattr(threading, "enumerate", lambda: [one for one in (short,) if one.is_alive()])
    short.start()
    exit_process(0)

    assert ends.codes == []
