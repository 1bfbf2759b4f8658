"""A copy while another process opens the base."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from poolwright.profile.clone import clone_profile
from poolwright.profile.errors import ProfileInUseError
from tests.process.profile.children import child
from tests.support.copying import after_first_copy


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "run" / "profile"


@pytest.fixture(autouse=True)
def _run_folder(target: Path) -> None:
    target.parent.mkdir()


def test_a_browser_that_opens_the_base_meanwhile_is_noticed(
    base: Path, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with child("import sys; print(1, flush=True); sys.stdin.read()", f"--user-data-dir={base}") as (process, _):
        after_first_copy(
            monkeypatch, lambda: (base / "SingletonLock").symlink_to(f"{socket.gethostname()}-{process.pid}")
        )

        with pytest.raises(ProfileInUseError, match="open in a browser"):
            clone_profile(base, target)

    assert list(target.parent.iterdir()) == []
