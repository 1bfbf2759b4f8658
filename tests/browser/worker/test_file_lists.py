"""Files that the scripts of a page load as a list in JSON, without links to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.portal.pack import Pack
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, pdf, raw_pack
from tests.support.raw_scenario import files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

API = """
[attachments.api]
request = '^/api/files'
items = "data"
template = "/f/{id}"
name = "name"
"""
FETCH = "fetch('/api/files?page=1').then((response) => response.json()).then(() => document.body.append('done'))"


def api_pack() -> Pack:
    pack = raw_pack(more=API)
    return pack.model_copy(update={"limits": pack.limits.model_copy(update={"page_s": 3.0})})


def listing(*files: tuple[int, str]) -> bytes:
    entries = [{"id": number, "name": name} for number, name in files]
    return answer(json.dumps({"data": entries}).encode(), kind="application/json")


async def found(
    folder: Path, open_scenario: OpenScenario, lists: dict[str, bytes], script: str = FETCH, links: str = ""
) -> tuple[Report, dict[str, bytes]]:
    """What an order brings whose page asks for these lists."""
    async with raw_scenario(open_scenario, folder, api_pack()) as (portal, scenario):
        portal.order("1", links, script)
        for number in range(1, 5):
            portal.routes[f"/f/{number}"] = (answer(pdf(str(number))),)
        portal.routes.update({address: (content,) for address, content in lists.items()})
        return await files_of(scenario)


async def test_files_of_a_list_are_downloaded_beside_those_of_links(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    lists = {"/api/files?page=1": listing((1, "Größe.pdf"), (2, "b.pdf"))}

    report, saved = await found(tmp_path, open_scenario, lists, links=link("/f/2", "b.pdf") + link("/f/3", "c.pdf"))

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {"Größe.pdf": pdf("1"), "b.pdf": pdf("2"), "c.pdf": pdf("3")}


async def test_lists_that_come_one_after_another_are_added_up(tmp_path: Path, open_scenario: OpenScenario) -> None:
    lists = {"/api/files?page=1": listing((1, "a.pdf")), "/api/files?page=2": listing((2, "b.pdf"))}
    script = "fetch('/api/files?page=1').then((one) => one.json()).then(() => fetch('/api/files?page=2'))"

    _, saved = await found(tmp_path, open_scenario, lists, script)

    assert set(saved) == {"a.pdf", "b.pdf"}


async def test_an_empty_list_is_a_sign_of_no_attachments(tmp_path: Path, open_scenario: OpenScenario) -> None:
    report, saved = await found(tmp_path, open_scenario, {"/api/files?page=1": listing()})

    assert (report.reason, saved) == (Reason.NONE_LISTED, {})


@pytest.mark.parametrize(
    ("lists", "script"),
    [
        ({}, ""),
        ({"/api/files?page=1": answer(b"<p>oops</p>", kind="text/html")}, FETCH),
        ({"/api/files?page=1": answer(b'{"items": []}', kind="application/json")}, FETCH),
        ({"/api/files?page=1": listing((1, "a.pdf"))}, f"{FETCH}; fetch('/api/files?page=2')"),
    ],
    ids=["no request", "no JSON", "another form", "one of two failed"],
)
async def test_a_list_that_was_not_read_leaves_the_order_open(
    tmp_path: Path, open_scenario: OpenScenario, lists: dict[str, bytes], script: str
) -> None:
    report, saved = await found(tmp_path, open_scenario, lists, script, links=link("/f/1", "a.pdf"))

    assert (report.reason, saved) == (Reason.PORTAL_CHANGED, {})
    assert "attachments.api" in report.detail
