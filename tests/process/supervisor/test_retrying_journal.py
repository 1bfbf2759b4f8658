"""A journal whose disk is full: the pool says so and waits, whatever it was about to write; nothing is lost."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import anyio
import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.domain.errors import DiskFullError
from poolwright.domain.events import Notice
from poolwright.domain.ports import Filed
from tests.support.scripted_pool import ScriptedPool, running_pool

pytestmark = pytest.mark.timeout(60)

#: One order that dies, one that fails once, and one that is fine: every call of a journal is made.
SCRIPT = {"1#1": {"tasks": ["die"]}, "*": {"tasks": ["fail:page_too_slow", "finish"]}}


def told(scripted: ScriptedPool) -> list[str]:
    """What people were told of holds."""
    texts = [event.text for event in scripted.events if isinstance(event, Notice)]
    return [text for text in texts if text.startswith("paused ")]


def fill_disk(scripted: ScriptedPool, call: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let one call find no room until somebody was told; gives what was refused."""
    honest = getattr(scripted.journal, call)
    refused: list[str] = []

    async def refuse(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the call takes and gives
        if not told(scripted):
            refused.append(call)
            raise DiskFullError
        return await honest(*args, **named)

    monkeypatch.setattr(scripted.journal, call, refuse)
    return refused


@pytest.mark.parametrize("call", ["fetch", "start", "requeue", "count_death", "finish", "record"])
async def test_a_full_journal_is_told_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr("poolwright.supervisor.retrying_journal.RETRY_INTERVAL_S", 0.05)
    monkeypatch.setattr("poolwright.supervisor.policy.pauses.FIRST_PAUSE_S", 0.1)
    monkeypatch.setattr("poolwright.supervisor.policy.state.FIRST_BACKOFF_S", 0.01)

    async with running_pool(tmp_path, monkeypatch, SCRIPT, 1, 2, 3) as scripted:
        refused = fill_disk(scripted, call, monkeypatch)
        await scripted.pool.finish()

    assert refused
    assert set((await scripted.outcomes()).values()) == {"COMPLETED"}


async def test_no_task_starts_while_there_is_hardly_any_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poolwright.supervisor.storage_monitor.FREE_MIN_BYTES", 2**60)
    monkeypatch.setattr("poolwright.supervisor.storage_monitor.CHECK_INTERVAL_S", 0.1)
    monkeypatch.setattr("poolwright.supervisor.policy.pauses.FIRST_PAUSE_S", 0.1)

    async with running_pool(tmp_path, monkeypatch, {"*": {"tasks": ["finish"]}}, 1) as scripted:
        with anyio.fail_after(20):
            await scripted.until(lambda: told(scripted))
        assert any("MB are free" in text for text in told(scripted))
        monkeypatch.setattr("poolwright.supervisor.storage_monitor.FREE_MIN_BYTES", 0)
        await scripted.pool.finish()

    assert await scripted.outcomes() == {"1": "COMPLETED"}


@pytest.mark.parametrize(
    "code",
    [
        *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EHOSTUNREACH),
        *(errno.EROFS, errno.EACCES, errno.EPERM),
    ],
)
async def test_an_output_folder_that_is_out_of_service_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr("poolwright.supervisor.policy.pauses.FIRST_PAUSE_S", 0.1)
    honest = OutputTree.file
    refusals = iter([code, code])
    refusal = OSError(code, "out of service", str(tmp_path / "out"))

    def file(*args: Any) -> Filed:  # noqa: ANN401 - as the original
        for number in refusals:
            raise OSError(number, "out of service")
        return honest(*args)

    monkeypatch.setattr(OutputTree, "file", file)
    monkeypatch.setattr(OutputTree, "refusal", lambda _: refusal)
    async with running_pool(tmp_path, monkeypatch, {"*": {"tasks": ["finish"]}}, 1) as scripted:
        await scripted.pool.finish()

    assert told(scripted)
    assert await scripted.outcomes() == {"1": "COMPLETED"}
    assert await scripted.attempt_counts() == {"1": 1}
