"""The way of a user with a portal of their own: a pack file, a login, runs, and no further word about the portal."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import some_good_number
from tests.support.portal import needs_chromium
from tests.support.program import Desk, open_desk

pytestmark = [needs_chromium, pytest.mark.timeout(600)]


def write_pack(desk: Desk) -> Path:
    """The demo portal as somebody would describe it who knows nothing of the shipped pack, without a supplier."""
    text = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
    supplier = text[text.index("[fields.supplier]") : text.index("[fields.status]")]
    path = desk.folder / "mine.toml"
    path.write_text(text.replace('name = "demo"', 'name = "mine"').replace(supplier, ""), encoding="utf-8")
    return path


async def test_a_profile_for_a_pack_of_ones_own_is_whole(tmp_path: Path) -> None:
    async with running_portal(order_count=12) as portal, open_desk(tmp_path, portal) as desk:
        pack = write_pack(desk)
        number = await some_good_number(portal)
        run = ("run", f"PO{number}", "--profile", "mine", "--json")

        lint = await desk.run("portal", "lint", "./mine.toml")
        login = await desk.run("profile", "login", "mine", "--form", "--portal", "./mine.toml", "--url", portal.url)
        verified = await desk.run("profile", "verify", "mine")
        pack.unlink()
        done = await desk.run(*run)

        assert (lint.code, login.code, verified.code) == (0, 0, 0), (lint, login, verified)
        assert "ok   profile.toml for Demo portal" in verified.out
        assert done.code == 0, done
        assert done.objects()[-1]["outcomes"] == {"COMPLETED": 1}
        assert list((desk.out / f"PO{number}").iterdir()), "the default folder has no level for the supplier"
        notices = [event["text"] for event in done.objects() if event["type"] == "notice"]
        assert any("without the supplier, as the portal pack mine has no field" in text for text in notices), notices

        await portal.expire_sessions()
        renewed = await desk.run(*run, "--redo", "all")
        promoted = await desk.run("profile", "promote", "mine")
        last = await desk.run("profile", "verify", "mine")

        assert (renewed.code, promoted.code, last.code) == (0, 0, 0), (renewed, promoted, last)
        assert "login probe passed" in promoted.out
