"""The way of a user with a portal of their own: a pack file, a login, runs, and no further word about the portal.

On the way a login that a run renewed comes into the profile when the user says so, and only if the portal still takes
it.
"""

from __future__ import annotations

import stat
from importlib import resources
from pathlib import Path

import pytest

from poolwright.demo.portal_client import PortalClient, running_portal
from poolwright.profile.backups import refreshed_login_path
from poolwright.profile.base import check_base
from tests.support.batch_results import some_good_number
from tests.support.portal import needs_chromium
from tests.support.program import Ended, ProgramFolder, open_program

pytestmark = [needs_chromium, pytest.mark.timeout(600)]

PROFILE = ("--profile", "mine")


def write_pack(program: ProgramFolder) -> Path:
    """The demo portal as somebody would describe it who knows nothing of the shipped pack, without a supplier."""
    text = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
    supplier = text[text.index("[fields.supplier]") : text.index("[fields.status]")]
    path = program.folder / "mine.toml"
    path.write_text(text.replace('name = "demo"', 'name = "mine"').replace(supplier, ""), encoding="utf-8")
    return path


def base_of(program: ProgramFolder) -> Path:
    return program.folder / "profiles" / "mine" / "base"


def folders_of(program: ProgramFolder) -> set[str]:
    return {path.name for path in base_of(program).parent.iterdir() if path.is_dir()}


async def test_a_renewed_login_is_written_back_only_on_command_and_only_while_it_holds(tmp_path: Path) -> None:
    async with running_portal(order_count=12) as portal, open_program(tmp_path, portal) as program:
        await make_profile_for_own_pack(program, portal)
        number = await some_good_number(portal)
        order = ("run", f"PO{number}", *PROFILE, "--json", "--redo", "all")
        kept = refreshed_login_path(base_of(program))
        too_early = await program.run("profile", "promote", "mine")

        assert too_early.code != 0
        assert "No run has renewed the login of profile mine" in too_early.errors

        await portal.expire_sessions()
        renewing = await program.run(*order)
        renewed, mode = await portal.visitors(), stat.S_IMODE(kept.stat().st_mode)
        program.environment.pop("POOLWRIGHT_PASSWORD")

        assert renewing.code == 0, renewing
        assert mode == 0o600
        assert_order_is_filed_without_supplier(program, renewing, number)

        await portal.expire_sessions()
        await assert_nothing_is_promoted(program)
        await portal.admit(renewed)
        before = await program.run(*order)
        promoted = await program.run("profile", "promote", "mine")
        after = await program.run(*order)

        assert before.code == 4, "the profile itself was left as it was"
        assert promoted.code == 0, promoted
        assert "login probe passed" in promoted.out
        assert after.code == 0, after
        (old,) = base_of(program).parent.glob("base.before-*")
        assert str(old.name) in promoted.out.replace("\n", "")
        assert not kept.exists()
        assert check_base(base_of(program)).seal is not None


async def make_profile_for_own_pack(program: ProgramFolder, portal: PortalClient) -> None:
    """The profile is whole, and needs the pack's file no longer."""
    pack = write_pack(program)
    lint = await program.run("portal", "lint", "./mine.toml")
    login = await program.run("profile", "login", "mine", "--form", "--portal", "./mine.toml", "--url", portal.url)
    verified = await program.run("profile", "verify", "mine")
    assert (lint.code, login.code, verified.code) == (0, 0, 0), (lint, login, verified)
    assert "ok   profile.toml for Demo portal" in verified.out
    pack.unlink()


def assert_order_is_filed_without_supplier(program: ProgramFolder, ended: Ended, number: str) -> None:
    assert ended.objects()[-1]["outcomes"] == {"COMPLETED": 1}
    assert list((program.out / f"PO{number}").iterdir()), "the default folder has no level for the supplier"
    notices = [event["text"] for event in ended.objects() if event["type"] == "notice"]
    assert any("without the supplier, as the portal pack mine has no field" in text for text in notices), notices


async def assert_nothing_is_promoted(program: ProgramFolder) -> None:
    """The renewed login has ended too, and the profile stays as it was, byte by byte of its seal."""
    seal, folders = base_of(program).with_name("base.seal.json").read_bytes(), folders_of(program)

    promoted = await program.run("profile", "promote", "mine")

    assert promoted.code == 4, promoted
    assert "has expired as well" in promoted.errors
    assert base_of(program).with_name("base.seal.json").read_bytes() == seal
    assert folders_of(program) == folders
    assert check_base(base_of(program)).seal is not None
