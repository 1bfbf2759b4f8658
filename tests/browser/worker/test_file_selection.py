"""Which files of a page are downloaded and filed, and archives of all of them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from poolwright.domain.outcomes import Reason
from tests.support.portal import needs_chromium
from tests.support.raw_portal import answer, attached, pdf, raw_pack
from tests.support.raw_scenario import files_of, link, raw_scenario
from tests.support.sessions import OpenScenario

pytestmark = [needs_chromium, pytest.mark.timeout(90), pytest.mark.asyncio(loop_scope="session")]


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


async def test_only_what_the_pack_wants_is_filed_and_the_rest_is_told(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    only = """
    [attachments.only]
    endings = ["pdf"]
    where = [{ closest = "tr", selector = "td.by", pattern = "buyer" }]
    """
    rows = (("a.pdf", "Buyer"), ("b.txt", "Buyer"), ("c.pdf", "Supplier"), ("Offer", "Buyer"), ("Notes", "Buyer"))
    markup = "".join(f"<tr><td class=by>{by}</td><td>{link(f'/f/{name}', name)}</td></tr>" for name, by in rows)
    async with raw_scenario(open_scenario, tmp_path, raw_pack(more=only)) as (portal, scenario):
        portal.order("1", f"<table>{markup}</table>")
        portal.routes["/f/a.pdf"] = (answer(pdf("a")),)
        portal.routes["/f/Offer"] = (attached("offer.pdf", pdf("offer")),)
        portal.routes["/f/Notes"] = (attached("notes.txt", b"some notes"),)

        report, saved = await files_of(scenario)

    assert saved == {"a.pdf": pdf("a"), "offer.pdf": pdf("offer")}
    assert "/f/b.txt" not in portal.asked
    assert "/f/c.pdf" not in portal.asked
    assert report.reason is Reason.ALL_SAVED
    assert report.detail == "3 files are not wanted by the portal pack (attachments.only): b.txt, c.pdf, notes.txt"


async def test_an_order_with_nothing_that_is_wanted_says_so(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path, raw_pack(more="[attachments.only]\nendings = ['msg']")) as (
        portal,
        scenario,
    ):
        portal.order("1", link("/f/a.pdf", "a.pdf"))

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.NONE_LISTED, {})
    assert report.detail.endswith("(attachments.only): a.pdf")


async def test_a_file_behind_two_addresses_is_filed_once(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/f/1", "a.pdf") + link("/f/2", "a.pdf") + link("/f/3", "a.pdf"))
        for number, mark in ((1, "a"), (2, "a"), (3, "other")):
            portal.routes[f"/f/{number}"] = (answer(pdf(mark)),)

        report, saved = await files_of(scenario)

    assert saved == {"a.pdf": pdf("a"), "a (2).pdf": pdf("other")}
    assert (report.reason, report.detail) == (
        Reason.ALL_SAVED,
        "a.pdf came 2 times with the same content and is filed once",
    )


UNPACK = 'archive = "unpack"\ncount = { selector = "#count" }'


async def test_an_archive_of_all_files_is_filed_as_its_files(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=UNPACK)) as (portal, scenario):
        portal.order("1", "<b id=count>2</b>" + link("/all", "Download all"))
        files = {"line 1/Größe.pdf": pdf("1"), "line 2/Größe.pdf": pdf("2")}
        portal.routes["/all"] = (answer(zipped(files), kind="application/zip"),)

        report, saved = await files_of(scenario)

    assert (report.reason, report.detail) == (Reason.ALL_SAVED, "")
    assert saved == {"Größe.pdf": pdf("1"), "Größe (2).pdf": pdf("2")}
    assert [file.label for file in report.files] == list(files)


async def test_an_archive_without_all_files_leaves_the_order_open(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=UNPACK)) as (portal, scenario):
        portal.order("1", "<b id=count>3</b>" + link("/all", "Download all") + link("/f/1", "a.pdf"))
        portal.routes["/all"] = (answer(zipped({"a.pdf": pdf("1"), "b.pdf": pdf("2")}), kind="application/zip"),)
        portal.routes["/f/1"] = (answer(pdf("1")),)

        report, saved = await files_of(scenario)

    assert saved == {"a.pdf": pdf("1"), "b.pdf": pdf("2")}
    assert report.reason is Reason.ALL_SAVED, "a.pdf is in the archive and beside it"
    async with raw_scenario(open_scenario, tmp_path / "2", raw_pack(attachments=UNPACK)) as (portal, scenario):
        portal.order("1", "<b id=count>3</b>" + link("/all", "Download all"))
        portal.routes["/all"] = (answer(zipped({"a.pdf": pdf("1"), "b.pdf": pdf("2")}), kind="application/zip"),)

        report, saved = await files_of(scenario)

    assert (report.reason, set(saved)) == (Reason.SOME_FILES_FAILED, {"a.pdf", "b.pdf"})
    assert "the page announces 3 attachments, but 2 came" in report.detail


async def test_an_archive_that_is_damaged_is_missed(tmp_path: Path, open_scenario: OpenScenario) -> None:
    async with raw_scenario(open_scenario, tmp_path, raw_pack(attachments=UNPACK)) as (portal, scenario):
        portal.order("1", "<b id=count>1</b>" + link("/all", "all.zip"))
        body = zipped({"a.txt": b"right content"}).replace(b"right content", b"wrong content")
        portal.routes["/all"] = (answer(body, kind="application/zip"),)

        report, saved = await files_of(scenario)

    assert (report.reason, saved) == (Reason.DOWNLOAD_FAILED, {})
    assert "damaged" in report.detail


async def test_an_archive_is_an_attachment_where_the_pack_says_nothing(
    tmp_path: Path, open_scenario: OpenScenario
) -> None:
    body = zipped({"a.pdf": pdf("1")})
    async with raw_scenario(open_scenario, tmp_path) as (portal, scenario):
        portal.order("1", link("/all", "all.zip"))
        portal.routes["/all"] = (answer(body, kind="application/zip"),)

        _, saved = await files_of(scenario)

    assert saved == {"all.zip": body}
