"""A clone that another process still has."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from poolwright.profile.errors import ProfileInUseError
from poolwright.profile.profile import prepare_for_launch
from tests.process.profile.children import child
from tests.support.profile_folders import fingerprint


@pytest.fixture
def clone(base: Path) -> Path:
    return base


def test_a_clone_that_a_browser_still_has_is_left_alone(clone: Path) -> None:
    with child("import sys; print(1, flush=True); sys.stdin.read()", f"--user-data-dir={clone}") as (process, _):
        (clone / "SingletonLock").symlink_to(f"{socket.gethostname()}-{process.pid}")
        before = fingerprint(clone)

        with pytest.raises(ProfileInUseError):
            prepare_for_launch(clone)

        assert fingerprint(clone) == before
