"""What an attempt saves: safe names, the true digest and type, nothing that is not what its name says."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

import anyio
import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.worker.download.staged_files import DownloadedFile, Evidence, StagedFiles
from poolwright.worker.errors import BadFileError

PDF = b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n"
PAGE = b"<!doctype html><html><head><title>Login</title></head><body></body></html>"


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(name="files")
def _files(tmp_path: Path) -> StagedFiles:
    return StagedFiles(tmp_path)


async def test_a_made_file_is_told_as_it_is(files: StagedFiles, tmp_path: Path) -> None:
    file = await files.write("invoice.pdf", PDF, "https://portal.test/1")

    assert (tmp_path / "files" / "invoice.pdf").read_bytes() == PDF
    assert (file.name, file.label, file.size_bytes) == ("invoice.pdf", "invoice.pdf", len(PDF))
    assert file.sha256 == hashlib.sha256(PDF).hexdigest()
    assert (file.media_type, file.source_url) == ("application/pdf", "https://portal.test/1")
    assert files.saved == (file,)
    assert names_in(tmp_path) == ["files"], "no half-done file is left"


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("a/b\\c.txt", "c.txt"),
        ("con.txt", "con_.txt"),
        ("invoice", "invoice.pdf"),
        ("manifest.json", "manifest (2).json"),
    ],
)
async def test_a_name_is_made_safe(files: StagedFiles, tmp_path: Path, asked: str, given: str) -> None:
    content = PDF if given.endswith(".pdf") else b"{}"

    file = await files.write(asked, content, "")

    assert (file.name, file.label) == (given, asked)
    assert (tmp_path / "files" / given).is_file()


async def test_names_that_fall_together_are_told_apart_also_when_saved_side_by_side(
    files: StagedFiles, tmp_path: Path
) -> None:
    async with anyio.create_task_group() as saves:
        for number in range(6):
            saves.start_soon(files.write, "Note.txt" if number % 2 else "note.txt", f"{number}".encode(), "")

    assert len({file.name.casefold() for file in files.saved}) == 6
    contents = {(tmp_path / "files" / file.name).read_text() for file in files.saved}
    assert contents == {"0", "1", "2", "3", "4", "5"}


@pytest.mark.parametrize(
    ("name", "content"),
    [("page.html", b"<html><form><input type='password'></form></html>"), ("answer.json", b'{"error": "none"}')],
)
async def test_what_a_processor_saves_is_no_answer_of_a_portal(files: StagedFiles, name: str, content: bytes) -> None:
    assert (await files.write(name, content, "")).name == name


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("invoice.pdf", PAGE, "invoice.pdf was not saved: invoice.pdf should be application/pdf"),
        ("invoice.pdf", PDF.removesuffix(b"%%EOF\n"), "The PDF is truncated"),
        ("notes.txt", b"", "The file is empty"),
    ],
)
async def test_what_is_not_what_its_name_says_is_not_saved(
    files: StagedFiles, tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    with pytest.raises(BadFileError, match=problem):
        await files.write(name, content, "")

    assert files.saved == ()
    assert names_in(tmp_path) == []


async def test_a_file_that_came_otherwise_is_taken_as_it_was_found(files: StagedFiles, tmp_path: Path) -> None:
    part = tmp_path / "part-0"
    part.write_bytes(PDF)

    file = files.accept(
        DownloadedFile(
            path=part, label="Order 1", size_bytes=7, sha256="ab", media_type="application/pdf", source_url="u"
        )
    )

    assert (file.name, file.label, file.size_bytes, file.sha256) == ("Order 1.pdf", "Order 1", 7, "ab")
    assert not part.exists()
    assert files.saved == (file,)


class _MovingPage:
    """A page that gives no HTML because it goes on to another one."""

    async def content(self) -> str:
        raise PlaywrightError("Unable to retrieve content because the page is navigating and changing the content.")

    async def screenshot(self, *, path: Path, **_: object) -> bytes:
        await anyio.Path(path).write_bytes(b"\x89PNG")
        return b"\x89PNG"


async def test_a_page_that_gives_no_html_leaves_its_picture(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path)

    saved = await evidence.save_screenshot_and_html(cast("Page", _MovingPage()), "page")

    assert saved == evidence.names == ("page.png",)
    assert names_in(tmp_path / "evidence") == ["page.png"]


async def test_a_text_is_evidence_too_and_one_that_cannot_be_written_is_left_out(tmp_path: Path) -> None:
    evidence = Evidence(tmp_path)
    await evidence.add_text("blocked.txt", "POST \udcff")
    await evidence.add_text("blocked.txt", "again")
    (tmp_path / "file").touch()
    nowhere = Evidence(tmp_path / "file")
    await nowhere.add_text("blocked.txt", "x")

    assert [(tmp_path / "evidence" / name).read_text() for name in evidence.names] == ["POST ?", "again"]
    assert evidence.names[0] == "blocked.txt"
    assert nowhere.names == ()


@pytest.mark.parametrize(
    ("source", "section", "told"),
    [("", "", ""), ("contract", "", "contract"), ("", "Line 3", "Line 3"), ("contract", "Line 3", "contract: Line 3")],
)
def test_a_file_is_told_with_the_page_and_the_part_of_it_that_listed_it(
    source: str, section: str, told: str, files: StagedFiles, tmp_path: Path
) -> None:
    path = tmp_path / "part"
    path.write_bytes(PDF)
    downloaded = DownloadedFile(
        path=path,
        label="a.pdf",
        size_bytes=len(PDF),
        sha256="s",
        media_type="application/pdf",
        source_url="u",
        source=source,
        section=section,
    )

    assert files.accept(downloaded).section == told
