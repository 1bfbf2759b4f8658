"""Lists that grow after they seemed complete, on a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, pdf
from tests.support.raw_scenario import files_of, link, raw_scenario
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
