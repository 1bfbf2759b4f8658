"""A login that a run renewed comes into the profile when a person says so, and only if the portal still takes it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from poolwright.demo.portal_client import running_portal
from poolwright.profile.backups import refreshed_login_path
from tests.support.batch_results import QUIET, some_good_number
from tests.support.portal import needs_chromium
from tests.support.program import Desk, Ended, open_desk

pytestmark = [needs_chromium, pytest.mark.timeout(400)]


def base_of(desk: Desk) -> Path:
    return desk.folder / "profiles" / "demo" / "base"


def folders_of(desk: Desk) -> set[str]:
    return {path.name for path in base_of(desk).parent.iterdir() if path.is_dir()}


async def run_with_new_login(desk: Desk, number: str) -> Ended:
    """The portal ends every session, and the run logs in anew."""
    await desk.portal.expire_sessions()
    return await desk.run("run", f"PO{number}", *QUIET, "--redo", "all")


async def test_a_renewed_login_is_written_back_only_on_command(tmp_path: Path) -> None:
    async with running_portal() as portal, open_desk(tmp_path, portal) as desk:
        number = await some_good_number(portal)
        too_early = await desk.run("profile", "promote", "demo")
        done = await run_with_new_login(desk, number)
        kept = refreshed_login_path(base_of(desk))
        mode = stat.S_IMODE(kept.stat().st_mode)
        desk.environment.pop("POOLWRIGHT_PASSWORD")

        before = await desk.run("run", f"PO{number}", *QUIET, "--redo", "all")
        promoted = await desk.run("profile", "promote", "demo")
        after = await desk.run("run", f"PO{number}", *QUIET, "--redo", "all")

        assert too_early.code != 0
        assert "No run has renewed the login of profile demo" in too_early.errors
        assert done.code == 0, done
        assert mode == 0o600
        assert before.code == 4, "the profile itself was left as it was"
        assert promoted.code == 0, promoted
        assert "login probe passed" in promoted.out
        assert after.code == 0, after
        (old,) = base_of(desk).parent.glob("base.before-*")
        assert str(old.name) in promoted.out.replace("\n", "")
        assert not kept.exists()
        assert (await desk.run("profile", "verify", "demo")).code == 0


async def test_a_renewed_login_that_has_ended_too_changes_nothing(tmp_path: Path) -> None:
    async with running_portal() as portal, open_desk(tmp_path, portal) as desk:
        assert (await run_with_new_login(desk, await some_good_number(portal))).code == 0
        await portal.expire_sessions()
        seal, folders = base_of(desk).with_name("base.seal.json").read_bytes(), folders_of(desk)

        promoted = await desk.run("profile", "promote", "demo")

        assert promoted.code == 4, promoted
        assert "has expired as well" in promoted.errors
        assert base_of(desk).with_name("base.seal.json").read_bytes() == seal
        assert folders_of(desk) == folders
        assert (await desk.run("profile", "verify", "demo")).code == 0
