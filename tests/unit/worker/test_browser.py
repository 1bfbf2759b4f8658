"""What is told of a driver that does not start: that alone, for the browser has its own tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
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
