"""A login that a run renewed comes into the profile when a person says so, and only if the portal still takes it."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from poolwright.demo.portal_client import running_portal
from poolwright.profile.backups import refreshed_login_path
from poolwright.profile.base import check_base
from tests.support.batch_results import QUIET, some_good_number
from tests.support.portal import needs_chromium
from tests.support.program import ProgramFolder, open_program

pytestmark = [needs_chromium, pytest.mark.timeout(400)]


def base_of(program: ProgramFolder) -> Path:
    return program.folder / "profiles" / "demo" / "base"


def folders_of(program: ProgramFolder) -> set[str]:
    return {path.name for path in base_of(program).parent.iterdir() if path.is_dir()}


async def test_a_renewed_login_is_written_back_only_on_command_and_only_while_it_holds(tmp_path: Path) -> None:
    async with running_portal() as portal, open_program(tmp_path, portal) as program:
        order = ("run", f"PO{await some_good_number(portal)}", *QUIET, "--redo", "all")
        kept = refreshed_login_path(base_of(program))
        too_early = await program.run("profile", "promote", "demo")
        await portal.expire_sessions()
        renewing = await program.run(*order)
        renewed, mode = await portal.visitors(), stat.S_IMODE(kept.stat().st_mode)
        program.environment.pop("POOLWRIGHT_PASSWORD")

        assert too_early.code != 0
        assert "No run has renewed the login of profile demo" in too_early.errors
        assert renewing.code == 0, renewing
        assert mode == 0o600

        await portal.expire_sessions()
        await assert_nothing_is_promoted(program)
        await portal.admit(renewed)
        before = await program.run(*order)
        promoted = await program.run("profile", "promote", "demo")
        after = await program.run(*order)

        assert before.code == 4, "the profile itself was left as it was"
        assert promoted.code == 0, promoted
        assert "login probe passed" in promoted.out
        assert after.code == 0, after
        (old,) = base_of(program).parent.glob("base.before-*")
        assert str(old.name) in promoted.out.replace("\n", "")
        assert not kept.exists()
        assert check_base(base_of(program)).seal is not None


async def assert_nothing_is_promoted(program: ProgramFolder) -> None:
    """The renewed login has ended too, and the profile stays as it was, byte by byte of its seal."""
    seal, folders = base_of(program).with_name("base.seal.json").read_bytes(), folders_of(program)

    promoted = await program.run("profile", "promote", "demo")

    assert promoted.code == 4, promoted
    assert "has expired as well" in promoted.errors
    assert base_of(program).with_name("base.seal.json").read_bytes() == seal
    assert folders_of(program) == folders
    assert check_base(base_of(program)).seal is not None
