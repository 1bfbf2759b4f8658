"""When a portal changes, the report names what matched on the last good page, and where that page is."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.worker.page.good_page import GoodPage
from tests.browser.examination.examined_portal import open_make
from tests.support.portal import needs_chromium
from tests.support.portals.order_pages import SERVER_RENDERED
from tests.support.portals.portal_make import Asked
from tests.support.raw_scenario import files_of
from tests.support.sessions import OpenScenario, Scenario
from tests.support.sites import Answer

pytestmark = [needs_chromium, pytest.mark.timeout(200), pytest.mark.asyncio(loop_scope="session")]


def keeping(scenario: Scenario, folder: Path) -> Scenario:
    """The same session, which keeps good pages in a folder."""
    portal = scenario.context.portal_context
    assert portal is not None
    kept = dataclasses.replace(portal, good_page=GoodPage(folder, portal.pack, portal.portal.base_url))
    return dataclasses.replace(scenario, context=dataclasses.replace(scenario.context, portal_context=kept))


async def test_the_selector_that_stopped_matching_is_named(tmp_path: Path, open_scenario: OpenScenario) -> None:
    is_changed = False

    def respond(asked: Asked) -> Answer | None:
        answer = SERVER_RENDERED.respond(asked)
        if answer is None or not is_changed:
            return answer
        return dataclasses.replace(answer, body=answer.body.replace("class=att", "class=document"))

    make = dataclasses.replace(SERVER_RENDERED, respond=respond, calls=[], page_s=3.0)
    async with open_make(make, open_scenario, tmp_path) as (scenario, _):
        before = await files_of(keeping(scenario, tmp_path / "good"), "1001")
        is_changed = True
        # Another session, as of the next day, knows the good page from the disk.
        report, _ = await files_of(keeping(scenario, tmp_path / "good"), "1003")

    assert before[0].reason is Reason.ALL_SAVED
    assert report.reason is Reason.PORTAL_CHANGED
    assert report.detail.startswith("The page announces 7 attachments but shows 0.")
    assert "match nothing here: attachments.links a.att. The last good page (order PO1001, " in report.detail
    (folder,) = (tmp_path / "good").iterdir()
    assert str(folder) in report.detail
    assert 'class="att"' in (folder / "page.html").read_text(encoding="utf-8")
    assert (folder / "page.png").read_bytes().startswith(b"\x89PNG")
    assert report.evidence == ("last-good-page.png", "last-good-page.html", "page.html", "page.png")
    beside = (tmp_path / "staging" / "1003" / "evidence" / "last-good-page.html").read_text(encoding="utf-8")
    assert "Order 1001" in beside


async def test_without_a_good_page_nothing_is_added(tmp_path: Path, open_scenario: OpenScenario) -> None:
    make = dataclasses.replace(SERVER_RENDERED, calls=[], page_s=3.0)
    pack = make.pack()
    blind = pack.model_copy(update={"attachments": pack.attachments.model_copy(update={"links": ("a.gone",)})})
    async with open_make(make, open_scenario, tmp_path) as (scenario, _):
        kept = keeping(scenario, tmp_path / "good")
        portal = kept.context.portal_context
        assert portal is not None
        context = dataclasses.replace(kept.context, portal_context=dataclasses.replace(portal, pack=blind))
        report, _ = await files_of(dataclasses.replace(kept, context=context), "1001")

    assert (report.reason, report.detail) == (
        Reason.PORTAL_CHANGED,
        "The page announces 3 attachments but shows 0.",
    )
    assert not (tmp_path / "good").exists()
