"""A batch whose workers have no portal: nothing is asked of a pack, and what cannot start says why."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from poolwright.domain.events import Event
from poolwright.domain.options import BrowserOptions, PoolOptions, WorkerOptions
from poolwright.service.batch import BatchEnding, BatchJob
from poolwright.service.batch_run import run_batch
from tests.support.profile_folders import make_base
from tests.support.tasks import orders

pytestmark = pytest.mark.timeout(60)


async def test_a_batch_without_a_portal_takes_any_field_as_folder_and_tells_of_a_missing_processor(
    tmp_path: Path,
) -> None:
    job = BatchJob(
        orders=orders(1, 2),
        pool=PoolOptions(
            worker=WorkerOptions(browser=BrowserOptions(), processor="no_such_module:process"),
            worker_count=1,
            base_profile_path=make_base(tmp_path / "base"),
            runs_root=tmp_path / "runs",
            staging_path=tmp_path / "out" / ".poolwright" / "staging",
            shutdown_timeout_s=5.0,
        ),
        out=tmp_path / "out",
        template="{title}/{number}",
        journal_path=tmp_path / "journal.db",
        report_stem="orders-report",
    )
    events: list[Event] = []

    summary = await run_batch(job, observe=events.append, stop=anyio.Event(), stop_now=anyio.Event())

    assert (summary.ending, summary.left_count) == (BatchEnding.SETUP_FAILED, 2)
    assert "The processor 'no_such_module:process' cannot be imported" in summary.detail
