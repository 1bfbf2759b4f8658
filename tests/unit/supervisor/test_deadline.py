"""The one deadline of a pool's end: what it shields, and what it leaves behind."""

from __future__ import annotations

import math
import threading

import anyio
import anyio.lowlevel
import pytest

from poolwright.supervisor.deadline import Deadline


async def test_before_it_is_set_everything_takes_its_time() -> None:
    deadline = Deadline()

    assert deadline.left_s == math.inf
    assert await deadline.in_thread(lambda: 7) == 7


async def test_nobody_else_cuts_short_what_it_shields() -> None:
    done: list[int] = []
    with anyio.CancelScope() as scope:
        with Deadline().shield():
            scope.cancel()
            await anyio.lowlevel.checkpoint()
            done.append(1)

    assert done == [1]


async def test_what_is_under_way_learns_of_it_too_and_it_only_comes_nearer() -> None:
    deadline, begun_s = Deadline(), anyio.current_time()

    with anyio.fail_after(20), deadline.shield():
        deadline.set(begun_s + 0.05)
        deadline.set(begun_s + 100)
        await anyio.sleep_forever()

    assert deadline.at_s == begun_s + 0.05
    assert deadline.left_s == 0


async def test_a_thread_that_hangs_is_left_behind() -> None:
    deadline, released = Deadline(), threading.Event()
    deadline.set(anyio.current_time() + 0.05)

    try:
        with pytest.raises(TimeoutError, match="a disk hangs"):
            await deadline.in_thread(released.wait)
    finally:
        released.set()
