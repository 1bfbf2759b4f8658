"""Real worker processes that play scripted parts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from poolwright.ipc.messages import LogNotice
from poolwright.ipc.process import WorkerProcess, spawn
from tests.support.child_processes import Play, is_alive, kill_all, marked, order
from tests.support.paths import ROOT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where scripted workers live; afterwards no process may be left that has to do with it."""
    for name in ("tmp", "profile"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PROFILE", str(tmp_path / "profile"))
    yield tmp_path
    left = marked(tmp_path)
    kill_all(left)
    assert left == []


@pytest.fixture
def play(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Play]:
    """Spawns scripted workers; afterwards neither they nor the processes that they told may be left."""
    pids: list[int] = []

    @asynccontextmanager
    async def play(part: str, *, is_over_stdio: bool = False) -> AsyncGenerator[tuple[WorkerProcess, int]]:
        monkeypatch.setenv("SCRIPT", part)
        child = await spawn(order(home, is_over_stdio=is_over_stdio))
        pids.append(child.pid)
        try:
            told = await child.channel.receive()
            assert isinstance(told, LogNotice)
            pids.append(int(told.text))
            yield child, int(told.text)
        finally:
            await child.end()

    yield play
    left = [pid for pid in pids if is_alive(pid)]
    kill_all(left)
    assert left == []
