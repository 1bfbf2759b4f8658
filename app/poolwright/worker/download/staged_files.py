"""The files of one attempt in its staging folder: checked downloads, and evidence for a person.

Every file is added by ``accept``, whether it was downloaded or written by a processor, so a report lists exactly the
files in this folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from poolwright.domain.tasks import FetchedFile
from poolwright.files.content_type import FileOrigin, sniff
from poolwright.files.names import STAGED_EVIDENCE, STAGED_FILES, UniqueNames, safe_name, unique_name, with_ending
from poolwright.worker.errors import BadFileError
from poolwright.worker.transfer.validators import NO_VALIDATORS, Validators


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadedFile:
    """A checked file on disk, without its final name."""

    path: Path
    label: str
    size_bytes: int
    sha256: str
    media_type: str
    source_url: str
    #: The wanted name on disk; empty for the label.
    name: str = ""
    #: Whether the portal itself named the file; else a text of a page did.
    is_name_given: bool = False
    #: Whether its content is an HTML page, whatever its name is.
    is_page: bool = False
    #: Whether it can be read as text.
    is_text: bool = False
    #: Whether a file of this type shows that its end is missing.
    shows_end: bool = False
    #: What the portal told about the state of the file.
    validators: Validators = NO_VALIDATORS
    #: Whether it is a file that the order has, by the portal's answer; then there is no file at ``path``.
    is_unchanged: bool = False
    #: Notes about the file for a person.
    notes: tuple[str, ...] = ()
    #: Name of the further page that listed it; empty for the order's own.
    source: str = ""
    #: To what it belongs, as the page says; empty if it says nothing.
    section: str = ""


class StagedFiles:
    """The files that one attempt has saved so far."""

    def __init__(self, staging: Path) -> None:
        """Save in the staging folder of an attempt; no folder is created before the first file."""
        self._staging = staging
        self._numbers = itertools.count(1)
        self._saved: list[FetchedFile] = []
        self._names = UniqueNames()

    @property
    def saved(self) -> tuple[FetchedFile, ...]:
        """Return the files so far, oldest first."""
        return tuple(self._saved)

    async def write(self, name: str, content: bytes, source_url: str) -> FetchedFile:
        """Write a file, add it, and return it as the report will list it.

        Raises:
            BadFileError: It is empty, or its content does not match its name.
            OSError: The disk is full or not writable.
        """
        part = self._staging / f"made-{next(self._numbers)}"
        return self.accept(await anyio.to_thread.run_sync(_write, part, name, content, source_url))

    def accept(self, downloaded: DownloadedFile) -> FetchedFile:
        """Give a file its final name, add it, and return it as the report will list it.

        Raises:
            OSError: The disk is not writable.
        """
        file = self.place(downloaded)
        self._saved.append(file)
        return file

    def place(self, downloaded: DownloadedFile) -> FetchedFile:
        """Give a file its final name beside the others, without adding it, and return it with that name.

        Raises:
            OSError: The disk is not writable.
        """
        safe = safe_name(downloaded.name or downloaded.label)
        name = self._names.allocate(with_ending(safe, downloaded.media_type, is_given=downloaded.is_name_given))
        folder = self._staging / STAGED_FILES
        folder.mkdir(parents=True, exist_ok=True)
        if not downloaded.is_unchanged:
            downloaded.path.replace(folder / name)
        return FetchedFile(
            name=name,
            label=downloaded.label,
            size_bytes=downloaded.size_bytes,
            sha256=downloaded.sha256,
            media_type=downloaded.media_type,
            source_url=downloaded.source_url,
            etag=downloaded.validators.etag,
            last_modified=downloaded.validators.last_modified,
            section=": ".join(filter(None, (downloaded.source, downloaded.section))),
        )


def _write(part: Path, name: str, content: bytes, source_url: str) -> DownloadedFile:
    part.parent.mkdir(parents=True, exist_ok=True)
    part.write_bytes(content)
    finding = sniff(part, name, origin=FileOrigin.PROCESSOR)
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


#: A screenshot takes well under a second; a page that hangs must not hold its tab for long.
CAPTURE_LIMIT_S = 5.0
#: Longer HTML is cut. The largest pages of portals have some 3 MB.
SOURCE_MAX_CHARS = 10_000_000
PICTURE_ENDING, SOURCE_ENDING = ".png", ".html"
#: JPEG quality of a thumbnail; below it texts cannot be read.
THUMBNAIL_QUALITY, THUMBNAIL_LIMIT_S = 40, 3.0


async def thumbnail(page: Page) -> bytes:
    """Return a screenshot of a tab as JPEG; empty if it cannot be taken within the limit."""
    with anyio.move_on_after(THUMBNAIL_LIMIT_S), contextlib.suppress(PlaywrightError):
        limit_ms = THUMBNAIL_LIMIT_S * 1000
        return await page.screenshot(type="jpeg", quality=THUMBNAIL_QUALITY, scale="css", timeout=limit_ms)
    return b""


class Evidence:
    """The evidence of one attempt. No folder is created before the first file."""

    def __init__(self, staging: Path) -> None:
        """Save evidence in the staging folder of an attempt."""
        self._folder = staging / STAGED_EVIDENCE
        self._requested: list[str] = []
        self._names: list[str] = []

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the saved files, oldest first."""
        return tuple(self._names)

    @property
    def call_count(self) -> int:
        """Return the number of calls, also of those that saved no file."""
        return len(self._requested)

    async def save_screenshot_and_html(self, page: Page, name: str) -> tuple[str, ...]:
        """Save the HTML and a screenshot of a page; return the names of the files that could be saved.

        Limited by ``CAPTURE_LIMIT_S``. A page that cannot be captured and a full disk leave no file, without an error.
        """
        picture_name = unique_name(safe_name(name) + PICTURE_ENDING, self._requested)
        self._requested.append(picture_name)
        source_name = picture_name.removesuffix(PICTURE_ENDING) + SOURCE_ENDING
        saved: list[str] = []
        try:
            with anyio.move_on_after(CAPTURE_LIMIT_S):
                with contextlib.suppress(PlaywrightError, OSError):
                    self._folder.mkdir(parents=True, exist_ok=True)
                    source = (await page.content())[:SOURCE_MAX_CHARS]
                    await anyio.Path(self._folder / source_name).write_text(source, encoding="utf-8", errors="replace")
                    saved.append(source_name)
                # A page that gives no HTML, because it goes on to another one, still shows something.
                with contextlib.suppress(PlaywrightError, OSError):
                    await page.screenshot(path=self._folder / picture_name, timeout=CAPTURE_LIMIT_S * 1000)
                    saved.append(picture_name)
        finally:  # also if the task's time ended meanwhile
            self._names += saved
        return tuple(saved)

    async def add_text(self, name: str, text: str) -> None:
        """Add a text under a name; one that cannot be written is left out."""
        text_name = unique_name(safe_name(name), self._requested)
        self._requested.append(text_name)
        with contextlib.suppress(OSError):
            await anyio.Path(self._folder).mkdir(parents=True, exist_ok=True)
            await anyio.Path(self._folder / text_name).write_text(text, encoding="utf-8", errors="replace")
            self._names.append(text_name)

    async def add_copies(self, sources: Sequence[Path], name: str) -> None:
        """Add copies of files, under a name and their own endings; a file that cannot be copied is left out."""
        for source in sources:
            copy_name = unique_name(safe_name(name) + source.suffix, self._requested)
            self._requested.append(copy_name)
            with contextlib.suppress(OSError):
                content = await anyio.Path(source).read_bytes()
                await anyio.Path(self._folder).mkdir(parents=True, exist_ok=True)
                await anyio.Path(self._folder / copy_name).write_bytes(content)
                self._names.append(copy_name)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a received file in lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
