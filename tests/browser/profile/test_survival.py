"""What a session keeps through clone, planned restart and the death of its browser, through the real worker process.

One worker lives three lives on one clone: the first ends in order, the second loses its browser. Each test judges what
one of them found.
"""

from __future__ import annotations

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.browser.profile.browsing import RECALL, STORE
from tests.browser.profile.site import COOKIE_NAMES, Site
from tests.support.generations import RunningGeneration, slot_on

pytestmark = pytest.mark.timeout(120)

KEPT = ["kept", "kept", "kept"]
LATE_COOKIES = """name => {
  document.cookie = `${name}=1; Max-Age=86400; Path=/`;
  document.cookie = `${name}-session=1; Path=/`;
  document.cookie = `remember=${name}; Max-Age=86400; Path=/`;
  document.cookie = `${name}-chip=1; Path=/; Secure; SameSite=None; Partitioned`;
}"""
LATE_NAMES = {"late", "late-session", "late-chip"}
LAST_NAMES = {"last", "last-session", "last-chip"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a life found when it began."""

    stores: Any
    #: What a life before it added to localStorage.
    newer: Any
    cookies: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFindings:
    """What the three lives found, and what the second one left on the disk."""

    cloned: Found
    restarted: Found
    after_death: Found
    #: What the tab of an earlier task left in sessionStorage.
    of_closed_tab: str | None
    snapshot: set[str]
    snapshot_mode: int
    snapshot_files: list[str]


async def look(life: RunningGeneration, site: Site) -> Found:
    """Tell what is there, and leave something in the tab, which closes."""
    script = f"""async () => {{
      sessionStorage.setItem('token', 'gone');
      return [await ({RECALL})(), localStorage.getItem('newer')];
    }}"""
    (stores, newer), cookies = await life.run(site.url, script)
    return Found(stores=stores, newer=newer, cookies=cookies)


async def add(life: RunningGeneration, site: Site) -> str | None:
    """Store more, in a tab of its own; gives what the tab before it left there."""
    script = f"""async () => {{
      const token = sessionStorage.getItem('token');
      await ({STORE})();
      ({LATE_COOKIES})('late');
      return token;
    }}"""
    token, _ = await life.run(site.url, script)
    return token


async def live(folder: Path, base: Path, site: Site) -> SessionFindings:
    async with slot_on(base, folder) as slot:
        async with slot.live() as life:
            cloned = await look(life, site)
            of_closed_tab = await add(life, site)
            await life.drain()
        slot.cookies_path.unlink()  # the profile alone keeps them
        async with slot.live() as life:
            restarted = await look(life, site)
            # Cookies alone: a page that opens a database has the browser write its cookies too.
            await life.run(site.url, f"() => ({LATE_COOKIES})('last')")
            await life.lose_browser()
        mode = stat.S_IMODE(slot.cookies_path.stat().st_mode)
        snapshot = {cookie["name"] for cookie in json.loads(slot.cookies_path.read_text())}
        left = [path.name for path in slot.cookies_path.parent.glob("cookies*")]
        async with slot.live() as life:
            after_death = await look(life, site)
            await life.drain()
    return SessionFindings(
        cloned=cloned,
        restarted=restarted,
        after_death=after_death,
        of_closed_tab=of_closed_tab,
        snapshot=snapshot,
        snapshot_mode=mode,
        snapshot_files=left,
    )


@pytest.fixture(scope="module", name="lives")
def _lives(tmp_path_factory: pytest.TempPathFactory, logged_in: Path, site: Site) -> SessionFindings:
    return anyio.run(live, tmp_path_factory.mktemp("lives"), logged_in, site)


def test_a_clone_has_every_cookie_and_store(lives: SessionFindings) -> None:
    assert lives.cloned.stores == KEPT
    assert lives.cloned.newer is None
    assert lives.cloned.cookies.keys() == COOKIE_NAMES


def test_a_planned_restart_keeps_what_was_new_too(lives: SessionFindings) -> None:
    assert lives.restarted.stores == KEPT
    assert lives.restarted.newer == "kept"
    assert lives.restarted.cookies.keys() == COOKIE_NAMES | LATE_NAMES
    assert lives.restarted.cookies["remember"] == "late"


def test_a_killed_browser_takes_nothing_with_it(lives: SessionFindings) -> None:
    """The cookies of the last task are on no disk but the snapshot's: Chromium writes its own up to 30 s later."""
    assert lives.after_death.stores == KEPT
    assert lives.after_death.newer == "kept"
    assert lives.after_death.cookies.keys() == COOKIE_NAMES | LATE_NAMES | LAST_NAMES
    assert lives.after_death.cookies["remember"] == "last"


def test_the_snapshot_that_a_killed_browser_leaves_is_whole_and_for_its_owner_alone(lives: SessionFindings) -> None:
    assert lives.snapshot_mode == 0o600
    assert lives.snapshot == COOKIE_NAMES | LATE_NAMES | LAST_NAMES
    assert lives.snapshot_files == ["cookies.json"]


def test_session_storage_does_not_survive_its_tab(lives: SessionFindings) -> None:
    """The limit that README tells of."""
    assert lives.of_closed_tab is None
