"""Pictures of a tab: asked for once at a time, and anew when nobody waits for the last one any more."""

from __future__ import annotations

import anyio
import pytest

from poolwright.domain.ids import TaskId
from poolwright.ipc.messages import GetThumbnail, ToWorker
from poolwright.supervisor.processes.connection import ThumbnailRequests

TASK = TaskId("demo:1")


async def test_who_gives_up_leaves_no_dead_entry_behind() -> None:
    asked: list[ToWorker] = []

    class Sender:
        async def send(self, message: ToWorker) -> None:
            asked.append(message)

    pictures = ThumbnailRequests(Sender())
    with anyio.move_on_after(0.01):
        await pictures.get(TASK)

    async with anyio.create_task_group() as group:

        async def get() -> None:
            assert await pictures.get(TASK) == b"jpeg"

        group.start_soon(get)
        group.start_soon(get)
        await anyio.wait_all_tasks_blocked()
        pictures.resolve(TASK, "anBlZw==")

    assert asked == [GetThumbnail(task_id=TASK)] * 2


async def test_a_question_that_could_not_be_sent_is_asked_again() -> None:
    class Sender:
        async def send(self, message: ToWorker) -> None:
            raise anyio.BrokenResourceError(message)

    pictures = ThumbnailRequests(Sender())

    for _ in range(2):
        with pytest.raises(anyio.BrokenResourceError):
            await pictures.get(TASK)
