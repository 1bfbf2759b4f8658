"""The folder of a run is removed in the middle: it is made again, workers start anew on new clones, nothing is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import anyio
import pytest

from poolwright.domain.events import Notice
from poolwright.supervisor import storage_monitor
from tests.support.scripted_pool import running_pool

pytestmark = pytest.mark.timeout(120)


async def test_a_runs_folder_that_is_removed_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_monitor, "CHECK_INTERVAL_S", 0.05)
    async with running_pool(tmp_path, monkeypatch, {"*": {"tasks": ["finish"]}}, 1, worker_count=2) as scripted:
        with anyio.fail_after(60):
            await scripted.pool.finish()
            shutil.rmtree(tmp_path / "runs")
            await scripted.until(
                lambda: all(worker.ref.generation > 1 and worker.pid for worker in scripted.pool.workers)
            )
            for number in range(2, 8):
                await scripted.submit(number)
            await scripted.pool.finish()
        clones = [worker.profile_path.is_dir() for worker in scripted.pool.workers]

    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}
    assert set((await scripted.attempt_counts()).values()) == {1}
    assert clones == [True, True]
    assert any(
        "was removed. It is recreated and the workers restart." in event.text
        for event in scripted.events
        if isinstance(event, Notice)
    )
