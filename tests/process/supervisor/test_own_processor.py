"""A pool whose processor is not there: real workers, which find that before they start a browser."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from poolwright.supervisor.policy.commands import StopCause
from tests.support import profile_folders
from tests.support.bare_pool import own_pool, task
from tests.support.tasks import BATCH

pytestmark = pytest.mark.timeout(90)


async def test_a_processor_that_is_not_there_stops_the_pool_with_a_sentence(tmp_path: Path) -> None:
    base = profile_folders.make_base(tmp_path / "base")

    async with own_pool(tmp_path, base, "own_processors:title") as (pool, journal):
        await pool.submit_task(task(1))
        with anyio.fail_after(60):
            end = await pool.finish()

    assert end is not None
    assert end.cause is StopCause.SETUP_FAILED
    place = tmp_path / "scripts" / "own_processors.py"
    assert end.detail == f"There is no processor 'own_processors:title': {place} has no title."
    assert [record.status for record in await journal.records(BATCH)] == ["QUEUED"]
