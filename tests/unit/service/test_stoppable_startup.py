"""Somebody who wants to stop before a run has begun ends its beginning; later the run hears that by itself."""

from __future__ import annotations

import anyio
import pytest

from poolwright.domain.errors import SetupError
from poolwright.service.batch_run import stoppable_startup

pytestmark = pytest.mark.timeout(30)


async def test_a_wish_that_comes_before_ends_the_block() -> None:
    stop, reached = anyio.Event(), list[str]()
    async with stoppable_startup(stop):
        reached.append("open")
        stop.set()
        await anyio.sleep_forever()

    assert reached == ["open"]


async def test_one_that_was_there_already_ends_it_at_its_first_wait() -> None:
    stop = anyio.Event()
    stop.set()
    async with stoppable_startup(stop):
        await anyio.sleep_forever()


@pytest.mark.parametrize("is_at_once", [False, True], ids=["later", "in the same moment"])
async def test_one_that_comes_after_changes_nothing(*, is_at_once: bool) -> None:
    stop, reached = anyio.Event(), list[str]()
    async with stoppable_startup(stop) as has_begun:
        if is_at_once:
            await anyio.wait_all_tasks_blocked()
            stop.set()
        has_begun()
        stop.set()
        await anyio.wait_all_tasks_blocked()
        reached.append("end")

    assert reached == ["end"]


async def test_a_block_that_ends_by_itself_is_over() -> None:
    async with stoppable_startup(anyio.Event()):
        pass


async def test_an_error_of_the_block_is_told_as_it_is() -> None:
    with pytest.raises(SetupError, match="no room"):
        async with stoppable_startup(anyio.Event()):
            raise SetupError("no room")
