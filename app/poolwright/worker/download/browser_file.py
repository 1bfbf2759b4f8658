"""A file that the browser downloads: its response headers, the wait for its bytes, and the check that it is complete.

A browser accepts a compressed response that was cut short as the whole file and does not report it, and not every type
of file shows a missing end. So such a file is requested again by our HTTP client, which detects the missing end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio
import anyio.to_thread
from playwright.async_api import Download, Response

from poolwright.concurrency import ActiveTimeLimit
from poolwright.domain.errors import unwrap_group
from poolwright.domain.options import SizeLimits
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.errors import PortalBusyError
from poolwright.worker.transfer.content_disposition import NO_DISPOSITION, ContentDisposition, parse_content_disposition
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.http_downloader import HttpDownloader
from poolwright.worker.transfer.received_file import (
    DownloadRefusedError,
    IncompleteDownloadError,
    ReceivedFile,
    announced_size,
    media_type,
    parse_content_encoding,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadInfo:
    """The properties of a download beside its bytes."""

    disposition: ContentDisposition
    declared_type: str
    declared_bytes: int | None
    #: Whether the browser decoded a content encoding.
    is_unpacked: bool
    #: Whether a second request has no side effect.
    can_ask_again: bool


def read_download_info(
    download: Download, response: Response | None, known_names: tuple[str, ...], *, is_alone: bool
) -> DownloadInfo:
    """Return the properties of a download, from the headers of its response.

    Args:
        download: The download.
        response: Its response; ``None`` if none was seen.
        known_names: The names that the page gives the file.
        is_alone: Whether the click brought only this file: the names of the page apply to none of several files.
    """
    headers = response.headers if response else {}
    header = headers.get("content-disposition", "")
    disposition = parse_content_disposition([_raw(header)], known_names) if header else NO_DISPOSITION
    if not disposition.name and _is_named(download, is_alone=is_alone):
        disposition = ContentDisposition(name=download.suggested_filename, is_attachment=True)
    return DownloadInfo(
        disposition=disposition,
        declared_type=media_type(headers.get("content-type", "")),
        declared_bytes=announced_size(response.status, headers) if response else None,
        is_unpacked=bool(parse_content_encoding(headers.get("content-encoding", ""))),
        can_ask_again=response is not None and response.request.method == "GET",
    )


def _raw(header: str) -> bytes:
    """Return the bytes of a header: the browser decodes a header that is not UTF-8 as Latin-1."""
    try:
        return header.encode("latin-1")
    except UnicodeEncodeError:
        return header.encode("utf-8", "replace")


def _is_named(download: Download, *, is_alone: bool) -> bool:
    """Return whether a header or a script named the file; a name that the browser made from the address is none."""
    stem = download.suggested_filename.rpartition(".")[0] or download.suggested_filename
    if stem.lower() == "download":
        return False
    if download.url.startswith("data:"):
        return True  # such an address contains no name
    if download.url.startswith("blob:"):
        return stem not in download.url
    if not is_alone:
        return True
    last = unquote(urlsplit(download.url).path.rpartition("/")[2])
    return stem not in {last, last.rpartition(".")[0]}


#: The ending of a download in progress.
_IN_PROGRESS = ".crdownload"
#: Private fields of a download in the driver's library; a test fails if they move.
_ARTIFACT_INFO: Callable[[Download], dict[str, Any]] = attrgetter("_impl_obj._artifact._initializer")
_PATH_KEY = "absolutePath"


class DownloadProgress:
    """The file on the disk to which one download is written."""

    def __init__(self, download: Download) -> None:
        """Find the path; if the library does not give it, the size stays 0."""
        try:
            self.path: Path | None = Path(_ARTIFACT_INFO(download)[_PATH_KEY])
        except (AttributeError, KeyError):
            self.path = None

    def size_bytes(self) -> int:
        """Return the bytes written so far. Blocking, but from the cache of a local disk."""
        if self.path is None:
            return 0
        for path in (self.path.with_name(self.path.name + _IN_PROGRESS), self.path):
            try:
                return path.stat().st_size
            except FileNotFoundError:
                continue
        return 0


async def wait_for_download(download: Download, stall_s: float, check: Callable[[int], None]) -> Path:
    """Wait for a download as long as bytes come, and return the path of its file.

    Args:
        download: The download, in progress or complete.
        stall_s: The longest time without a byte.
        check: Called again and again with the bytes so far; an error that it raises ends the wait.

    Raises:
        TimeoutError: No byte came for ``stall_s``.
        playwright.async_api.Error: The download failed.
    """
    progress, completed, paths = DownloadProgress(download), anyio.Event(), list[Path]()

    async def fetch() -> None:
        paths.append(await download.path())
        completed.set()

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(fetch)
            await _wait_while_growing(progress, completed, stall_s, check)
    except ExceptionGroup as group:
        raise unwrap_group(group) from group
    return paths[0]


async def _wait_while_growing(
    progress: DownloadProgress, completed: anyio.Event, stall_s: float, check: Callable[[int], None]
) -> None:
    """Wait until the download is complete; time in which this machine was suspended does not count as a stall."""
    limit, size_bytes = ActiveTimeLimit(stall_s), 0
    while not completed.is_set():
        if limit.is_over:
            msg = f"no data was received for {stall_s:g} s, after {size_bytes:,} bytes"
            raise TimeoutError(msg)
        with limit.slice():
            await completed.wait()
        now_bytes = progress.size_bytes()
        check(now_bytes)
        if now_bytes != size_bytes:
            limit, size_bytes = ActiveTimeLimit(stall_s), now_bytes


_PIECE_BYTES = 1024 * 1024


async def verify_complete(
    downloaded: DownloadedFile, received: ReceivedFile, downloader: HttpDownloader, sizes: SizeLimits
) -> DownloadedFile:
    """Return the file, with a note if it cannot be verified that it is complete.

    Args:
        downloaded: The file, after its check.
        received: The file, as it was received.
        downloader: Requests it again if a second request has no side effect.
        sizes: The size limits.

    Raises:
        IncompleteDownloadError: Only its beginning was received.
        OSError: The disk is full or not writable.
    """
    if not received.is_unpacked or downloaded.shows_end:
        return downloaded
    second_path = downloaded.path.with_name(f"{downloaded.path.name}-again")
    try:
        allowance = DownloadAllowance(sizes).for_folder(second_path.parent)
        if received.can_ask_again and await _is_confirmed(
            downloaded, received.final_url, second_path, downloader, allowance
        ):
            return downloaded
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.Path(second_path).unlink(missing_ok=True)
    cause = f"{downloaded.label} was sent compressed, and a browser does not report a missing end"
    note = f"{cause}: check whether the file is complete."
    return replace(downloaded, notes=(*downloaded.notes, note))


async def _is_confirmed(
    downloaded: DownloadedFile, url: str, second_path: Path, downloader: HttpDownloader, allowance: DownloadAllowance
) -> bool:
    try:
        await downloader.check_origin(url)
        await downloader.fetch(url, second_path, allowance, ())
    except IncompleteDownloadError:
        raise
    except (DownloadRefusedError, PortalBusyError):
        return False
    return await anyio.to_thread.run_sync(_is_same_length, downloaded, second_path)


def _is_same_length(downloaded: DownloadedFile, second_path: Path) -> bool:
    """Return whether both have the same length; the contents may differ, as a file may hold its time of creation."""
    size_bytes = second_path.stat().st_size
    if size_bytes > downloaded.size_bytes and _begins_with(second_path, downloaded.path):
        raise IncompleteDownloadError(f"only its first {downloaded.size_bytes:,} of {size_bytes:,} bytes were received")
    return size_bytes == downloaded.size_bytes


def _begins_with(longer: Path, shorter: Path) -> bool:
    with longer.open("rb") as whole, shorter.open("rb") as part:
        while piece := part.read(_PIECE_BYTES):
            if whole.read(len(piece)) != piece:
                return False
    return True
