"""Files that a page shows in a viewer and links nowhere. A browser with the settings of a run shows no PDF itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf
from tests.support.raw_stage import files_of, link, raw_stage
from tests.support.sessions import OpenStage

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]

VIEWERS = {"object": "data", "embed": "src", "iframe": "src"}


def viewer(tag: str, address: str, classes: str = "") -> str:
    """A viewer that a person would see."""
    return f"<{tag} class='{classes}' {VIEWERS[tag]}='{address}' width=300 height=200></{tag}>"


@pytest.mark.parametrize("tag", VIEWERS)
async def test_an_order_with_nothing_but_a_viewer_is_not_sure(tag: str, tmp_path: Path, open_stage: OpenStage) -> None:
    async with raw_stage(open_stage, tmp_path) as (portal, stage):
        portal.order("1", viewer(tag, "/f/a.pdf"))
        portal.routes["/f/a.pdf"] = (answer(pdf("a")),)

        report, saved = await files_of(stage)

    assert (report.reason, saved) == (Reason.PORTAL_CHANGED, {}), report
    assert "no attachments, but a document in a viewer" in report.detail
    assert "127.0.0.1/f/a.pdf" in report.detail


async def test_files_in_viewers_that_the_pack_names_are_downloaded_as_by_a_link(
    tmp_path: Path, open_stage: OpenStage
) -> None:
    names = [f"{tag}.pdf" for tag in VIEWERS]
    async with raw_stage(open_stage, tmp_path) as (portal, stage):
        portal.order("1", "".join(viewer(tag, f"/f/{tag}.pdf#toolbar=0", "att") for tag in VIEWERS))
        for name in names:
            portal.routes[f"/f/{name}"] = (answer(pdf(name)),)

        report, saved = await files_of(stage)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {name: pdf(name) for name in names}


async def test_a_viewer_beside_links_is_told_with_the_order(tmp_path: Path, open_stage: OpenStage) -> None:
    async with raw_stage(open_stage, tmp_path) as (portal, stage):
        portal.order("1", link("/f/a.pdf", "a.pdf") + viewer("embed", "/f/a.pdf") + viewer("object", "/f/b.pdf?key=1"))
        for name in ("a", "b"):
            portal.routes[f"/f/{name}.pdf"] = (attached(f"{name}.pdf", pdf(name)),)
        portal.routes["/f/b.pdf?key=1"] = portal.routes["/f/b.pdf"]

        report, saved = await files_of(stage)

    assert (report.reason, saved) == (Reason.ALL_SAVED, {"a.pdf": pdf("a")})
    assert report.detail.startswith("A document in a viewer (127.0.0.1/f/b.pdf) was not downloaded")
