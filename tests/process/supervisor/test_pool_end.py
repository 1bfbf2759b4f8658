"""However a pool comes to its end, it ends whole: nothing left, nothing lost, the true answer for whoever waits."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.domain.errors import DiskFullError
from poolwright.domain.events import Notice
from poolwright.domain.outcomes import Reason
from poolwright.domain.ports import Filed
from tests.support.scripted_pool import ScriptedPool, running_pool
from tests.support.tasks import po_task

pytestmark = pytest.mark.timeout(60)
FINISH = {"*": {"tasks": ["finish"]}}
HANG = {"*": {"tasks": ["hang"]}}


async def refuse(*_: Any, **__: Any) -> None:  # noqa: ANN401 - whatever the call takes
    raise DiskFullError


@pytest.mark.parametrize("script", [HANG, {"*": {"start": "silent"}}], ids=["in hand", "in the queue"])
async def test_a_stop_on_a_full_disk_ends_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: dict[str, Any]
) -> None:
    theatres: list[ScriptedPool] = []
    async with anyio.create_task_group() as around:  # as in a run, where signals are listened for
        async with running_pool(tmp_path, monkeypatch, script, *range(1, 6), shutdown_timeout_s=20.0) as scripted:
            theatres.append(scripted)
            with anyio.fail_after(20):
                await scripted.until(lambda: not scripted.pool.task_queue.empty())
            monkeypatch.setattr(scripted.journal, "requeue", refuse)
            scripted.pool.stop()
        around.cancel_scope.cancel()

    (scripted,) = theatres
    assert any(isinstance(event, Notice) and "were not written" in event.text for event in scripted.events)
    await scripted.journal.recover(3)
    assert set((await scripted.outcomes()).values()) == {"QUEUED"}


async def test_a_cancellation_by_asyncio_itself_does_not_cut_the_end_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theatres: list[ScriptedPool] = []

    async def work(clock: asyncio.Timeout) -> None:
        async with running_pool(tmp_path, monkeypatch, HANG, 1, shutdown_timeout_s=20.0) as scripted:
            theatres.append(scripted)
            await scripted.until(lambda: scripted.pool.workers[0].current_task is not None)
            clock.reschedule(asyncio.get_running_loop().time())

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(None) as clock:  # noqa: TID251 - what users of asyncio do is what is tested
            await work(clock)

    theatres[0].assert_nothing_is_left()
    assert await theatres[0].outcomes() == {"1": "QUEUED"}


async def test_an_order_that_is_being_filed_at_a_stop_gives_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = OutputTree.file

    def slowly(*args: Any) -> Filed:  # noqa: ANN401 - as the original
        threading.Event().wait(1.0)  # a slow disk
        return honest(*args)

    monkeypatch.setattr(OutputTree, "file", slowly)
    async with running_pool(tmp_path, monkeypatch, FINISH) as scripted:
        handle = await scripted.pool.submit_task(po_task(1))
        with anyio.fail_after(20):
            await scripted.until(lambda: "IDLE" in scripted.path("worker"))
        scripted.pool.stop()
        report = await handle

    assert report is not None
    assert report.reason is Reason.ALL_SAVED


async def test_what_is_called_off_while_no_worker_is_left_has_one_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)

    async with running_pool(tmp_path, monkeypatch, {"*": {"start": "exit"}}) as scripted:
        handles = [await scripted.pool.submit_task(po_task(number)) for number in range(1, 20)]
        await handles[0]
        for handle in handles[1:]:
            await handle.cancel()
        reports = [await handle for handle in handles]

    assert {report.reason for report in reports if report} == {Reason.NO_WORKERS}
