"""Orders whose address nobody knows: the portal's search finds them by their number."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.portal.pack import Pack, parse_toml
from tests.support.portal import needs_chromium
from tests.support.raw_portal import _PACK, answer, pdf
from tests.support.raw_scenario import files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

ORDER = f"<!DOCTYPE html><div id=order></div>{link('/f/a.pdf', 'a.pdf')}"
READY = '[site.find.ready]\nselector = ["#search"]\n'
BY_ADDRESS = f'[site.find]\npage = "/search?q={{number}}"\nlinks = ["a.hit"]\nempty.selector = [".none"]\n{READY}'
BY_FORM = f"""
[site.find]
page = "/search"
links = ["a.hit"]
settled = ["#found"]
steps = [
  {{ fill = "#q", value = "{{number}}" }},
  {{ press = "Enter", until = "#found" }},
]
{READY}"""
BY_ROW = (
    '[site.find]\npage = "/search?q={number}"\nlinks = ["tr a, tr button"]\nempty.selector = [".none"]\n'
    f'row = {{ closest = "tr", selector = "td.no" }}\n{READY}'
)
NEXT = '[site.find.next]\nclick = "#next"\n'
FORM = "<form id=search action=/found><input id=q name=q></form>"


def search_pack(tables: str) -> Pack:
    """The pack of a portal whose orders have addresses of their own."""
    return parse_toml(_PACK.replace('"/order/{number}"', '"/po/"') + tables, "search")


def hit(number: str, address: str) -> str:
    """A result."""
    return f"<a class=hit href={address}>{number}</a>"


async def brought(
    open_scenario: OpenScenario, folder: Path, tables: str, pages: dict[str, str]
) -> tuple[Report, list[str], list[str]]:
    """What order 1 brought, and what the portal was asked for."""
    pack = search_pack(tables)
    pack = pack.model_copy(update={"limits": pack.limits.model_copy(update={"page_s": 4.0})})
    async with raw_scenario(open_scenario, folder, pack) as (portal, scenario):
        for address, body in {"/po/u77": ORDER, **pages}.items():
            portal.routes[address] = (answer(f"<!DOCTYPE html>{body}".encode(), kind="text/html; charset=utf-8"),)
        portal.routes["/f/a.pdf"] = (answer(pdf("a")),)
        report, saved = await files_of(scenario)
        return report, list(saved), portal.asked


FOUND = {
    "by an address": (
        BY_ADDRESS,
        {"/search?q=1": f"<p id=search></p>{hit('11', '/po/u11')}{hit(' PO1 ', '/po/u77')}{hit('21', '/po/u21')}"},
    ),
    "by a form": (
        BY_FORM,
        {"/search": FORM, "/found?q=1": f"{FORM}<p id=found></p>{hit('1', '/po/u77')}{hit('10', '/po/u10')}"},
    ),
    "by a script": (
        BY_FORM,
        {
            "/search": FORM.replace(
                "action",
                "onsubmit='event.preventDefault(); setTimeout(() => list.innerHTML = "
                f"`<p id=found></p>{hit('1', '/po/u77')}`, 300)' action",
            )
            + "<div id=list></div>",
        },
    ),
    "by a row with a link": (
        BY_ROW,
        {
            "/search?q=1": "<p id=search></p><table><tr><td class=no>11<td><a href=/po/u11>Open</a>"
            "<tr><td class=no>1<td><a href=/po/u77>Open</a></table>"
        },
    ),
    "by a row with a button": (
        BY_ROW,
        {
            "/search?q=1": "<p id=search></p><table><tr><td class=no>11<td><button onclick='location=`/po/u11`'>Open"
            "</button><tr><td class=no>1<td><button onclick='location=`/po/u77`'>Open</button></table>"
        },
    ),
    "on a later page": (
        BY_ADDRESS + NEXT,
        {
            "/search?q=1": f"<p id=search></p>{hit('11', '/po/u11')}<a id=next href=/search?q=1&p=2>Next</a>",
            "/search?q=1&p=2": f"<p id=search></p>{hit('1', '/po/u77')}",
        },
    ),
    "by two links to one page": (
        BY_ADDRESS,
        {"/search?q=1": f"<p id=search></p>{hit('1', '/po/u77')}{hit('1', '/po/u77')}"},
    ),
}


@pytest.mark.parametrize("name", FOUND)
async def test_an_order_is_found_by_its_number(name: str, tmp_path: Path, open_scenario: OpenScenario) -> None:
    tables, pages = FOUND[name]

    report, saved, asked = await brought(open_scenario, tmp_path, tables, pages)

    assert (report.reason, report.detail, saved) == (Reason.ALL_SAVED, "", ["a.pdf"])
    assert not {"/po/u11", "/po/u10", "/po/u21"} & set(asked)


async def test_an_order_is_found_at_a_route_of_the_page(tmp_path: Path, open_scenario: OpenScenario) -> None:
    script = """<div id=view></div><script>
    const show = () => view.innerHTML = location.hash === '#/po/u77'
      ? "<div id=order></div><a class=att href=/f/a.pdf>a.pdf</a>"
      : "<p id=search></p><a class=hit href='#/po/u77'>1</a>";
    onhashchange = show; show();</script>"""
    tables = BY_ADDRESS.replace("/search?q={number}", "/po/app#/search/{number}")

    report, saved, _ = await brought(open_scenario, tmp_path, tables, {"/po/app": script})

    assert (report.reason, report.detail, saved) == (Reason.ALL_SAVED, "", ["a.pdf"])


OTHERWISE = {
    "none, as the page says": (
        {"/search?q=1": "<p id=search></p><p class=none>No orders</p>"},
        Reason.PORTAL_SAYS_MISSING,
        "finds no order with exactly this number",
    ),
    "others only": (
        {"/search?q=1": f"<p id=search></p>{hit('11', '/po/u11')}"},
        Reason.PORTAL_SAYS_MISSING,
        "finds no order with exactly this number",
    ),
    "nothing, and no sign of it": (
        {"/search?q=1": "<p id=search></p>"},
        Reason.PORTAL_CHANGED,
        "no sign that there is none (site.find.empty, settled)",
    ),
    "two": (
        {"/search?q=1": f"<p id=search></p>{hit('1', '/po/u77')}{hit('PO1', '/po/u78')}"},
        Reason.GIVEN_UP,
        "finds 2 orders with exactly this number",
    ),
    "a page that is none of an order": (
        {"/search?q=1": f"<p id=search></p>{hit('1', '/supplier/1')}"},
        Reason.PORTAL_CHANGED,
        "/supplier/1, which is below no site.order",
    ),
    "a page of another host": (
        {"/search?q=1": f"<p id=search></p>{hit('1', 'https://elsewhere.test/po/1')}"},
        Reason.PORTAL_CHANGED,
        "https://elsewhere.test/po/1, which is below no site.order",
    ),
    "a search page that is none": ({"/search?q=1": "<p id=x></p>"}, Reason.PORTAL_CHANGED, "matches no rule"),
}


@pytest.mark.parametrize("name", OTHERWISE)
async def test_a_search_without_one_exact_result_says_so(
    name: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    pages, reason, told = OTHERWISE[name]

    report, saved, asked = await brought(open_scenario, tmp_path, BY_ADDRESS, pages)

    assert (report.reason, saved) == (reason, [])
    assert told in report.detail
    assert not {"/po/u11", "/po/u77", "/po/u78"} & set(asked)
