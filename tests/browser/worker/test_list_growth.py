"""Lists that grow after they seemed complete, on a real browser."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.worker.guard.browser_requests import open_browser_requests
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf, raw_pack
from tests.support.raw_scenario import button, files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


async def test_rows_that_come_after_the_list_seemed_complete_are_downloaded_too(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    rows = """setTimeout(() => document.querySelector("#order").insertAdjacentHTML("afterend",
      "<a class=att href='/f/b.pdf'>b.pdf</a><a class=att href='/f/c.pdf'>c.pdf</a>"), 900);"""
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/a.pdf", "a.pdf"), rows)
        portal.routes |= {f"/f/{name}": (answer(pdf(name)),) for name in ("b.pdf", "c.pdf")}
        portal.routes["/f/a.pdf"] = (2.0, answer(pdf("a.pdf")))

        report, saved = await files_of(scenario)

    assert report.reason is Reason.ALL_SAVED, report
    assert saved == {name: pdf(name) for name in ("a.pdf", "b.pdf", "c.pdf")}


#: Watched longer than any timer of the pages here takes.
WATCHED = "\n[limits]\nstall_s = 3\npage_s = 10\nwatch_s = 2.5\n"


def by_timer(row: str) -> str:
    """A script that adds a row a moment after the page is there, and asks nobody for it."""
    return f"""setTimeout(() => document.querySelector("#order").insertAdjacentHTML("afterend", `{row}`), 700);"""


async def test_a_row_that_a_timer_adds_is_found_whatever_brings_its_file_and_also_to_an_empty_list(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    late = button("location='/f/d.pdf'", "d.pdf")
    found = dict[str, tuple[Report, dict[str, bytes]]]()
    async with raw_scenario(open_scenario, tmp_path, raw_pack(limits=WATCHED)) as (portal, scenario):
        portal.order("1", link("/f/a.pdf", "a.pdf"), by_timer(link("/f/b.pdf", "b.pdf")))
        portal.order("2", button("location='/f/c.pdf'", "c.pdf"), by_timer(late))
        portal.order("3", "", by_timer(link("/f/a.pdf", "a.pdf")))
        portal.order("4", "", "let nothing = 1;")
        portal.routes |= {f"/f/{name}": (attached(name, pdf(name)),) for name in ("a.pdf", "b.pdf", "c.pdf", "d.pdf")}

        async def fetch(number: str) -> None:
            found[number] = await files_of(scenario, number)

        async with open_browser_requests(scenario.session.driver), anyio.create_task_group() as orders:
            for number in ("1", "2", "3", "4"):
                orders.start_soon(fetch, number)

    assert {number: sorted(saved) for number, (_, saved) in found.items()} == {
        "1": ["a.pdf", "b.pdf"],
        "2": ["c.pdf", "d.pdf"],
        "3": ["a.pdf"],
        "4": [],
    }
    assert [found[number][0].reason for number in ("1", "2", "3")] == [Reason.ALL_SAVED] * 3
    assert found["4"][0].reason is Reason.NONE_LISTED
    assert "the list of attachments.empty is there without any" in found["4"][0].detail
