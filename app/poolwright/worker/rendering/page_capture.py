"""Captures the page of an order as a picture or as a PDF, to be filed beside the order's files.

It is taken when the page was read and before any file is downloaded, so it shows the list as it was judged. Whatever
fails costs the order nothing: a sentence for the report says what is missing or cut off.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import anyio
import anyio.to_thread
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import FloatRect, Page, PdfMargins

from poolwright.domain.options import PageEvidence
from poolwright.domain.outcomes import Outcome
from poolwright.domain.tasks import Report
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.errors import first_line
from poolwright.worker.page.devtools import target_sender
from poolwright.worker.tab import Tab

#: Chromium draws no picture right that has 16,384 pixels or more in a direction.
HEIGHT_MAX_PX, WIDTH_MAX_PX = 16_000, 4_000
#: A picture or a PDF takes a second or two; a page that hangs must not hold its tab for long.
_LIMIT_S = 20.0
#: Most of an order's time that a capture may take.
_PART_OF_TIME = 0.25
#: Name of the file without its ending, and its label in the manifest.
PAGE_NAME, PAGE_LABEL = "order page", "(page of the order)"
#: Name of the staged file before it has its place.
_PART_NAME = "page-evidence"
_MEDIA_TYPES: Mapping[PageEvidence, str] = MappingProxyType(
    {PageEvidence.SCREENSHOT: "image/png", PageEvidence.PDF: "application/pdf"}
)
_ENDINGS: Mapping[PageEvidence, str] = MappingProxyType({PageEvidence.SCREENSHOT: ".png", PageEvidence.PDF: ".pdf"})
#: Outcomes that the page of the order proves.
PAGE_OUTCOMES = frozenset({Outcome.COMPLETED, Outcome.PARTIAL, Outcome.NO_ATTACHMENTS, Outcome.NOT_FOUND})
_MARGIN: PdfMargins = {"top": "10mm", "right": "10mm", "bottom": "10mm", "left": "10mm"}
_WINDOWS_NOTE = "The page of the order is filed as a picture: this browser prints no PDF when it has windows"


@dataclass(frozen=True, slots=True)
class PictureArea:
    """The part of a page that is in its picture, in CSS pixels."""

    width_px: int
    height_px: int
    #: What was cut off, as a sentence without its end; empty if nothing.
    note: str = ""


def picture_area(width_px: float, height_px: float) -> PictureArea:
    """Return the part of a page of this size that is in its picture. Pure."""
    width, height = max(1, math.ceil(width_px)), max(1, math.ceil(height_px))
    cuts: list[str] = []
    if height > HEIGHT_MAX_PX:
        cuts.append(f"the first {HEIGHT_MAX_PX:,} of {height:,} pixels of its height")
    if width > WIDTH_MAX_PX:
        cuts.append(f"the first {WIDTH_MAX_PX:,} of {width:,} pixels of its width")
    note = f"The picture of the order's page is cut off: it shows {' and '.join(cuts)}" if cuts else ""
    return PictureArea(min(width, WIDTH_MAX_PX), min(height, HEIGHT_MAX_PX), note)


class PageCapture:
    """Captures the page of one order, and files it if the order's outcome is one that it proves."""

    def __init__(
        self, wanted: PageEvidence, staging: Path, *, is_headless: bool, order_limit_s: float | None = None
    ) -> None:
        """Capture into the staging folder of an attempt, as this browser can.

        Args:
            wanted: How pages are filed.
            staging: The staging folder of the attempt.
            is_headless: Whether the browser has no windows: earlier ones with windows print no PDF.
            order_limit_s: The time limit of the order, of which a capture takes a small part at most.
        """
        self._limit_s = _LIMIT_S if order_limit_s is None else min(_LIMIT_S, order_limit_s * _PART_OF_TIME)
        self._kind, self._kind_note = wanted, ""
        self._is_headless = is_headless
        self._staging = staging
        self._captured: DownloadedFile | None = None
        self._notes: list[str] = []

    async def capture(self, page: Page) -> None:
        """Capture a page, unless pages are not filed.

        Takes at most 20 seconds and a quarter of the order's time, and raises nothing for a page that hangs or a disk
        that is full.
        """
        if self._kind is PageEvidence.OFF:
            return
        problem = "it took too long"
        with anyio.move_on_after(self._limit_s):
            try:
                content, note = await self._content(page)
                self._captured = await anyio.to_thread.run_sync(
                    _write, self._staging / _PART_NAME, content, self._kind, page.url, abandon_on_cancel=True
                )
                self._notes = [*filter(None, (self._kind_note, note))]
            except (PlaywrightError, OSError) as error:
                problem = first_line(error)
        if self._captured is None:
            self._notes = [_failure(problem)]

    async def _content(self, page: Page) -> tuple[bytes, str]:
        """Return the captured page with a note; a picture if a browser with windows prints no PDF."""
        if self._kind is PageEvidence.PDF:
            try:
                return await page.pdf(print_background=True, format="A4", margin=_MARGIN), ""
            except PlaywrightError:
                if self._is_headless:
                    raise
                self._kind, self._kind_note = PageEvidence.SCREENSHOT, _WINDOWS_NOTE
        return await _take_picture(page)

    async def file_with(self, report: Report, tab: Tab) -> Report:
        """File the page with an order's report, and return the report with what a person should know about the page.

        The page of an order that does not exist is captured here; that of a failed one is not filed, because its
        attempt is repeated or leaves evidence of its own.
        """
        if self._kind is PageEvidence.OFF or report.outcome not in PAGE_OUTCOMES:
            return report
        if self._captured is None and not self._notes:
            await self.capture(tab.page)
        if self._captured is not None:
            try:
                await tab.accept_page(self._captured)
            except OSError as error:
                self._notes = [_failure(first_line(error))]
        return replace(report, detail=joined_detail(report.detail, self._notes))


def joined_detail(detail: str, notes: Sequence[str]) -> str:
    """Return the detail of a report with notes behind it: as parts of its line, or as sentences behind a sentence."""
    if detail.endswith("."):
        return " ".join((detail, *(f"{note}." for note in notes)))
    return "; ".join(filter(None, (detail, *notes)))


def _failure(problem: str) -> str:
    return f"The page of the order could not be filed ({problem.rstrip('.')})"


async def _take_picture(page: Page) -> tuple[bytes, str]:
    send = await target_sender(page)
    size = (await send("Page.getLayoutMetrics", {}))["cssContentSize"]
    area = picture_area(size["width"], size["height"])
    clip: FloatRect = {"x": 0, "y": 0, "width": area.width_px, "height": area.height_px}
    picture = await page.screenshot(full_page=True, clip=clip, scale="css", timeout=_LIMIT_S * 1000)
    return picture, area.note


def _write(path: Path, content: bytes, kind: PageEvidence, url: str) -> DownloadedFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return DownloadedFile(
        path=path,
        label=PAGE_LABEL,
        name=f"{PAGE_NAME}{_ENDINGS[kind]}",
        is_name_given=True,
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        media_type=_MEDIA_TYPES[kind],
        source_url=url,
    )
