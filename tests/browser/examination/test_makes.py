"""Portals of every make: what they have is found on their pages, and a saved page is judged like the real one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from playwright.async_api import Browser

from poolwright.domain.outcomes import Reason
from poolwright.portal.examination.page_examination import PageExamination
from poolwright.portal.triage import Verdict
from tests.browser.examination.examined_portal import examine, judge_again, open_make
from tests.support.portal import needs_chromium
from tests.support.portals.gates import rotating, with_http_login, with_two_pages
from tests.support.portals.order_pages import (
    MAKES,
    PAGE_SIZE,
    PAGED,
    SEARCH_ONLY,
    SERVER_RENDERED,
    WITHOUT_NEXT,
)
from tests.support.portals.portal_make import MISSING_NUMBER, ORDERS, PortalMake, content_of
from tests.support.raw_scenario import files_of
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

#: Those whose order is one page; of others a saved page shows a part.
ONE_PAGE = [make for make in MAKES if make not in (PAGED, SEARCH_ONLY)]
each_make = pytest.mark.parametrize("make", ONE_PAGE, ids=lambda make: make.name)
OTHERS = {
    "paged": PAGED,
    "search-only": SEARCH_ONLY,
    "two-step login": with_two_pages(SERVER_RENDERED),
    "HTTP login": with_http_login(SERVER_RENDERED),
    "rotated cookies": rotating(SERVER_RENDERED),
}


def essence(found: PageExamination) -> tuple[object, ...]:
    """What a saved page must have in common with the real one."""
    counts = [(one.key, one.selector, one.count, one.shown_count, one.texts) for one in found.selectors]
    links = [(link.address, link.name, link.source, link.selector) for link in found.links]
    return found.verdict, found.doubt, links, found.signs, found.fields, found.status, found.reason, counts


REASONS = {
    "1001": Reason.ALL_SAVED,
    "1002": Reason.NONE_LISTED,
    "1003": Reason.ALL_SAVED,
    MISSING_NUMBER: Reason.PORTAL_SAYS_MISSING,
}


@pytest.mark.parametrize("name", OTHERS)
async def test_every_order_is_brought_with_every_file_and_no_cookie_is_saved(
    name: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    is_gate = OTHERS[name] not in (PAGED, SEARCH_ONLY)  # behind a login, all pages are those of one make
    tried = ("1001", MISSING_NUMBER) if is_gate else (*ORDERS, MISSING_NUMBER)
    async with open_make(OTHERS[name], open_scenario, tmp_path) as (scenario, examiner):
        brought = {number: await files_of(scenario, number) for number in tried}
        if is_gate:
            values = [cookie.get("value", "") for cookie in await scenario.session.driver.cookies()]
            saved = await examine(examiner, tmp_path, "1001")
            assert saved.examination.verdict is Verdict.READY
            assert bool(values) is (name != "HTTP login")
            texts = [path.read_bytes() for path in (tmp_path / "1001").iterdir()]
            assert not any(value.encode() in text for value in values for text in texts)

    assert {number: report.reason for number, (report, _) in brought.items()} == {one: REASONS[one] for one in tried}
    for number in tried:
        assert brought[number][1] == {file: content_of(number, file) for file in ORDERS.get(number, ())}


@each_make
async def test_every_file_is_found_named_and_brought_and_a_saved_page_is_judged_like_the_real_one(
    make: PortalMake, tmp_path: Path, open_scenario: OpenScenario, shell: Browser
) -> None:
    async with open_make(make, open_scenario, tmp_path) as (scenario, examiner):
        live = {number: await examine(examiner, tmp_path, number) for number in ("1001", "1002", MISSING_NUMBER)}
        report, files = await files_of(scenario, "1001")

    found = live["1001"].examination
    assert (found.doubt, found.names, found.fields) == ("", ORDERS["1001"], {"supplier": "Granite & Sons"})
    matched = next(one for one in found.selectors if one.key in {"attachments.links", "attachments.clicks"})
    assert (matched.count, matched.shown_count, matched.texts) == (3, 3, ORDERS["1001"])
    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert files == {name: content_of("1001", name) for name in ORDERS["1001"]}
    verdicts = {number: page.examination.verdict for number, page in live.items()}
    assert verdicts == {"1001": Verdict.READY, "1002": Verdict.READY, MISSING_NUMBER: Verdict.NOT_FOUND}
    assert not live["1002"].examination.doubt

    for number, page in live.items():  # the portal is gone by now
        assert essence(await judge_again(shell, make.pack(), tmp_path / number)) == essence(page.examination)


async def test_a_list_of_which_only_a_part_is_shown_is_told(tmp_path: Path, open_scenario: OpenScenario) -> None:
    make = dataclasses.replace(WITHOUT_NEXT, calls=[], page_s=3.0)
    async with open_make(make, open_scenario, tmp_path) as (_, examiner):
        found = (await examine(examiner, tmp_path, "1003")).examination

    assert found.names == ORDERS["1003"][:PAGE_SIZE]
    assert found.doubt == f"The page announces 7 attachments but shows {PAGE_SIZE}."
    assert not found.is_good


async def test_a_pack_that_lost_a_selector_is_told_by_the_saved_page(
    tmp_path: Path, open_scenario: OpenScenario, shell: Browser
) -> None:
    make = dataclasses.replace(SERVER_RENDERED, calls=[], page_s=3.0)
    async with open_make(make, open_scenario, tmp_path) as (_, examiner):
        await examine(examiner, tmp_path, "1001")
    pack = make.pack()
    worse = pack.model_copy(update={"attachments": pack.attachments.model_copy(update={"links": ("a.gone",)})})

    found = await judge_again(shell, worse, tmp_path / "1001")

    assert found.names == ()
    assert "announces 3 attachments but shows 0" in found.doubt
    assert next(one.count for one in found.selectors if one.key == "attachments.links") == 0
