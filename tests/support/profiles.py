"""What tests of profiles begin with: a base, a profile with its life, folders of runs, a place without rights."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from poolwright.domain.ids import ProfileId
from poolwright.domain.state_machine import Transition
from poolwright.profile.profile import Profile
from tests.support.profile_folders import make_base

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base made by hand."""
    return make_base(tmp_path / "base")


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of its own, and no rights beyond an ordinary user's while the test runs."""
    folder = Path(tempfile.mkdtemp(prefix="unprivileged-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        shutil.rmtree(folder)


class ObservedProfile:
    """A profile with everything that it told."""

    def __init__(self, base: Path, place: Path) -> None:
        self.moves: list[Transition] = []
        self.profile = Profile(
            profile_id=ProfileId("anna/worker-1"),
            base_profile_path=base,
            worker_profile_path=place,
            clock=lambda: NOON,
            observe=self.moves.append,
        )

    @property
    def path(self) -> list[str]:
        return [move.target for move in self.moves]


@pytest.fixture
def life(base: Path, tmp_path: Path) -> ObservedProfile:
    (tmp_path / "w1").mkdir()
    return ObservedProfile(base, tmp_path / "w1/profile")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def long_root(tmp_path: Path) -> Path:
    return tmp_path / ("long" * 15)


@pytest.fixture
def short_root() -> Iterator[Path]:
    """A place whose path is short enough, as the system's temporary folder is."""
    with tempfile.TemporaryDirectory(prefix="s") as folder:
        yield Path(folder)
