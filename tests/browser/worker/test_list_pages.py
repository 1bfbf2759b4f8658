"""Lists of several pages, and lists that grow or change while they are scrolled."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import RawPortal, answer, attached, pdf, raw_pack
from tests.support.raw_scenario import files_of, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(150), pytest.mark.asyncio(loop_scope="session")]

NAMES = [f"{letter}.pdf" for letter in "abcdefg"]
NEXT = '[attachments.next]\nclick = "#next"\n'
SCROLL = '[attachments.next]\nscroll = "#list"\n'
#: Names of files in a list, the row of each, and two buttons of a pager that shows three at a time.
SCRIPT = """
const names = %s;
const row = %s;
let first = 0;
const show = () => {
  list.innerHTML = names.slice(first, first + 3).map(row).join("");
  next.disabled = first + 3 >= names.length;
};
next.onclick = () => setTimeout(() => { first += 3; show(); }, 100);
show();
"""
LINK = "name => `<a class=att href=/f/${name}>${name}</a>`"
BUTTON = "name => `<button class=att onclick=\"location='/f/${name}'\">${name}</button>`"
ALIKE = "name => `<p><i>${name}</i><button class=att onclick=\"location='/f/${name}'\">Download</button></p>`"
PAGER = "<div id=list></div><button id=next>Next</button>"
#: A list of which only three rows exist at a time.
VIRTUAL = """
const names = %s;
const row = %s;
const show = () => {
  const first = Math.floor(list.scrollTop / 50);
  rows.style.top = first * 50 + "px";
  rows.innerHTML = names.slice(first, first + 3).map((name) => `<div style="height:50px">${row(name)}</div>`).join("");
};
list.onscroll = show;
show();
"""
FRAME = (
    "<div id=list style='height:100px;overflow:auto'><div style='height:350px;position:relative'>"
    "<div id=rows style='position:absolute'></div></div></div>"
)
#: A list that asks for more when it is scrolled to its end.
GROWING = """
const names = %s;
const row = %s;
let count = 3;
const show = () => (list.innerHTML = names.slice(0, count).map((n) => `<p style="height:60px">${row(n)}</p>`).join(""));
list.onscroll = () => fetch("/more").then(() => { count = Math.min(count + 2, names.length); show(); });
show();
"""


def pages_of_links() -> dict[str, str]:
    """An order whose list is in three documents."""
    links = [f"<a class=att href=/f/{name}>{name}</a>" for name in NAMES]
    more = "<a id=next href=/order/1/{}>Next</a>"
    return {
        "1": "".join(links[:3]) + more.format(2),
        "1/2": "".join(links[3:6]) + more.format(3),
        "1/3": links[6] + "<a id=next class=disabled href=/order/1/3>Next</a>",
    }


def serve_files(portal: RawPortal) -> None:
    """Serve the files by links and by clicks."""
    for name in NAMES:
        portal.routes[f"/f/{name}"] = (attached(name, pdf(name)),)
    portal.routes["/more"] = (answer(b"more", kind="text/plain"),)


#: Body, script and tables of the pack.
CASES = {
    "pages in place": (PAGER, SCRIPT % (NAMES, LINK), NEXT),
    "pages in place, counted": (
        f"<b id=n>7</b>{PAGER}",
        SCRIPT % (NAMES, LINK),
        f'{NEXT}[attachments.count]\nselector = "#n"\n',
    ),
    "pages of buttons": (PAGER, SCRIPT % (NAMES, BUTTON), NEXT),
    "a list of which rows are removed": (FRAME, VIRTUAL % (NAMES, LINK), SCROLL),
    "a list of which rows are removed, of buttons": (FRAME, VIRTUAL % (NAMES, BUTTON), SCROLL),
    "a list that grows": (
        "<div id=list style='height:100px;overflow:auto'></div>",
        GROWING % (NAMES, LINK),
        SCROLL,
    ),
    "a list that grows, of buttons": (
        "<div id=list style='height:100px;overflow:auto'></div>",
        GROWING % (NAMES, BUTTON),
        SCROLL,
    ),
    "a list in a shadow root": (
        f"<p id=host></p><template id=inner>{PAGER}</template>",
        "const root = host.attachShadow({mode: 'open'}); root.append(inner.content);"
        "const [list, next] = [root.querySelector('#list'), root.querySelector('#next')];" + SCRIPT % (NAMES, LINK),
        NEXT,
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_all_pages_of_a_list_are_read(name: str, tmp_path: Path, open_scenario: OpenScenario) -> None:
    body, script, tables = CASES[name]
    async with raw_scenario(open_scenario, tmp_path, raw_pack(tables, settled="[]")) as (portal, scenario):
        portal.order("1", body, script)
        serve_files(portal)

        report, saved = await files_of(scenario)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {name: pdf(name) for name in NAMES}


FRAMES = {"links": (LINK, ""), "buttons": (BUTTON, "allow-downloads")}


@pytest.mark.parametrize("name", FRAMES)
async def test_all_pages_of_a_list_in_a_frame_of_another_origin_are_read(
    name: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    row, more = FRAMES[name]
    async with raw_scenario(open_scenario, tmp_path, raw_pack(NEXT, settled="[]")) as (portal, scenario):
        portal.order("1", f"<iframe sandbox='allow-scripts {more}' src=/frame width=300 height=200></iframe>")
        page = f"<!DOCTYPE html>{PAGER}<script>{SCRIPT % (NAMES, row)}</script>"
        portal.routes["/frame"] = (answer(page.encode(), kind="text/html"),)
        serve_files(portal)

        report, saved = await files_of(scenario)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {name: pdf(name) for name in NAMES}


async def test_a_list_in_several_documents_is_read_to_its_last(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path, raw_pack(NEXT)) as (portal, scenario):
        for number, body in pages_of_links().items():
            portal.order(number, body)
        serve_files(portal)

        report, saved = await files_of(scenario)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {name: pdf(name) for name in NAMES}


async def test_files_that_look_the_same_are_told_apart_by_their_row(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    row = '[attachments.row]\nclosest = "p"\nselector = "i"\n'
    async with raw_scenario(open_scenario, tmp_path, raw_pack(SCROLL + row, settled="[]")) as (portal, scenario):
        portal.order("1", FRAME, VIRTUAL % (NAMES, ALIKE))
        serve_files(portal)

        report, saved = await files_of(scenario)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {name: pdf(name) for name in NAMES}


#: The second page of a list of another origin is asked for without a request, and comes late.
LATE = SCRIPT.replace("100);", "3000);")


async def test_a_late_page_in_a_frame_of_another_origin_keeps_its_order_open(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path, raw_pack(NEXT, settled="[]")) as (portal, scenario):
        portal.order("1", "<iframe sandbox='allow-scripts' src=/frame width=300 height=200></iframe>")
        page = f"<!DOCTYPE html>{PAGER}<script>{LATE % (NAMES, LINK)}</script>"
        portal.routes["/frame"] = (answer(page.encode(), kind="text/html"),)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.PORTAL_CHANGED, {})
    assert "Page 2 of the list did not arrive" in report.detail


UNSURE = {
    "it has more pages than allowed": (
        PAGER,
        SCRIPT % (NAMES, LINK),
        f"{NEXT}max = 2\n",
        "more than 2 pages",
    ),
    "a page does not come": (
        f"{PAGER}<a class=att href=/f/a.pdf>a.pdf</a>",
        "next.onclick = () => 0",
        NEXT,
        "Page 2 of the list did not arrive",
    ),
    "fewer files than counted": (
        f"<b id=n>8</b>{PAGER}",
        SCRIPT % (NAMES, LINK),
        f'{NEXT}[attachments.count]\nselector = "#n"\n',
        "announces 8 attachments but shows 7",
    ),
    "its end is not shown": (
        FRAME,
        VIRTUAL % (NAMES, LINK),
        f'{SCROLL}until = "#end"\n',
        "does not show it (next.until '#end')",
    ),
    "its end is not shown by a pager": (
        PAGER,
        SCRIPT % (NAMES, LINK),
        f'{NEXT}until = "#end"\n',
        "does not show its end (next.until '#end')",
    ),
    "nothing scrolls": (
        "<a class=att href=/f/a.pdf>a.pdf</a>",
        "",
        SCROLL,
        "no element that scrolls (next.scroll '#list')",
    ),
    "its files look the same": (FRAME, VIRTUAL % (NAMES, ALIKE), SCROLL, "Several files of the list look the same"),
}


@pytest.mark.parametrize("name", UNSURE)
async def test_a_list_that_may_have_more_keeps_its_order_open(
    name: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    body, script, tables, told = UNSURE[name]
    pack = raw_pack(tables, settled="[]")
    pack = pack.model_copy(update={"limits": pack.limits.model_copy(update={"page_s": 4.0})})
    async with raw_scenario(open_scenario, tmp_path, pack) as (portal, scenario):
        portal.order("1", body, script)
        serve_files(portal)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.PORTAL_CHANGED, {})
    assert told in report.detail
