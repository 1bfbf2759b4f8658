"""The files of one attempt in its staging folder: downloads that were checked, and evidence for a person.

Every file comes in by ``take``, whether it was downloaded or made; so what a report lists is what lies here.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.domain.tasks import FetchedFile
from poolwright.files.content_type import sniff
from poolwright.files.names import STAGED_EVIDENCE, STAGED_FILES, UniqueNames, safe_name, unique_name, with_ending
from poolwright.worker.errors import BadFileError


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadedFile:
    """A file on disk, checked; it has no final name yet."""

    path: Path
    label: str
    size_bytes: int
    sha256: str
    media_type: str
    source_url: str
    #: What to call it on disk; the label where nothing is said.
    name: str = ""
    #: Whether that is the portal's own name for the file and no text of a page.
    is_name_given: bool = False
    #: Whether it is a page of HTML, whatever it is called.
    is_page: bool = False
    #: Whether it can be read as text.
    is_text: bool = False
    #: Whether one that was cut off would be known by its end.
    shows_end: bool = False
    #: What a person should know of it.
    notes: tuple[str, ...] = ()


class StagedFiles:
    """What one attempt has saved so far."""

    def __init__(self, staging: Path) -> None:
        """Save below the staging folder of an attempt; nothing is made before there is a file."""
        self._staging = staging
        self._numbers = itertools.count(1)
        self._saved: list[FetchedFile] = []
        self._names = UniqueNames()

    @property
    def saved(self) -> tuple[FetchedFile, ...]:
        """Every file so far, in the order in which they were taken."""
        return tuple(self._saved)

    async def write(self, name: str, content: bytes, source_url: str) -> FetchedFile:
        """Write a file and take it.

        Raises:
            BadFileError: It is empty, or not what its name says.
            OSError: The disk is full or not writable.
        """
        part = self._staging / f"made-{next(self._numbers)}"
        return self.accept(await anyio.to_thread.run_sync(_written, part, name, content, source_url))

    def accept(self, arrived: DownloadedFile) -> FetchedFile:
        """Give a file its name and put it among the others.

        Raises:
            OSError: The disk is not writable.
        """
        wanted = safe_name(arrived.name or arrived.label)
        name = self._names.allocate(with_ending(wanted, arrived.media_type, is_given=arrived.is_name_given))
        folder = self._staging / STAGED_FILES
        folder.mkdir(parents=True, exist_ok=True)
        arrived.path.replace(folder / name)
        file = FetchedFile(
            name=name,
            label=arrived.label,
            size_bytes=arrived.size_bytes,
            sha256=arrived.sha256,
            media_type=arrived.media_type,
            source_url=arrived.source_url,
        )
        self._saved.append(file)
        return file


def _written(part: Path, name: str, content: bytes, source_url: str) -> DownloadedFile:
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    finding = sniff(part, name, is_own=True)
    if finding.problems:
        part.unlink()
        msg = f"{name} was not saved: {' '.join(finding.problems)}"
        raise BadFileError(msg)
    return DownloadedFile(
        path=part,
        label=name,
        size_bytes=finding.size_bytes,
        sha256=hashlib.sha256(content).hexdigest(),
        media_type=finding.media_type,
        source_url=source_url,
    )


#: A picture takes well under a second; a page that hangs must not hold its tab for long.
CAPTURE_LIMIT_S = 5.0
#: What a page's source is cut at. The largest pages of portals have some 3 MB.
SOURCE_MAX_CHARS = 10_000_000
PICTURE_ENDING, SOURCE_ENDING = ".png", ".html"
#: A thumbnail is a hint of what goes on; below this quality texts become blots.
THUMBNAIL_QUALITY, THUMBNAIL_LIMIT_S = 40, 3.0


async def thumbnail(page: Page) -> bytes:
    """A small picture of what a tab shows; nothing when it can't be pictured in time. Bounded."""
    with anyio.move_on_after(THUMBNAIL_LIMIT_S), contextlib.suppress(PlaywrightError):
        limit_ms = THUMBNAIL_LIMIT_S * 1000
        return await page.screenshot(type="jpeg", quality=THUMBNAIL_QUALITY, scale="css", timeout=limit_ms)
    return b""


class Evidence:
    """What one attempt has kept so far. Nothing is made before there is something to keep."""

    def __init__(self, staging: Path) -> None:
        """Keep below the staging folder of an attempt."""
        self._folder = staging / STAGED_EVIDENCE
        self._taken: list[str] = []
        self._kept: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Every file that was kept, in the order in which they came."""
        return tuple(self._kept)

    @property
    def call_count(self) -> int:
        """How often something was to be kept."""
        return len(self._taken)

    async def save_screenshot_and_html(self, page: Page, name: str) -> tuple[str, ...]:
        """Put source and picture of a page there; gives the names of what could be kept.

        Bounded by ``LIMIT_S``. A page that cannot be pictured any more leaves nothing, nor does a full disk; that is
        no error.
        """
        picture_name = unique_name(safe_name(name) + PICTURE_ENDING, self._taken)
        self._taken.append(picture_name)
        source_name = picture_name.removesuffix(PICTURE_ENDING) + SOURCE_ENDING
        kept: list[str] = []
        try:
            with anyio.move_on_after(CAPTURE_LIMIT_S), contextlib.suppress(PlaywrightError, OSError):
                self._folder.mkdir(parents=True, exist_ok=True)
                source = (await page.content())[:SOURCE_MAX_CHARS]
                await anyio.Path(self._folder / source_name).write_text(source, encoding="utf-8", errors="replace")
                kept.append(source_name)
                await page.screenshot(path=self._folder / picture_name, timeout=CAPTURE_LIMIT_S * 1000)
                kept.append(picture_name)
        finally:  # also where the task's time was over in between
            self._kept += kept
        return tuple(kept)
