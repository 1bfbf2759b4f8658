"""The way of a user with a portal of their own: a pack file, a login, runs, and no further word about the portal."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import some_good_number
from tests.support.portal import needs_chromium
from tests.support.program import ProgramFolder, open_program

pytestmark = [needs_chromium, pytest.mark.timeout(600)]


def write_pack(program: ProgramFolder) -> Path:
    """The demo portal as somebody would describe it who knows nothing of the shipped pack, without a supplier."""
    text = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
    supplier = text[text.index("[fields.supplier]") : text.index("[fields.status]")]
    path = program.folder / "mine.toml"
    path.write_text(text.replace('name = "demo"', 'name = "mine"').replace(supplier, ""), encoding="utf-8")
    return path


async def test_a_profile_for_a_pack_of_ones_own_is_whole(tmp_path: Path) -> None:
    async with running_portal(order_count=12) as portal, open_program(tmp_path, portal) as program:
        pack = write_pack(program)
        number = await some_good_number(portal)
        run = ("run", f"PO{number}", "--profile", "mine", "--json")

        lint = await program.run("portal", "lint", "./mine.toml")
        login = await program.run("profile", "login", "mine", "--form", "--portal", "./mine.toml", "--url", portal.url)
        verified = await program.run("profile", "verify", "mine")
        pack.unlink()
        done = await program.run(*run)

        assert (lint.code, login.code, verified.code) == (0, 0, 0), (lint, login, verified)
        assert "ok   profile.toml for Demo portal" in verified.out
        assert done.code == 0, done
        assert done.objects()[-1]["outcomes"] == {"COMPLETED": 1}
        assert list((program.out / f"PO{number}").iterdir()), "the default folder has no level for the supplier"
        notices = [event["text"] for event in done.objects() if event["type"] == "notice"]
        assert any("without the supplier, as the portal pack mine has no field" in text for text in notices), notices

        await portal.expire_sessions()
        renewed = await program.run(*run, "--redo", "all")
        promoted = await program.run("profile", "promote", "mine")
        last = await program.run("profile", "verify", "mine")

        assert (renewed.code, promoted.code, last.code) == (0, 0, 0), (renewed, promoted, last)
        assert "login probe passed" in promoted.out
