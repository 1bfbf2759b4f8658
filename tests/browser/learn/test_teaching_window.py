"""A portal is shown in a window: what the panel notes becomes a pack that brings every file.

It is the pack that is learned from saved pages, of which ``test_learned_packs`` shows that it brings every file. Where
saved pages do not show how lists and results arrive, the pack of the window itself brings them.
"""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from playwright.async_api import Browser, Page

from poolwright.learn.learner import Lesson, learn, seen_pages
from poolwright.learn.observations import Observations, ShownKind
from poolwright.learn.page_folder import read_folder
from poolwright.learn.page_tree import CLICKED_MARK, LATE_MARK, OPENED_MARK, PageTree, text_of
from poolwright.worker.teaching.teaching_window import TeachingWindow
from tests.browser.learn.bringing import brings_every_file
from tests.support.calling_portals import portal_by_name
from tests.support.portal import needs_chromium
from tests.support.sessions import OpenScenario
from tests.support.simulated_teacher import SimulatedTeacher, WindowNotes
from tests.support.sites import Answer, serving
from tests.support.taught_pages import observed, shown_pages
from tests.support.taught_portals import TaughtPortal, serving_taught, taught_portal
from tests.support.typed_portals import TYPED_NAMES, typed_portal

pytestmark = [needs_chromium, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]
#: Portals of which the window must notice more than what stands on their pages.
WINDOW_NAMES = ("routes", "buttons", "shadow", "cells", "paged", "framed", "basic", "calls", "posted", "looked_up")
#: Those that send the links of an order with its page; the others bring them by scripts.
SERVED = {"cells", "paged", "basic", "posted", "looked_up"}


async def show(page: Page, portal: TaughtPortal, folder: Path) -> WindowNotes:
    noted = WindowNotes()
    window = TeachingWindow(page.context, folder, noted)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(window.run)
        await SimulatedTeacher(page=page, portal=portal, noted=noted).show_portal()
    return noted


async def lesson_of(name: str, portal: TaughtPortal, shell: Browser, folder: Path) -> tuple[Lesson, Observations, int]:
    """What is learned from the window, what it observed, and how many sentences it told."""
    context = await shell.new_context()
    noted = await show(await context.new_page(), portal, folder)
    await context.close()
    observations, sources = read_folder(folder)
    assert "Noted: login" in noted.texts[0]
    return learn(name, observations, seen_pages(observations, sources)), observations, len(noted.texts)


@pytest.mark.parametrize("name", WINDOW_NAMES)
async def test_a_portal_that_was_shown_gives_the_pack_of_its_saved_pages(
    name: str, tmp_path: Path, shell: Browser
) -> None:
    async with serving_taught(portal_by_name(name)) as portal:
        lesson, observations, told_count = await lesson_of(name, portal, shell, tmp_path)

    shown, sources = observed(shown_pages(portal))
    saved = learn(name, shown, seen_pages(shown, sources))
    assert lesson.text == saved.text.replace(shown.title, observations.title)
    assert (lesson.problems, lesson.pack.notices) == ((), ())
    with_files = [page for page in observations.pages if page.has_files]
    assert [page.served for page in with_files] == [name in SERVED] * len(with_files)
    assert told_count == 10 + bool(portal.password_path) + bool(portal.next_button) + bool(portal.search_path)
    assert observations.prove == (list(portal.orders)[4],)


@pytest.mark.parametrize("name", TYPED_NAMES)
async def test_results_that_come_while_one_types_and_lists_that_come_late_are_brought(
    name: str, tmp_path: Path, shell: Browser, open_scenario: OpenScenario
) -> None:
    async with serving_taught(typed_portal(name)) as portal:
        lesson, observations, _ = await lesson_of(name, portal, shell, tmp_path / "pages")
        await brings_every_file(lesson.pack, portal, tmp_path / "scenario", open_scenario)

    assert lesson.problems == ()
    rules, find = lesson.pack.attachments, lesson.pack.site.find
    assert find is not None
    kinds = [page.kind for page in observations.pages]
    if name == "suggested":
        assert find.next is None
        assert rules.api is not None
        assert rules.api.template == "{links.content:raw}"
        assert ShownKind.LOADING not in kinds
    else:
        assert find.next is not None
        assert (find.next.click, rules.settled) == ("button.turn", ("ul.loaded",))
        assert kinds.count(ShownKind.LOADING) == 1


#: An order whose files are in a menu that closes by any click beside it, and with the focus.
MENU = """<!doctype html><body><button id=other>Other</button><button id=clip><i>Files</i></button>
<ul id=menu hidden></ul><input id=by><input id=note><input id=pin type=password>
<script>
  document.querySelector("#by").value = "Nordwind";
  document.querySelector("#pin").value = "secret";
  const menu = document.querySelector("#menu");
  document.querySelector("#clip").onclick = () => { menu.hidden = false; menu.innerHTML = "<li><a href=#>a.pdf</a>"; };
  for (const type of ["click", "focusin"])
    document.addEventListener(type, ({ target }) => { if (!target.closest("#menu, #clip")) menu.hidden = true; });
</script>"""


async def test_a_menu_stays_open_and_what_opened_it_is_noted(tmp_path: Path, shell: Browser) -> None:
    noted = WindowNotes()
    context = await shell.new_context()
    async with serving({"/po/4500": Answer(body=MENU)}) as served, anyio.create_task_group() as tasks:
        page = await context.new_page()
        tasks.start_soon(TeachingWindow(context, tmp_path, noted).run)
        await page.goto(f"{served.url}/po/4500")
        await page.wait_for_selector("html > div", state="attached")
        await page.fill("#note", "my own words")
        await page.click("#other")
        await page.click("#clip i")
        teacher = SimulatedTeacher(page=page, portal=taught_portal("table"), noted=noted)
        await teacher.point_at("4500", "#menu a", "#by")
    await context.close()

    (source,) = [await each.read_text(encoding="utf-8") async for each in anyio.Path(tmp_path).glob("*order.html")]
    tree = PageTree(source, f"{served.url}/po/4500")
    assert [text_of(item) for item in tree.select(f"[{CLICKED_MARK}]")] == ["a.pdf"]
    assert tree.select(f"[{OPENED_MARK}]") == tree.select("#clip i")
    assert tree.select(f"[{LATE_MARK}]") == tree.select("#menu, #menu *")
    assert [text_of(item) for item in tree.select("input")] == ["Nordwind", "", ""]
    assert "secret" not in source
    assert "my own words" not in source
    assert "supplier Nordwind" in noted.texts[-1]
