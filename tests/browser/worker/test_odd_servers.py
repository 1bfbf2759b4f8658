"""Servers that do not speak HTTP, or that nobody can trust: the order says so, and nothing wrong is saved."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.certificates import make, secure_portal
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf, raw_pack
from tests.support.raw_scenario import button, files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

STRANGER = make("storage", make("An unknown authority", is_authority=True))
GOOD = {"good.pdf": pdf("good")}


async def test_an_answer_that_is_not_http_is_no_file_and_the_order_says_so(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/radio.pdf", "radio.pdf"))
        portal.routes["/radio.pdf"] = (b"ICY 200 OK\r\nContent-Type: application/pdf\r\n\r\n" + pdf("radio"),)
        report, files = await files_of(scenario)

    assert (report.reason, files) == (Reason.DOWNLOAD_FAILED, {})
    assert "answered in ICY" in report.missed[0].problem


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere browsers go by the system's own store")
async def test_a_storage_host_whose_certificate_nobody_trusts_costs_its_files_only_and_is_named(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    with secure_portal(STRANGER, tmp_path) as storage:
        pack = raw_pack()
        pack = pack.model_copy(update={"site": pack.site.model_copy(update={"hosts": (storage,)})})
        async with raw_scenario(open_scenario, tmp_path, pack) as (portal, scenario):
            good = link("/good.pdf", "good.pdf")
            leads = answer(b"", f"Location: {storage}/b.pdf", status="302 Found")
            portal.order("1", link(f"{storage}/a.pdf", "a.pdf") + link("/b.pdf", "b.pdf") + good)
            portal.order("2", button(f"location.href='{storage}/c.pdf'", "c.pdf"))
            portal.order("3", good)
            portal.routes |= {"/good.pdf": (attached("good.pdf", pdf("good")),), "/b.pdf": (leads,)}
            portal.routes["/order/4"] = (answer(b"", f"Location: {storage}/order/4", status="302 Found"),)
            partial, files = await files_of(scenario)
            clicked, _ = await files_of(scenario, "2")
            whole, files_after = await files_of(scenario, "3")
            moved, _ = await files_of(scenario, "4")

    told = "127.0.0.1: this machine does not trust the portal's certificate; set ca_file"
    assert (partial.reason, files) == (Reason.SOME_FILES_FAILED, GOOD)
    assert [(file.label, told in file.problem) for file in partial.missed] == [("a.pdf", True), ("b.pdf", True)]
    assert (clicked.reason, told in clicked.missed[0].problem) == (Reason.DOWNLOAD_FAILED, True)
    assert (whole.reason, files_after) == (Reason.ALL_SAVED, GOOD)
    assert (moved.reason, told in moved.detail) == (Reason.PORTAL_ERROR, True)
