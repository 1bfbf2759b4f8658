"""Files that a page shows in a viewer and links nowhere. A browser with the settings of a run shows no PDF itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf
from tests.support.raw_scenario import files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

VIEWERS = {"object": "data", "embed": "src", "iframe": "src"}


def viewer(tag: str, address: str, classes: str = "") -> str:
    """A viewer that a person would see."""
    return f"<{tag} class='{classes}' {VIEWERS[tag]}='{address}' width=300 height=200></{tag}>"


@pytest.mark.parametrize("tag", VIEWERS)
async def test_an_order_with_nothing_but_a_viewer_is_not_sure(
    tag: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", viewer(tag, "/f/a.pdf"))
        portal.routes["/f/a.pdf"] = (answer(pdf("a")),)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.PORTAL_CHANGED, {}), report
    assert "no attachments, but a document in a viewer" in report.detail
    assert "127.0.0.1/f/a.pdf" in report.detail


async def test_files_in_viewers_that_the_pack_names_are_downloaded_as_by_a_link(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    names = [f"{tag}.pdf" for tag in VIEWERS]
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", "".join(viewer(tag, f"/f/{tag}.pdf#toolbar=0", "att") for tag in VIEWERS))
        for name in names:
            portal.routes[f"/f/{name}"] = (answer(pdf(name)),)

        report, saved = await files_of(scenario)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {name: pdf(name) for name in names}


async def test_a_viewer_beside_links_is_told_with_the_order(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/a.pdf", "a.pdf") + viewer("embed", "/f/a.pdf") + viewer("object", "/f/b.pdf?key=1"))
        for name in ("a", "b"):
            portal.routes[f"/f/{name}.pdf"] = (attached(f"{name}.pdf", pdf(name)),)
        portal.routes["/f/b.pdf?key=1"] = portal.routes["/f/b.pdf"]

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.ALL_SAVED, {"a.pdf": pdf("a")})
    assert report.detail.startswith("A document in a viewer (127.0.0.1/f/b.pdf) was not downloaded")


#: A page that draws a document by scripts, as pdf.js does.
DRAWN = b"<!DOCTYPE html><body><div id=viewer class=pdfViewer><div class=page data-page-number=1>one</div></div></body>"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/pdfjs/web/viewer.html?file=%2Ff%2Fa.pdf", "127.0.0.1/f/a.pdf"),
        ("/pdfjs/web/viewer.html?file=../../f/a.pdf#page=2", "127.0.0.1/f/a.pdf"),
        ("/ViewerJS/?v=1#../f/a.odt", "127.0.0.1/f/a.odt"),
        ("/viewer?url=/attachments/1", "127.0.0.1/attachments/1"),
        ("/show?number=1&name=Terms.docx", "127.0.0.1/Terms.docx"),
        ("/drawing", "127.0.0.1/drawing"),
    ],
)
@pytest.mark.parametrize("tag", VIEWERS)
async def test_an_order_with_nothing_but_a_viewer_page_is_not_sure(
    tag: str, address: str, shown: str, tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", viewer(tag, address))
        portal.routes[address.split("#", maxsplit=1)[0]] = (answer(DRAWN, kind="text/html"),)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.PORTAL_CHANGED, {}), report
    assert "no attachments, but a document in a viewer" in report.detail
    assert shown in report.detail


async def test_a_document_that_the_page_itself_draws_is_not_sure(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", "<div class=react-pdf__Page>one</div>")
        portal.order("2", "<div class=react-pdf__Page hidden>one</div>")

        shown, hidden = [(await files_of(scenario, number))[0] for number in ("1", "2")]

    assert (shown.reason, hidden.reason) == (Reason.PORTAL_CHANGED, Reason.NONE_LISTED)
    assert "127.0.0.1/order/1" in shown.detail


async def test_other_pages_in_frames_are_no_viewers(tmp_path: Path, open_scenario: OpenScenario) -> None:
    addresses = ("/help?page=orders", "/chart?data=prices.csv", "/viewer.html?file=", "/news#today")
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", "".join(viewer("iframe", address) for address in addresses))
        for address in addresses:  # later than a page is quiet
            portal.routes[address.split("#", maxsplit=1)[0]] = (1.0, answer(b"<!DOCTYPE html>news", kind="text/html"))

        report, _ = await files_of(scenario)

    assert report.reason is Reason.NONE_LISTED
    assert "viewer" not in report.detail


async def test_the_file_of_a_viewer_page_that_the_pack_names_is_downloaded_and_no_file_behind_an_address_like_it(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order(
            "1",
            viewer("iframe", "/pdfjs/viewer.html?file=/f/a.pdf", "att") + viewer("iframe", "/get?file=b.pdf", "att"),
        )
        portal.routes["/pdfjs/viewer.html?file=/f/a.pdf"] = (answer(DRAWN, kind="text/html"),)
        portal.routes["/f/a.pdf"] = (answer(pdf("a")),)
        portal.routes["/get?file=b.pdf"] = (attached("b.pdf", pdf("b")),)

        report, saved = await files_of(scenario)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {"a.pdf": pdf("a"), "b.pdf": pdf("b")}


async def test_a_drawn_preview_of_a_linked_file_is_no_further_file(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        shown = viewer("iframe", "/viewer.html?file=/f/a.pdf") + "<div class=react-pdf__Page>one</div>"
        portal.order("1", link("/f/a.pdf", "a.pdf") + shown)
        portal.routes["/viewer.html?file=/f/a.pdf"] = (answer(DRAWN, kind="text/html"),)
        portal.routes["/f/a.pdf"] = (attached("a.pdf", pdf("a")),)

        report, saved = await files_of(scenario)

    assert (report.reason, report.detail, saved) == (Reason.ALL_SAVED, "", {"a.pdf": pdf("a")})
