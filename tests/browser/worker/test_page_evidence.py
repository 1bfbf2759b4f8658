"""The page of an order as a picture or a PDF among its staged files, without a change to what is brought."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.options import PageEvidence
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.tasks import Report
from poolwright.worker.attempt import attempt
from poolwright.worker.rendering.page_capture import HEIGHT_MAX_PX
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf
from tests.support.raw_scenario import button, link, raw_scenario
from tests.support.sessions import OpenScenario, Scenario, task_for

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


async def brought(scenario: Scenario, number: str, kind: PageEvidence) -> Report:
    """What an attempt told in a pool that files pages."""
    portal_context = scenario.context.portal_context
    assert portal_context is not None
    filing = replace(portal_context, page_evidence=kind)
    return await attempt(
        replace(scenario.context, portal_context=filing), task_for(number), scenario.staging / f"{number} {kind.value}"
    )


def page_of(scenario: Scenario, report: Report, place: str) -> bytes:
    """The filed page, which is what its report says."""
    assert report.page_evidence is not None
    content = (scenario.staging / place / "files" / report.page_evidence.name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == report.page_evidence.sha256
    return content


def size_of(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


async def test_the_page_is_printed_beside_the_files_and_no_file_loses_its_name(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path, page_evidence=PageEvidence.PDF) as (portal, scenario):
        portal.order("1", link("/f/1", "order page.pdf") + button("location = '/f/2'", "clicked"))
        portal.routes["/f/1"] = (answer(pdf("one")),)
        portal.routes["/f/2"] = (attached("two.pdf", pdf("two")),)

        report = await attempt(scenario.context, task_for("1"), scenario.staging / "1")
        page = page_of(scenario, report, "1")

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert [file.name for file in report.files] == ["order page.pdf", "two.pdf"]
    assert report.page_evidence is not None
    assert report.page_evidence.name == "order page (2).pdf"
    assert report.page_evidence.source_url.endswith("/order/1")
    assert page.startswith(b"%PDF-")


async def test_a_picture_has_the_whole_page_up_to_its_limit_which_is_said(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        for number, height in (("1", 3_000), ("2", 40_000)):
            portal.order(number, f'<div style="height:{height}px">list</div>{link("/f/1", "a.pdf")}')
        portal.routes["/f/1"] = (answer(pdf("one")),)

        whole = await brought(scenario, "1", PageEvidence.SCREENSHOT)
        cut = await brought(scenario, "2", PageEvidence.SCREENSHOT)
        sizes = [size_of(page_of(scenario, one, f"{number} screenshot")) for number, one in (("1", whole), ("2", cut))]

    assert (whole.reason, whole.detail) == (Reason.ALL_SAVED, "")
    assert 3_000 < sizes[0][1] < 3_300
    assert sizes[1][1] == HEIGHT_MAX_PX
    assert "shows the first 16,000 of 40,0" in cut.detail


async def test_an_order_that_does_not_exist_has_the_page_that_says_so_and_a_refused_one_none(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.routes["/order/1"] = (answer(b"<h1>gone</h1>", status="404 Not Found", kind="text/html"),)
        portal.routes["/order/2"] = (answer(b"<h1>no</h1>", status="403 Forbidden", kind="text/html"),)

        missing = await brought(scenario, "1", PageEvidence.SCREENSHOT)
        refused = await brought(scenario, "2", PageEvidence.SCREENSHOT)
        page = page_of(scenario, missing, "1 screenshot")

    assert (missing.outcome, page[:4]) == (Outcome.NOT_FOUND, b"\x89PNG")
    assert (refused.outcome, refused.page_evidence) == (Outcome.FORBIDDEN, None)
