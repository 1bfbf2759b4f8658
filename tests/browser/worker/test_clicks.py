"""Clicks that bring their file slowly, in part, or never, on a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf
from tests.support.raw_stage import button, files_of, raw_stage
from tests.support.sessions import OpenStage

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

#: More than any part of the way keeps back.
LARGE = pdf("x" * 400_000)


async def test_a_click_whose_bytes_stop_costs_its_own_file(tmp_path: Path, open_stage: OpenStage) -> None:
    async with raw_stage(open_stage, tmp_path) as (portal, stage):
        portal.order("1", button("location='/f/stalls'", "stalls.pdf") + button("location='/f/good'", "good.pdf"))
        whole = attached("stalls.pdf", LARGE)
        portal.routes["/f/stalls"] = (whole[:200_000], 600.0)
        portal.routes["/f/good"] = (attached("good.pdf", pdf("good")),)

        report, saved = await files_of(stage)

    assert (report.reason, list(saved)) == (Reason.SOME_FILES_FAILED, ["good.pdf"])
    assert [missed.label for missed in report.missed] == ["stalls.pdf"]
    assert "no data was received for 3 s, after " in report.missed[0].problem
    assert "after 0" not in report.missed[0].problem, "what came before was seen to come"


async def test_a_click_whose_bytes_come_slowly_brings_its_file(tmp_path: Path, open_stage: OpenStage) -> None:
    async with raw_stage(open_stage, tmp_path) as (portal, stage):
        portal.order("1", button("location='/f/slow'", "slow.pdf"))
        body = pdf("slow" * 60_000)
        head, rest = attached("slow.pdf", body)[:100_000], attached("slow.pdf", body)[100_000:]
        unsized = head.replace(f"Content-Length: {len(body)}\r\n".encode(), b"")
        portal.routes["/f/slow"] = (unsized, 2.0, rest[:50_000], 2.0, rest[50_000:90_000], 2.0, rest[90_000:])

        report, saved = await files_of(stage)

    assert (report.reason, saved) == (Reason.ALL_SAVED, {"slow.pdf": body})


async def test_a_click_that_is_answered_with_a_page_that_never_ends_costs_its_own_file(
    tmp_path: Path, open_stage: OpenStage
) -> None:
    async with raw_stage(open_stage, tmp_path) as (portal, stage):
        portal.order("1", button("location='/f/page'", "page.pdf") + button("location='/f/good'", "good.pdf"))
        portal.routes["/f/page"] = (answer(b"<p>Wait" * 100, kind="text/html")[:200], 600.0)
        portal.routes["/f/good"] = (attached("good.pdf", pdf("good")),)

        report, saved = await files_of(stage)

    assert (report.reason, list(saved)) == (Reason.SOME_FILES_FAILED, ["good.pdf"])
