"""A damaged profile ends the whole operation: at start-up, before a restart, and when a session finds it."""

from __future__ import annotations

import os
import signal
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from poolwright.domain.events import Notice, TaskStarted
from poolwright.domain.outcomes import Reason, ReturnReason
from poolwright.profile.clone import is_quarantined
from poolwright.profile.damage import read_damage_mark, remediation
from poolwright.profile.errors import ProfileDamagedError, ProfileRefusedError
from poolwright.profile.repository import FILE_NAME
from poolwright.profile.seal import write_seal
from poolwright.supervisor.policy.commands import StopCause
from tests.support.profile_folders import make_base
from tests.support.scripted_pool import ScriptedPool, running_pool

pytestmark = pytest.mark.timeout(60)

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
#: The first worker finds its profile damaged, the second one has an order in hand.
FOUND_AT_SESSION_START = {"1#1": {"start": "unable:profile"}, "*": {"tasks": ["linger"]}}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The base that the pool will clone, of a named profile."""
    path = make_base(tmp_path / "demo" / "base")
    (path.parent / FILE_NAME).write_text("")
    return path


def kept_of(scripted: ScriptedPool) -> list[Path]:
    """Damaged clones that lie in the folders of runs."""
    return [path for path in (scripted.root / "runs").glob("r-*/w*/*") if is_quarantined(path)]


def started_of(scripted: ScriptedPool) -> dict[int, str]:
    """The order that each slot was given."""
    return {event.worker.slot: event.task.portal_number for event in scripted.events if isinstance(event, TaskStarted)}


def notices_of(scripted: ScriptedPool) -> list[str]:
    return [event.text for event in scripted.events if isinstance(event, Notice)]


async def test_a_session_that_finds_damage_ends_the_pool_and_costs_no_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: Path
) -> None:
    async with running_pool(
        tmp_path, monkeypatch, FOUND_AT_SESSION_START, 1, 2, 3, worker_count=2, base=base
    ) as scripted:
        end = await scripted.pool.finish()

    assert end is not None
    assert end.cause is StopCause.PROFILE_DAMAGED
    assert await scripted.outcomes() == dict.fromkeys("123", "QUEUED")
    assert await scripted.attempt_counts() == dict.fromkeys("123", 0)
    (kept,) = kept_of(scripted)
    assert (kept / "Default/Cookies").is_file()
    found = f"The script says so. The damaged clone is kept in {kept}."
    assert end.detail == f"{found} {remediation(base)}"
    assert f"kept for inspection: {kept}" in notices_of(scripted)
    assert scripted.path("profile", "demo/worker-1")[-3:] == ["IN_USE", "CORRUPTED", "FAILED"]
    marker = read_damage_mark(base)
    assert marker is not None
    assert marker.why == found


async def test_orders_in_flight_are_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: Path) -> None:
    script = {"*": {"tasks": ["hang"]}}

    async with running_pool(tmp_path, monkeypatch, script, 1, 2, worker_count=2, base=base) as scripted:
        with anyio.fail_after(40):
            await scripted.until(lambda: len(started_of(scripted)) == 2)
            started = started_of(scripted)
            damaged = scripted.pool.workers[1]
            (damaged.profile_path / "Default/Preferences").write_bytes(b"{")
            assert damaged.pid is not None
            os.kill(damaged.pid, signal.SIGKILL)
            end = await scripted.pool.finish()

    assert end is not None
    assert end.cause is StopCause.PROFILE_DAMAGED
    assert "Preferences" in end.detail
    assert set((await scripted.outcomes()).values()) == {"QUEUED"}
    attempts = await scripted.attempt_counts()
    assert attempts[started[2]] == 1, "its worker died, which is no fault of the profile's"
    assert attempts[started[1]] == 0
    assert [event.why for event in scripted.returned()] == [Reason.WORKER_LOST, ReturnReason.DRAINING]
    assert read_damage_mark(base) is not None


async def test_a_damaged_base_is_found_before_any_worker_starts_and_the_next_pool_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: Path
) -> None:
    write_seal(base, now=NOON)
    (base / "Default/Other").write_bytes(b"x")
    events: list[object] = []

    with pytest.raises(ProfileDamagedError, match="Default/Other is new"):
        async with running_pool(tmp_path, monkeypatch, {}, 1, 2, base=base):
            events.append("entered")
    with pytest.raises(ProfileRefusedError, match=r"Default/Other is new.* `poolwright profile restore demo`"):
        async with running_pool(tmp_path, monkeypatch, {}, 1, 2, base=base):
            events.append("entered")

    assert events == []
    assert list((tmp_path / "runs").glob("*")) == []


async def test_a_base_of_no_named_profile_is_not_marked_but_the_pool_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_pool(tmp_path, monkeypatch, FOUND_AT_SESSION_START, 1, 2, worker_count=2) as scripted:
        end = await scripted.pool.finish()

    assert end is not None
    assert end.cause is StopCause.PROFILE_DAMAGED
    assert read_damage_mark(tmp_path / "demo" / "base") is None
    assert len(kept_of(scripted)) == 1


async def test_a_mark_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base: Path
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(30, "Read-only file system", str(base))

    monkeypatch.setattr("poolwright.profile.damage.replace_private_file", refuse)

    async with running_pool(tmp_path, monkeypatch, FOUND_AT_SESSION_START, 1, base=base) as scripted:
        end = await scripted.pool.finish()

    assert end is not None
    assert "the damage mark beside the base can't be written (Read-only file system)." in end.detail
