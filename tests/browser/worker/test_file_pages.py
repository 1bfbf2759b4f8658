"""Files behind one more page or dialog."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf, raw_pack
from tests.support.raw_scenario import button, files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

FOLLOW = '[attachments.file]\nfollow = "a.save"\n'
CLICK = '[attachments.file]\nclick = "button.save"\n'
NAMES = ["a.pdf", "b.pdf"]
LINKS = "".join(link(f"/view/{name}", name) for name in NAMES)
OPEN = "box.innerHTML=`<a class=save href=/f/{0}>Save</a><button class=save onclick=location='/f/{0}'>S`"
DIALOG = "".join(button(OPEN.format(name), name) for name in NAMES)
CASES = {
    "a page with a link": (LINKS, "<a class=save href=/f/{}>Save</a>", FOLLOW),
    "a page with a late link": (
        LINKS,
        "<p id=x></p><script>setTimeout(() => x.innerHTML = '<a class=save href=/f/{}>S</a>', 500)</script>",
        FOLLOW,
    ),
    "a page with a button": (LINKS, "<button class=save onclick=\"location='/f/{}'\">Save</button>", CLICK),
    "a page with a frame": (LINKS, '<iframe class=save srcdoc="<a class=save href=/f/{}>S</a>"></iframe>', FOLLOW),
    "a dialog with a link": (f"{DIALOG}<div id=box></div>", "", FOLLOW),
    "a dialog with a button": (f"{DIALOG}<div id=box></div>", "", CLICK),
}


@pytest.mark.parametrize("name", CASES)
async def test_a_file_behind_a_page_is_downloaded(name: str, tmp_path: Path, open_scenario: OpenScenario) -> None:
    body, viewer, tables = CASES[name]
    async with raw_scenario(open_scenario, tmp_path, raw_pack(tables)) as (portal, scenario):
        portal.order("1", body)
        for file in NAMES:
            portal.routes[f"/view/{file}"] = (answer(viewer.format(file).encode(), kind="text/html"),)
            portal.routes[f"/f/{file}"] = (attached(file, pdf(file)),)

        report, saved = await files_of(scenario)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {file: pdf(file) for file in NAMES}


async def test_a_link_that_leads_to_the_file_itself_needs_no_page(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path, raw_pack(FOLLOW)) as (portal, scenario):
        portal.order("1", LINKS)
        portal.routes["/view/a.pdf"] = (attached("a.pdf", pdf("a.pdf")),)
        portal.routes["/view/b.pdf"] = (answer(b"<a class=save href=/f/b.pdf>b</a>", kind="text/html"),)
        portal.routes["/f/b.pdf"] = (answer(pdf("b.pdf")),)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.ALL_SAVED, {file: pdf(file) for file in NAMES})


@pytest.mark.parametrize(
    ("viewer", "told"),
    [
        ("<p>Nothing here", "the page of the file showed no element 'a.save' within 2 s"),
        ("<a class=save href=/f/a.pdf>1</a><a class=save href=/f/b.pdf>2</a>", "shows 2 different files"),
        ("<a class=save href=https://elsewhere.test/f>1</a>", "on another host, which the portal pack does not name"),
    ],
)
async def test_a_file_whose_page_does_not_show_it_is_missed(
    viewer: str, told: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    pack = raw_pack(FOLLOW)
    pack = pack.model_copy(update={"limits": pack.limits.model_copy(update={"page_s": 2.0})})
    async with raw_scenario(open_scenario, tmp_path, pack) as (portal, scenario):
        portal.order("1", LINKS)
        portal.routes["/view/a.pdf"] = (answer(viewer.encode(), kind="text/html"),)
        portal.routes["/view/b.pdf"] = (attached("b.pdf", pdf("b.pdf")),)

        report, saved = await files_of(scenario)

    assert saved == {"b.pdf": pdf("b.pdf")}
    [missed] = report.missed
    assert missed.label == "a.pdf"
    assert told in missed.problem


async def test_the_page_of_a_file_changes_nothing_on_the_portal(tmp_path: Path, open_scenario: OpenScenario) -> None:
    viewer = b"<script>fetch('/seen', {method: 'POST'})</script><a class=save href=/f/a.pdf>a</a>"
    async with raw_scenario(open_scenario, tmp_path, raw_pack(FOLLOW)) as (portal, scenario):
        portal.order("1", link("/view/a.pdf", "a.pdf"))
        portal.routes["/view/a.pdf"] = (answer(viewer, kind="text/html"),)
        portal.routes["/f/a.pdf"] = (answer(pdf("a.pdf")),)

        report, saved = await files_of(scenario)

    assert (report.reason, list(saved)) == (Reason.ALL_SAVED, ["a.pdf"])
    assert "/seen" not in portal.asked
