"""What a run tells of its base before it starts: once, whatever the number of workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.concurrency import SystemClock
from poolwright.domain.events import Level, Notice
from poolwright.profile import backups
from tests.support import scripted_pool
from tests.support.profile_folders import make_base
from tests.support.scripted_pool import running_pool

pytestmark = pytest.mark.timeout(60)
FINISH = {"*": {"tasks": ["finish"]}}


async def warnings_of_seal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    async with running_pool(tmp_path, monkeypatch, FINISH, 1, 2, worker_count=2) as scripted:
        await scripted.pool.finish()
    notices = [event for event in scripted.events if isinstance(event, Notice)]
    return [event.text for event in notices if event.level is Level.WARNING and "is not sealed:" in event.text]


async def test_an_unsealed_base_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = await warnings_of_seal(tmp_path, monkeypatch)

    assert "is not sealed: only its structure is checked. Run `poolwright profile seal NAME`" in told


async def test_nothing_is_told_of_a_sealed_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def make_sealed(path: Path) -> Path:
        backups.seal_base(make_base(path), now=SystemClock().now())
        return path

    monkeypatch.setattr(scripted_pool, "make_base", make_sealed)

    assert await warnings_of_seal(tmp_path, monkeypatch) == []
