"""A journal whose disk is full: the pool says so and waits, whatever it was about to write; nothing is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.domain.events import Notice
from app.domain.failures import DiskFullError
from tests.supervisor.pools import Theatre, running_pool

pytestmark = pytest.mark.timeout(60)

#: One order that dies, one that fails once, and one that is fine: every call of a journal is made.
SCRIPT = {"1#1": {"tasks": ["die"]}, "*": {"tasks": ["fail:page_too_slow", "finish"]}}


def fill_disk(theatre: Theatre, call: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let one call find no room until somebody was told; gives what was refused."""
    honest = getattr(theatre.journal, call)
    refused: list[str] = []

    async def refuse(*args: Any, **named: Any) -> Any:  # noqa: ANN401 - whatever the call takes and gives
        told = any(isinstance(event, Notice) and "no order starts" in event.text for event in theatre.events)
        if not told:
            refused.append(call)
            raise DiskFullError
        return await honest(*args, **named)

    monkeypatch.setattr(theatre.journal, call, refuse)
    return refused


@pytest.mark.parametrize("call", ["fetch", "start", "give_back", "count_death", "finish", "record"])
async def test_a_full_journal_is_told_and_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr("app.supervisor.patience.TRY_AGAIN_S", 0.05)
    monkeypatch.setattr("app.supervisor.holds.FIRST_HOLD_S", 0.1)
    monkeypatch.setattr("app.supervisor.restarts.FIRST_BACKOFF_S", 0.01)

    async with running_pool(tmp_path, monkeypatch, SCRIPT, 1, 2, 3) as theatre:
        refused = fill_disk(theatre, call, monkeypatch)
        await theatre.pool.finish()

    assert refused
    assert set((await theatre.outcomes()).values()) == {"COMPLETED"}
