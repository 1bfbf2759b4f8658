"""What of a page is in its picture, how a browser captures pages, and what is told about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import anyio.lowlevel
import pytest
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.domain.options import PageEvidence
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.tasks import FetchedFile, Report
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.rendering import page_capture
from poolwright.worker.rendering.page_capture import (
    HEIGHT_MAX_PX,
    PAGE_OUTCOMES,
    WIDTH_MAX_PX,
    PageCapture,
    joined_detail,
    picture_area,
)
from poolwright.worker.tab import Tab

CUT = "The picture of the order's page is cut off: it shows "
WINDOWS = "The page of the order is filed as a picture: this browser prints no PDF when it has windows"


class StillPage:
    """A page that prints, or refuses to."""

    url = "https://portal.example/orders/1"

    def __init__(self, answer: bytes | Exception) -> None:
        self.answer = answer
        self.prints = 0

    async def pdf(self, **_: object) -> bytes:
        self.prints += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class FilingTab:
    """A tab that takes the page, or whose disk refuses it."""

    def __init__(self, page: StillPage, error: OSError | None = None) -> None:
        self.page = page
        self.error = error
        self.accepted: list[DownloadedFile] = []

    async def accept_page(self, captured: DownloadedFile) -> FetchedFile | None:
        if self.error is not None:
            raise self.error
        self.accepted.append(captured)
        return None


def as_page(page: StillPage) -> Page:
    return cast("Page", cast("Any", page))


def as_tab(tab: FilingTab) -> Tab:
    return cast("Tab", cast("Any", tab))


def test_the_picture_has_the_whole_page_and_no_part_of_a_pixel_is_lost() -> None:
    area = picture_area(1280.2, 900)

    assert (area.width_px, area.height_px, area.note) == (1281, 900, "")


def test_a_page_of_the_largest_size_is_whole() -> None:
    area = picture_area(WIDTH_MAX_PX, HEIGHT_MAX_PX)

    assert (area.width_px, area.height_px, area.note) == (WIDTH_MAX_PX, HEIGHT_MAX_PX, "")


def test_an_empty_page_has_a_picture_too() -> None:
    area = picture_area(0, 0)

    assert (area.width_px, area.height_px) == (1, 1)


@pytest.mark.parametrize(
    ("size", "kept", "note"),
    [
        ((800, 16_001), (800, 16_000), "the first 16,000 of 16,001 pixels of its height"),
        ((4_001, 600), (4_000, 600), "the first 4,000 of 4,001 pixels of its width"),
        (
            (5_000, 40_000),
            (4_000, 16_000),
            "the first 16,000 of 40,000 pixels of its height and the first 4,000 of 5,000 pixels of its width",
        ),
    ],
)
def test_what_is_cut_off_is_said(size: tuple[int, int], kept: tuple[int, int], note: str) -> None:
    area = picture_area(*size)

    assert ((area.width_px, area.height_px), area.note) == (kept, CUT + note)


@pytest.mark.parametrize(
    ("detail", "notes", "whole"),
    [
        ("", [], ""),
        ("", ["A note"], "A note"),
        ("a.pdf: it is damaged", ["A note"], "a.pdf: it is damaged; A note"),
        ("The portal has no such order.", ["A note", "Another"], "The portal has no such order. A note. Another."),
        ("The portal has no such order.", [], "The portal has no such order."),
    ],
)
def test_notes_are_behind_the_detail(detail: str, notes: list[str], whole: str) -> None:
    assert joined_detail(detail, notes) == whole


def test_the_outcomes_that_a_page_proves() -> None:
    assert {Outcome.COMPLETED, Outcome.PARTIAL, Outcome.NO_ATTACHMENTS, Outcome.NOT_FOUND} == PAGE_OUTCOMES


async def test_a_page_is_taken_once_and_filed_with_its_report(tmp_path: Path) -> None:
    page = StillPage(b"%PDF-1.4")
    tab = FilingTab(page)
    capture = PageCapture(PageEvidence.PDF, tmp_path / "staging", is_headless=True)

    await capture.capture(as_page(page))
    report = await capture.file_with(Report(reason=Reason.ALL_SAVED), as_tab(tab))

    [file] = tab.accepted
    assert (page.prints, report.detail) == (1, "")
    assert (file.name, file.label, file.media_type) == ("order page.pdf", "(page of the order)", "application/pdf")
    assert (file.path.read_bytes(), file.size_bytes, file.source_url) == (b"%PDF-1.4", 8, page.url)


async def test_the_page_of_an_order_that_does_not_exist_is_taken_at_its_end(tmp_path: Path) -> None:
    tab = FilingTab(StillPage(b"%PDF-1.4"))
    capture = PageCapture(PageEvidence.PDF, tmp_path, is_headless=True)

    await capture.file_with(Report(reason=Reason.PORTAL_SAYS_MISSING), as_tab(tab))

    assert len(tab.accepted) == 1


@pytest.mark.parametrize("reason", [Reason.NO_PERMISSION, Reason.PORTAL_CHANGED, Reason.DOWNLOAD_FAILED])
async def test_the_page_of_an_order_that_failed_is_not_filed(reason: Reason, tmp_path: Path) -> None:
    tab = FilingTab(StillPage(b"%PDF-1.4"))
    capture = PageCapture(PageEvidence.PDF, tmp_path, is_headless=True)

    await capture.capture(as_page(tab.page))
    report = await capture.file_with(Report(reason=reason), as_tab(tab))

    assert (tab.accepted, report) == ([], Report(reason=reason))


async def test_nothing_is_taken_unless_pages_are_filed(tmp_path: Path) -> None:
    tab = FilingTab(StillPage(b"%PDF-1.4"))
    capture = PageCapture(PageEvidence.OFF, tmp_path, is_headless=True)

    await capture.capture(as_page(tab.page))
    report = await capture.file_with(Report(reason=Reason.ALL_SAVED), as_tab(tab))

    assert (tab.page.prints, tab.accepted, report) == (0, [], Report(reason=Reason.ALL_SAVED))


async def test_a_page_that_cannot_be_captured_is_told_and_tried_once(tmp_path: Path) -> None:
    page = StillPage(PlaywrightError("Printing failed.\nCall log"))
    tab = FilingTab(page)
    capture = PageCapture(PageEvidence.PDF, tmp_path, is_headless=True)

    await capture.capture(as_page(page))
    report = await capture.file_with(Report(reason=Reason.ALL_SAVED), as_tab(tab))

    assert (page.prints, tab.accepted, report.reason) == (1, [], Reason.ALL_SAVED)
    assert report.detail == "The page of the order could not be filed (Printing failed)"


async def test_a_page_that_takes_too_long_is_told(tmp_path: Path) -> None:
    page = StillPage(b"%PDF-1.4")
    capture = PageCapture(PageEvidence.PDF, tmp_path, is_headless=True, order_limit_s=0)

    await capture.capture(as_page(page))
    report = await capture.file_with(Report(reason=Reason.ALL_SAVED), as_tab(FilingTab(page)))

    assert report.detail == "The page of the order could not be filed (it took too long)"


async def test_a_disk_that_refuses_the_page_costs_the_order_nothing(tmp_path: Path) -> None:
    page = StillPage(b"%PDF-1.4")
    capture = PageCapture(PageEvidence.PDF, tmp_path, is_headless=True)

    await capture.capture(as_page(page))
    report = await capture.file_with(
        Report(reason=Reason.ALL_SAVED), as_tab(FilingTab(page, OSError(28, "No space left on device")))
    )

    assert report.reason is Reason.ALL_SAVED
    assert report.detail.startswith("The page of the order could not be filed (")
    assert "No space left" in report.detail


async def test_a_browser_with_windows_prints_a_page_and_one_that_does_not_takes_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def picture(_: Page) -> tuple[bytes, str]:
        await anyio.lowlevel.checkpoint()
        return b"picture", ""

    monkeypatch.setattr(page_capture, "_take_picture", picture)
    page = StillPage(PlaywrightError("PrintToPDF is not implemented"))
    capture, printing = (PageCapture(PageEvidence.PDF, tmp_path / name, is_headless=False) for name in ("a", "b"))
    tab = FilingTab(page)

    await capture.capture(as_page(page))
    await printing.capture(as_page(StillPage(b"%PDF-1.4")))
    report = await capture.file_with(Report(reason=Reason.ALL_SAVED), as_tab(tab))
    printed = await printing.file_with(Report(reason=Reason.ALL_SAVED), as_tab(FilingTab(page)))

    [file] = tab.accepted
    assert (file.name, file.media_type, file.path.read_bytes()) == ("order page.png", "image/png", b"picture")
    assert (report.detail, printed.detail) == (WINDOWS, "")
