"""Orders that are not found are filed by a proven session alone: the pool on scripted workers."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from poolwright.domain.outcomes import ReturnReason
from poolwright.supervisor.policy import verification
from poolwright.supervisor.policy.verification import STREAK_LIMIT
from tests.support.scripted_pool import running_pool

pytestmark = pytest.mark.timeout(60)

MISSING = "fail:portal_says_missing"
STREAK = range(1, STREAK_LIMIT + 1)


async def test_a_streak_of_a_session_that_is_logged_out_is_done_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"*": {"tasks": [*[MISSING] * STREAK_LIMIT, "finish"], "probe": "logged_out"}}
    monkeypatch.setattr(verification, "VERIFICATION_WAIT_S", 30.0)  # the streak alone asks

    async with running_pool(tmp_path, monkeypatch, script, *STREAK) as scripted:
        await scripted.pool.finish()

    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}
    assert set((await scripted.attempt_counts()).values()) == {1}
    assert [event.why for event in scripted.returned()] == [ReturnReason.SESSION_LOST] * STREAK_LIMIT


async def test_a_streak_of_a_session_that_is_logged_in_is_filed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"*": {"tasks": [MISSING], "probe": "logged_in"}}
    monkeypatch.setattr(verification, "VERIFICATION_WAIT_S", 30.0)

    async with running_pool(tmp_path, monkeypatch, script, *STREAK) as scripted:
        await scripted.pool.finish()

    assert set((await scripted.outcomes()).values()) == {"NOT_FOUND"}
    assert scripted.returned() == []


async def test_a_list_that_ends_without_a_success_is_filed_after_a_probe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = {"*": {"tasks": ["finish", MISSING]}}
    monkeypatch.setattr(verification, "VERIFICATION_WAIT_S", 3600.0)  # the end of the list alone asks

    async with running_pool(tmp_path, monkeypatch, script, 1, 2, 3) as scripted:
        await scripted.pool.finish()
        processed_count = scripted.pool.workers[0].processed_count

    assert await scripted.outcomes() == {"1": "COMPLETED", "2": "NOT_FOUND", "3": "NOT_FOUND"}
    assert processed_count == 3


@pytest.mark.parametrize(("is_proven", "outcome"), [(True, "NOT_FOUND"), (False, "QUEUED")])
async def test_a_pool_that_is_stopped_files_what_is_proven_at_last_and_leaves_the_rest_to_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_proven: bool, outcome: str
) -> None:
    script = {"*": {"tasks": [f"linger:{MISSING}"], "probes_at_last": is_proven}}

    async with running_pool(tmp_path, monkeypatch, script, 1) as scripted:
        with anyio.fail_after(20):
            await scripted.until(lambda: scripted.pool.workers[0].current_task is not None)
        scripted.pool.stop()
        await scripted.pool.finish()

    assert await scripted.outcomes() == {"1": outcome}
    assert await scripted.attempt_counts() == {"1": int(is_proven)}
