"""The start of a driver, and what is told of one that does not start: that alone, for the browser has its own tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

import anyio
import anyio.lowlevel
import pytest

from poolwright.worker.browser import driver_start
from poolwright.worker.browser.launcher import open_driver
from poolwright.worker.errors import CannotStartError


@dataclass
class Driver:
    """One that does as it is told when it is to start."""

    start: Callable[[], Awaitable[object]]


async def hangs() -> object:
    return await anyio.sleep_forever()


async def breaks_off() -> object:
    msg = "Connection closed while reading from the driver\nnode: bad option"
    raise RuntimeError(msg)


async def is_not_there() -> object:
    raise FileNotFoundError(2, "No such file or directory", "/opt/driver/node")


@pytest.mark.parametrize(
    ("start", "said"),
    [(hangs, "it does not answer"), (breaks_off, "Connection closed"), (is_not_there, "/opt/driver/node")],
)
async def test_a_driver_that_does_not_start_is_told_with_its_cause_and_where_to_look(
    monkeypatch: pytest.MonkeyPatch, start: Callable[[], Awaitable[object]], said: str
) -> None:
    monkeypatch.setattr(driver_start, "DRIVER_START_LIMIT_S", 0.05)
    monkeypatch.setattr(driver_start, "async_playwright", lambda: Driver(start))

    with pytest.raises(CannotStartError, match=rf"driver does not start \([^\n]*{said}[^\n]*NODE_OPTIONS") as caught:
        async with open_driver():
            pass

    assert "bad option" not in str(caught.value), "one line of it"


class StartedDriver:
    """Counts how often it is stopped."""

    def __init__(self) -> None:
        self.stop_count = 0

    async def stop(self) -> None:
        self.stop_count += 1

    async def start(self) -> StartedDriver:
        await anyio.lowlevel.checkpoint()
        return self


async def test_a_driver_that_started_beside_the_worker_is_the_one_that_is_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started = StartedDriver()
    monkeypatch.setattr(driver_start, "async_playwright", lambda: started)

    async with driver_start.driver_beside() as start:
        async with open_driver(start) as playwright:
            assert cast("object", playwright) is started
            assert not started.stop_count
        assert started.stop_count == 1, "before the worker says that it ends"


async def test_a_driver_that_nobody_needed_is_stopped_too(monkeypatch: pytest.MonkeyPatch) -> None:
    started = StartedDriver()
    monkeypatch.setattr(driver_start, "async_playwright", lambda: started)

    async with driver_start.driver_beside() as start:
        await start.result()

    assert started.stop_count == 1


async def test_a_worker_that_needs_no_driver_goes_on_when_it_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_start, "async_playwright", lambda: Driver(breaks_off))

    async with driver_start.driver_beside() as start:
        with pytest.raises(CannotStartError, match="Connection closed"):
            async with open_driver(start):
                pass
        await anyio.lowlevel.checkpoint()


@pytest.mark.timeout(30)
async def test_a_worker_that_ends_early_does_not_wait_for_its_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_start, "DRIVER_START_LIMIT_S", 3600.0)
    monkeypatch.setattr(driver_start, "async_playwright", lambda: Driver(hangs))

    async with driver_start.driver_beside():
        pass
