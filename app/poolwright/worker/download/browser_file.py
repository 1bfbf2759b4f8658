"""A file that the browser downloads.

What its response announces, the wait for its bytes, and whether all of it came.

A browser takes what was cut off within its packing for the whole file, and says so to nobody; a table or a drawing that
lacks its end does not show it either. So such a file is asked for once more, by our own client, which knows an end.
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
    """What is known of a download beside its bytes."""

    disposition: ContentDisposition
    declared_type: str
    declared_bytes: int | None
    #: Whether the browser undid a packing for the way.
    is_unpacked: bool
    #: Whether asking for it once more does nothing but answer.
    can_ask_again: bool


def read_download_info(
    download: Download, answer: Response | None, known: tuple[str, ...], *, is_alone: bool
) -> DownloadInfo:
    """Read what the answer says of a download.

    Args:
        download: It.
        answer: What began it, where that was seen.
        known: How the page calls it.
        is_alone: Whether nothing else came of the same click: of several at once, what the page says names none.
    """
    headers = answer.headers if answer else {}
    header = headers.get("content-disposition", "")
    found = parse_content_disposition([_raw(header)], known) if header else NO_DISPOSITION
    if not found.name and _is_named(download, is_alone=is_alone):
        found = ContentDisposition(name=download.suggested_filename, is_attachment=True)
    return DownloadInfo(
        disposition=found,
        declared_type=media_type(headers.get("content-type", "")),
        declared_bytes=announced_size(answer.status, headers) if answer else None,
        is_unpacked=bool(parse_content_encoding(headers.get("content-encoding", ""))),
        can_ask_again=answer is not None and answer.request.method == "GET",
    )


def _raw(header: str) -> bytes:
    """The bytes of a header: the browser hands on those that are no UTF-8 one by one."""
    try:
        return header.encode("latin-1")
    except UnicodeEncodeError:
        return header.encode("utf-8", "replace")


def _is_named(download: Download, *, is_alone: bool) -> bool:
    """Whether header or script named the file; what the browser makes of an address by itself is no name for one."""
    stem = download.suggested_filename.rpartition(".")[0] or download.suggested_filename
    if stem.lower() == "download":
        return False
    if download.url.startswith("data:"):
        return True  # such an address names nothing
    if download.url.startswith("blob:"):
        return stem not in download.url
    if not is_alone:
        return True
    last = unquote(urlsplit(download.url).path.rpartition("/")[2])
    return stem not in {last, last.rpartition(".")[0]}


#: What the browser adds to a name until all is there.
_UNDER_WAY = ".crdownload"
#: Where the driver's library keeps to itself what the driver told of a download: a test notices when it moves.
_ARTIFACT_INFO: Callable[[Download], dict[str, Any]] = attrgetter("_impl_obj._artifact._initializer")
_PATH_KEY = "absolutePath"


class DownloadProgress:
    """The place on the disk where one download lands."""

    def __init__(self, download: Download) -> None:
        """Find it out; where the library does not tell, nothing is ever seen to come."""
        try:
            self.path: Path | None = Path(_ARTIFACT_INFO(download)[_PATH_KEY])
        except (AttributeError, KeyError):
            self.path = None

    def size_bytes(self) -> int:
        """How much of it is there by now. Blocking, but of a local disk's memory."""
        if self.path is None:
            return 0
        for place in (self.path.with_name(self.path.name + _UNDER_WAY), self.path):
            try:
                return place.stat().st_size
            except FileNotFoundError:
                continue
        return 0


async def wait_for_download(download: Download, stall_s: float, check: Callable[[int], None]) -> Path:
    """Wait for a download, however long it takes, as long as bytes come.

    Args:
        download: It, under way or over.
        stall_s: How long no byte may come.
        check: Told how much there is, again and again; what it raises ends the wait.

    Raises:
        TimeoutError: No byte came for so long.
        playwright.async_api.Error: The browser could not bring it.
    """
    landing, came, paths = DownloadProgress(download), anyio.Event(), list[Path]()

    async def fetch() -> None:
        paths.append(await download.path())
        came.set()

    try:
        async with anyio.create_task_group() as coming:
            coming.start_soon(fetch)
            await _grow(landing, came, stall_s, check)
    except ExceptionGroup as group:
        raise unwrap_group(group) from group
    return paths[0]


async def _grow(landing: DownloadProgress, came: anyio.Event, stall_s: float, check: Callable[[int], None]) -> None:
    """Come back when all is there; time in which this machine slept is no silence of the portal's."""
    limit, size_bytes = ActiveTimeLimit(stall_s), 0
    while not came.is_set():
        if limit.is_over:
            msg = f"no data was received for {stall_s:g} s, after {size_bytes:,} bytes"
            raise TimeoutError(msg)
        with limit.slice():
            await came.wait()
        now_bytes = landing.size_bytes()
        check(now_bytes)
        if now_bytes != size_bytes:
            limit, size_bytes = ActiveTimeLimit(stall_s), now_bytes


_PIECE_BYTES = 1024 * 1024


async def verify_complete(
    arrived: DownloadedFile, received: ReceivedFile, stream: HttpDownloader, sizes: SizeLimits
) -> DownloadedFile:
    """The same file, with a note where nobody can tell whether all of it came.

    Args:
        arrived: The file, checked.
        received: How it came.
        stream: Brings it once more where that may be done.
        sizes: How large it may be.

    Raises:
        CutShortError: It is only the beginning.
        OSError: The disk is full or not writable.
    """
    if not received.is_unpacked or arrived.shows_end:
        return arrived
    again = arrived.path.with_name(f"{arrived.path.name}-again")
    try:
        allowance = DownloadAllowance(sizes).for_folder(again.parent)
        if received.can_ask_again and await _is_confirmed(arrived, received.final_url, again, stream, allowance):
            return arrived
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.Path(again).unlink(missing_ok=True)
    note = f"{arrived.label} was sent compressed, and a browser does not report if its end is missing: check it."
    return replace(arrived, notes=(*arrived.notes, note))


async def _is_confirmed(
    arrived: DownloadedFile, url: str, again: Path, stream: HttpDownloader, allowance: DownloadAllowance
) -> bool:
    try:
        await stream.check_origin(url)
        await stream.fetch(url, again, allowance, ())
    except IncompleteDownloadError:
        raise
    except (DownloadRefusedError, PortalBusyError):
        return False
    return await anyio.to_thread.run_sync(_is_same_length, arrived, again)


def _is_same_length(arrived: DownloadedFile, again: Path) -> bool:
    """Whether both are of one length; a file may tell the time at which it was made, and is another one each time."""
    size_bytes = again.stat().st_size
    if size_bytes > arrived.size_bytes and _begins_with(again, arrived.path):
        raise IncompleteDownloadError(f"only its first {arrived.size_bytes:,} of {size_bytes:,} bytes were received")
    return size_bytes == arrived.size_bytes


def _begins_with(longer: Path, shorter: Path) -> bool:
    with longer.open("rb") as whole, shorter.open("rb") as part:
        while piece := part.read(_PIECE_BYTES):
            if whole.read(len(piece)) != piece:
                return False
    return True
