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
from tests.support.portals.gates import rotating, with_form, with_http_login, with_two_pages
from tests.support.portals.order_pages import (
    FRAMES,
    HASH_ROUTES,
    MAKES,
    PAGE_SIZE,
    PAGED,
    POP_UPS,
    SEARCH_ONLY,
    SERVER_RENDERED,
    SHADOW_ROOTS,
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


@pytest.mark.parametrize("name", OTHERS)
async def test_every_order_is_brought_with_every_file(name: str, tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with open_make(OTHERS[name], open_scenario, tmp_path) as (scenario, _):
        brought = {number: await files_of(scenario, number) for number in (*ORDERS, MISSING_NUMBER)}

    reasons = {number: report.reason for number, (report, _) in brought.items()}
    assert reasons == {
        "1001": Reason.ALL_SAVED,
        "1002": Reason.NONE_LISTED,
        "1003": Reason.ALL_SAVED,
        MISSING_NUMBER: Reason.PORTAL_SAYS_MISSING,
    }
    for number, names in ORDERS.items():
        assert brought[number][1] == {file: content_of(number, file) for file in names}


@each_make
async def test_every_file_is_found_named_and_brought_and_a_saved_page_is_judged_like_the_real_one(
    make: PortalMake, tmp_path: Path, open_scenario: OpenScenario, shell: Browser
) -> None:
    async with open_make(make, open_scenario, tmp_path) as (scenario, examiner):
        live = {number: await examine(examiner, tmp_path, number) for number in ("1001", "1002", MISSING_NUMBER)}
        report, files = await files_of(scenario, "1001")

    found = live["1001"].examination
    assert (found.doubt, found.names) == ("", ORDERS["1001"])
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


@pytest.mark.parametrize("enclose", [with_form, rotating], ids=["form", "rotating"])
async def test_no_cookie_is_saved(enclose: object, tmp_path: Path, open_scenario: OpenScenario) -> None:
    make: PortalMake = enclose(SERVER_RENDERED)  # pyright: ignore[reportCallIssue]
    async with open_make(make, open_scenario, tmp_path) as (scenario, examiner):
        values = [cookie["value"] for cookie in await scenario.session.driver.cookies()]  # pyright: ignore[reportTypedDictNotRequiredAccess]
        saved = await examine(examiner, tmp_path, "1001")

    assert saved.examination.verdict is Verdict.READY
    assert values
    texts = [path.read_bytes() for path in (tmp_path / "1001").iterdir()]
    assert not any(value.encode() in text for value in values for text in texts)


@pytest.mark.parametrize("make", [FRAMES, SHADOW_ROOTS, HASH_ROUTES, POP_UPS], ids=lambda make: make.name)
async def test_what_each_selector_matches_is_counted_in_every_part_of_the_page(
    make: PortalMake, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with open_make(make, open_scenario, tmp_path) as (_, examiner):
        found = (await examine(examiner, tmp_path, "1001")).examination

    one = next(one for one in found.selectors if one.key in {"attachments.links", "attachments.clicks"})
    assert (one.count, one.shown_count, one.texts) == (3, 3, ORDERS["1001"])
    assert found.fields == {"supplier": "Granite & Sons"}
