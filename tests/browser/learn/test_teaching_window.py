"""A portal is shown in a window: what the panel notes becomes a pack that brings every file.

It is the pack that is learned from saved pages, of which ``test_learned_packs`` shows that it brings every file.
"""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, Page

from poolwright.learn.learner import learn, seen_pages
from poolwright.learn.page_folder import read_folder
from poolwright.worker.teaching.teaching_window import TeachingWindow
from tests.browser.learn.bringing import brings_every_file
from tests.support.calling_portals import TAUGHT_NAMES, portal_by_name
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario
from tests.support.simulated_teacher import SimulatedTeacher, WindowNotes
from tests.support.taught_pages import observed, shown_pages
from tests.support.taught_portals import TaughtPortal, serving_taught

pytestmark = [needs_chromium, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]
#: The portals that send the links of an order with its page; the others bring them by scripts.
SERVED = {"table", "spans", "cells", "paged", "basic", "posted", "looked_up"}


async def show(page: Page, portal: TaughtPortal, folder: Path) -> WindowNotes:
    noted = WindowNotes()
    window = TeachingWindow(page.context, folder, noted)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(window.run)
        await SimulatedTeacher(page=page, portal=portal, noted=noted).show_portal()
    return noted


@pytest.mark.parametrize("name", TAUGHT_NAMES)
async def test_a_portal_that_was_shown_brings_every_file(
    name: str, tmp_path: Path, shell: Browser, open_scenario: OpenScenario
) -> None:
    async with serving_taught(portal_by_name(name)) as portal:
        context = await shell.new_context()
        noted = await show(await context.new_page(), portal, tmp_path / "pages")
        await context.close()
        observations, sources = read_folder(tmp_path / "pages")
        lesson = learn(name, observations, seen_pages(observations, sources))
        assert (lesson.problems, lesson.pack.notices) == ((), ())
        shown, shown_sources = observed(shown_pages(portal))
        saved = learn(name, shown, seen_pages(shown, shown_sources)).pack
        is_same = lesson.pack.model_copy(update={"title": saved.title}) == saved
        if not is_same:
            await brings_every_file(lesson.pack, portal, tmp_path / "scenario", open_scenario)

    with_files = [page for page in observations.pages if page.has_files]
    assert [page.served for page in with_files] == [name in SERVED] * len(with_files)
    more = bool(portal.password_path) + bool(portal.next_button) + bool(portal.search_path)
    assert len(noted.texts) == 10 + more
    assert observations.prove == (list(portal.orders)[4],)
    assert "Noted: login" in noted.texts[0]
