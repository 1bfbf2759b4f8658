"""The life of one worker's profile while another process has it."""

from __future__ import annotations

import socket

import pytest

from poolwright.domain.states import ProfileStatus
from poolwright.profile.errors import ProfileInUseError
from tests.process.profile.children import child
from tests.support.profiles import ObservedProfile


def test_while_the_last_browser_still_runs_it_cannot_be_taken(life: ObservedProfile) -> None:
    life.profile.clone()
    place = life.profile.worker_profile_path
    with child("import sys; print(1, flush=True); sys.stdin.read()", f"--user-data-dir={place}") as (process, _):
        (place / "SingletonLock").symlink_to(f"{socket.gethostname()}-{process.pid}")

        with pytest.raises(ProfileInUseError):
            life.profile.lease()

    assert life.profile.state is ProfileStatus.READY
    life.profile.lease()
    assert life.profile.state is ProfileStatus.IN_USE
