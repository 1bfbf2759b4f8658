"""What a worker says of an attempt over which its machine stood still."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.ipc.child import Outbox
from poolwright.ipc.messages import Assign, Finished, WorkerPaths
from poolwright.worker.attempt import AttemptContext
from poolwright.worker.loop import HEARTBEAT_INTERVAL_S, WorkerLoop
from tests.support.tasks import po_task


async def nothing() -> None:
    """Keeps no cookies."""


@pytest.mark.parametrize(("stood_still_s", "told_s"), [(0.0, 0.0), (20.0, 20.0)])
async def test_a_pause_is_told_with_the_report_that_it_cut_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stood_still_s: float, told_s: float
) -> None:
    now_s, said = [100.0], list[dict[str, object]]()
    monkeypatch.setattr("poolwright.concurrency.anyio.current_time", lambda: now_s[0])

    async def attempt(bench: AttemptContext, task: POTask, staging: Path) -> Report:
        del bench, task, staging
        now_s[0] += HEARTBEAT_INTERVAL_S + stood_still_s
        return Report(reason=Reason.TASK_TIMEOUT)

    monkeypatch.setattr("poolwright.worker.loop.attempt", attempt)
    membership = SimpleNamespace(is_logged_in=True, login_count=1, save_cookies=nothing)
    bench = SimpleNamespace(session=SimpleNamespace(login=membership))
    mouth = SimpleNamespace(send=lambda kind, **told: said.append({"kind": kind, **told}))
    seat = WorkerPaths(profile_path="p", staging_path="s")
    duty = WorkerLoop(cast("AttemptContext", bench), cast("Outbox", mouth), tmp_path, paths=seat, is_headed=False)

    await duty._handle(Assign(task=po_task(1), staging="w"))

    (finished,) = said
    assert (finished["kind"], finished["paused_s"]) == (Finished, told_s)
