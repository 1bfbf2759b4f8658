"""A place for a worker with a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.paths import ROOT


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a worker with a browser lives; short, because a browser puts sockets there."""
    with TemporaryDirectory(prefix="pw-") as folder:
        home = Path(folder).resolve()
        for name in ("tmp", "profile"):
            (home / name).mkdir()
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        monkeypatch.setenv("PROFILE", str(home / "profile"))
        yield home
