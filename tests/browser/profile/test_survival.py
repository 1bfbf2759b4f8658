"""What a session keeps through clone, planned restart and the death of its browser, through the real worker process."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.browser.profile.browsing import RECALL, STORE
from tests.browser.profile.site import COOKIE_NAMES, Site
from tests.support.generations import slot_on

pytestmark = pytest.mark.timeout(120)

KEPT = ["kept", "kept", "kept"]
LATE_COOKIES = """() => {
  document.cookie = 'late=1; Max-Age=86400; Path=/';
  document.cookie = 'late-session=1; Path=/';
  document.cookie = 'remember=renewed; Max-Age=86400; Path=/';
  document.cookie = 'late-chip=1; Path=/; Secure; SameSite=None; Partitioned';
}"""
LATE_NAMES = {"late", "late-session", "late-chip"}


async def test_a_clone_has_every_cookie_and_store(tmp_path: Path, logged_in: Path, site: Site) -> None:
    async with slot_on(logged_in, tmp_path) as slot, slot.live() as life:
        kept, cookies = await life.run(site.url, RECALL)
        await life.drain()

    assert kept == KEPT
    assert cookies.keys() == COOKIE_NAMES


async def test_a_planned_restart_keeps_what_was_new_too(tmp_path: Path, logged_in: Path, site: Site) -> None:
    async with slot_on(logged_in, tmp_path) as slot:
        async with slot.live() as life:
            await life.run(site.url, STORE)
            await life.run(site.url, LATE_COOKIES)
            await life.drain()
        slot.cookies_path.unlink()  # the profile alone keeps them
        async with slot.live() as life:
            kept, cookies = await life.run(site.url, RECALL)
            newer, _ = await life.run(site.url, "() => localStorage.getItem('newer')")
            await life.drain()

    assert kept == KEPT
    assert newer == "kept"
    assert cookies.keys() == COOKIE_NAMES | LATE_NAMES
    assert cookies["remember"] == "renewed"


async def test_a_killed_browser_takes_nothing_with_it(tmp_path: Path, logged_in: Path, site: Site) -> None:
    """The cookies of the last task are on no disk but the snapshot's: Chromium writes its own up to 30 s later."""
    async with slot_on(logged_in, tmp_path) as slot:
        async with slot.live() as life:
            await life.run(site.url, STORE)
            await life.drain()
        async with slot.live() as life:
            await life.run(site.url, LATE_COOKIES)
            await life.lose_browser()
        mode = stat.S_IMODE(slot.cookies_path.stat().st_mode)
        snapshot = {cookie["name"] for cookie in json.loads(slot.cookies_path.read_text())}
        left = [path.name for path in slot.cookies_path.parent.glob("cookies*")]
        async with slot.live() as life:
            kept, cookies = await life.run(site.url, RECALL)
            newer, _ = await life.run(site.url, "() => localStorage.getItem('newer')")
            await life.drain()

    assert mode == 0o600
    assert snapshot == COOKIE_NAMES | LATE_NAMES
    assert left == ["cookies.json"]
    assert kept == KEPT
    assert newer == "kept"
    assert cookies.keys() == COOKIE_NAMES | LATE_NAMES
    assert cookies["remember"] == "renewed"


async def test_session_storage_does_not_survive_its_tab(tmp_path: Path, logged_in: Path, site: Site) -> None:
    """The limit that README tells of."""
    async with slot_on(logged_in, tmp_path) as slot, slot.live() as life:
        await life.run(site.url, "() => sessionStorage.setItem('token', 'gone')")
        found, _ = await life.run(site.url, "() => sessionStorage.getItem('token')")
        await life.drain()

    assert found is None
