"""The pack for Coupa brings the files of the requisition where an order has no PDF."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from poolwright.demo.portal_client import PortalClient
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.portal import pack as packs
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf, raw_portal
from tests.support.raw_scenario import files_of
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

NUMBER = "123456"
ORDER = f"/order_headers/{NUMBER}"
REQUISITION = "<a href=/requisition_headers/77>Requisição 77</a>"
NONE = "<div id=attachments>Nenhum anexo</div>"
PDF = '<span data-url="/attachment/1/quote.pdf" title="attachment">quote.pdf</span>'
MAIL = '<span data-url="/attachment/2/note.txt" title="attachment">note.txt</span>'


async def brought(
    open_scenario: OpenScenario, folder: Path, order: str, requisition: bytes
) -> tuple[Report, list[str], list[str]]:
    """What an order brought, and what the portal was asked for."""
    html = "text/html; charset=utf-8"
    async with raw_portal() as portal:
        portal.routes = {
            "/order_headers": (answer(b"<p>Orders", kind=html),),
            ORDER: (answer(order.encode(), kind=html),),
            "/requisition_headers/77": (requisition,),
            "/attachment/1/quote.pdf": (attached("quote.pdf", pdf("quote")),),
            "/attachment/2/note.txt": (answer(b"a note", kind="text/plain"),),
        }
        async with open_scenario(
            cast("PortalClient", portal), folder, pack=packs.load("coupa"), password=""
        ) as scenario:
            report, saved = await files_of(scenario, NUMBER)
            return report, sorted(saved), portal.asked


def page(body: str) -> bytes:
    """A page of the portal."""
    return answer(body.encode(), kind="text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("order", "requisition", "files", "told", "reason"),
    [
        (NONE + REQUISITION, page(PDF), ["quote.pdf"], "quote.pdf", Reason.ALL_SAVED),
        (MAIL + REQUISITION, page(PDF), ["note.txt", "quote.pdf"], "quote.pdf", Reason.ALL_SAVED),
        (PDF + REQUISITION, page(MAIL), ["quote.pdf"], "not needed", Reason.ALL_SAVED),
        (NONE + REQUISITION, page(NONE), [], "no files", Reason.NONE_LISTED),
        (NONE, page(PDF), [], "no link to it", Reason.NONE_LISTED),
        (
            MAIL + REQUISITION,
            answer(b"no", status="403 Forbidden", kind="text/html"),
            ["note.txt"],
            "this user has no permission to see it (status 403)",
            Reason.SOME_FILES_REFUSED,
        ),
    ],
)
async def test_the_requisition_of_an_order_without_a_pdf_is_read(  # noqa: PLR0917 - each is one thing of a case
    order: str,
    requisition: bytes,
    files: list[str],
    told: str,
    reason: Reason,
    tmp_path: Path,
    open_scenario: OpenScenario,
) -> None:
    report, saved, asked = await brought(open_scenario, tmp_path, order, requisition)

    assert (report.reason, saved) == (reason, files)
    assert report.fields["requisition"] == told
    assert ("/requisition_headers/77" in asked) == (told not in {"not needed", "no link to it"})
