"""Further pages with files of an order: added to its own, told by name, never instead of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import Report
from poolwright.sdk.protocol import SessionLostError
from tests.support.portal import needs_chromium
from tests.support.raw_portal import RawPortal, answer, attached, pdf, raw_pack
from tests.support.raw_scenario import button, files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

REQUISITION = """
[[sources]]
name = "requisition"
follow = "a[href*='/req/']"
text = ["Requisition", "Requisição"]
when = "{when}"
[sources.ready]
selector = ["#req"]
"""
CONTRACT = '[[sources]]\nname = "contract"\naddress = "/contract/{number}"\n'
TO_IT = "<a href=/req/77>Requisição 77</a><a href=/req/0>Other</a>"


def show(portal: RawPortal, address: str, body: str) -> None:
    """Serve a page."""
    portal.routes[address] = (answer(f"<!DOCTYPE html>{body}".encode(), kind="text/html; charset=utf-8"),)


def serve(portal: RawPortal, *names: str) -> None:
    """Serve files."""
    for name in names:
        portal.routes[f"/f/{name}"] = (attached(name, pdf(name)),)


async def brought(
    open_scenario: OpenScenario, folder: Path, tables: str, pages: dict[str, str]
) -> tuple[Report, list[str], list[str]]:
    """What an order brought, and what the portal was asked for. Its own page is ``1``."""
    async with raw_scenario(open_scenario, folder, raw_pack(tables)) as (portal, scenario):
        for address, body in pages.items():
            if address == "1":
                portal.order("1", body)
            else:
                show(portal, address, body)
        serve(portal, "a.pdf", "b.pdf", "c.pdf", "d.msg")
        portal.routes["/forbidden"] = (answer(b"no", status="403 Forbidden", kind="text/html"),)
        report, saved = await files_of(scenario)
        return report, sorted(saved), portal.asked


async def test_files_of_further_pages_are_added(tmp_path: Path, open_scenario: OpenScenario) -> None:
    pages = {
        "1": link("/f/a.pdf", "a.pdf") + TO_IT,
        "/req/77": f"<div id=req></div><div id=order></div>{link('/f/a.pdf', 'a.pdf')}{link('/f/b.pdf', 'b.pdf')}",
        "/contract/1": f"<div id=order></div>{button('location=`/f/c.pdf`', 'c.pdf')}",
    }

    report, saved, _ = await brought(open_scenario, tmp_path, REQUISITION.format(when="always") + CONTRACT, pages)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == ["a.pdf", "b.pdf", "c.pdf"]
    assert report.fields == {"requisition": "b.pdf", "contract": "c.pdf"}


@pytest.mark.parametrize(
    ("when", "own", "is_asked"),
    [
        ("none", link("/f/a.pdf", "a.pdf"), False),
        ("none", "", True),
        ("no-pdf", link("/f/a.pdf", "a.pdf"), False),
        ("no-pdf", link("/f/gone.pdf", "gone.pdf"), False),
        ("no-pdf", link("/f/d.txt", "d.txt"), True),
        ("always", link("/f/a.pdf", "a.pdf"), True),
    ],
)
async def test_a_further_page_is_read_when_the_pack_says_so(
    when: str, own: str, *, is_asked: bool, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    pages = {"1": own + TO_IT, "/req/77": "<div id=req></div><div id=order></div>", "/f/d.txt": "a text"}

    report, _, asked = await brought(open_scenario, tmp_path, REQUISITION.format(when=when), pages)

    assert ("/req/77" in asked) == is_asked
    assert report.fields == {"requisition": "no files" if is_asked else "not needed"}


@pytest.mark.parametrize(
    ("tables", "pages", "told", "reason"),
    [
        (
            REQUISITION.format(when="always"),
            {"1": link("/f/a.pdf", "a.pdf") + "<a href=/forbidden?/req/>Requisition</a>"},
            "the portal has no such page (status 404)",
            Reason.SOME_FILES_REFUSED,
        ),
        (
            CONTRACT.replace("/contract/{number}", "/forbidden#{number}"),
            {"1": link("/f/a.pdf", "a.pdf")},
            "this user has no permission to see it (status 403)",
            Reason.SOME_FILES_REFUSED,
        ),
        (
            CONTRACT,
            {"1": link("/f/a.pdf", "a.pdf"), "/contract/1": "<div id=something></div>"},
            "the page matches no rule of the portal pack",
            Reason.SOME_FILES_FAILED,
        ),
        (
            f"{CONTRACT}required = true",
            {"1": link("/f/a.pdf", "a.pdf")},
            "the portal has no such page (status 404)",
            Reason.SOME_FILES_REFUSED,
        ),
        (CONTRACT, {"1": link("/f/a.pdf", "a.pdf")}, "the portal has no such page (status 404)", Reason.ALL_SAVED),
        (REQUISITION.format(when="always"), {"1": link("/f/a.pdf", "a.pdf")}, "no link to it", Reason.ALL_SAVED),
        (
            REQUISITION.format(when="always").replace("when", "required = true\nwhen"),
            {"1": link("/f/a.pdf", "a.pdf")},
            "no link to it",
            Reason.SOME_FILES_REFUSED,
        ),
        (
            REQUISITION.format(when="always"),
            {"1": link("/f/a.pdf", "a.pdf") + "<a href=https://elsewhere.test/req/1>Requisition</a>"},
            "its link leads to https://elsewhere.test/req/1; it must be a page of the portal",
            Reason.SOME_FILES_REFUSED,
        ),
        (
            REQUISITION.format(when="always").replace("when", "max = 1\nwhen"),
            {
                "1": link("/f/a.pdf", "a.pdf") + "<a href=/req/1>Requisition</a><a href=/req/2>Requisition</a>",
                "/req/1": "<div id=req></div><div id=order></div>",
            },
            "no files",
            Reason.SOME_FILES_REFUSED,
        ),
    ],
)
async def test_a_further_page_without_files_has_a_status_beside_a_good_order(
    tables: str, pages: dict[str, str], told: str, reason: Reason, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    report, saved, _ = await brought(open_scenario, tmp_path, tables, pages)

    assert (report.reason, saved) == (reason, ["a.pdf"])
    assert list(report.fields.values()) == [told]
    assert (reason is Reason.ALL_SAVED) == (report.detail == "")


async def test_a_login_page_in_place_of_a_further_page_gives_the_order_back(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path, raw_pack(CONTRACT)) as (portal, scenario):
        portal.order("1", link("/f/a.pdf", "a.pdf"))
        show(portal, "/contract/1", "<input id=password type=password>")
        serve(portal, "a.pdf")

        with pytest.raises(SessionLostError, match="asks for a login at"):
            await files_of(scenario)
