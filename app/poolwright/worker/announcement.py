"""What a browser is told of a download before its bytes: name, type, length, and how it was packed for its way."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from playwright.async_api import Download, Response

from poolwright.worker.codings import codings_in
from poolwright.worker.disposition import NOTHING_SAID, Disposition, read_disposition
from poolwright.worker.received import announced, media_type


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What is known of a download beside its bytes."""

    disposition: Disposition
    declared_type: str
    declared_bytes: int | None
    #: Whether the browser undid a packing for the way.
    is_unpacked: bool
    #: Whether asking for it once more does nothing but answer.
    can_ask_again: bool


def announcement(
    download: Download, answer: Response | None, known: tuple[str, ...], *, is_alone: bool
) -> Announcement:
    """Read what the answer says of a download.

    Args:
        download: It.
        answer: What began it, where that was seen.
        known: How the page calls it.
        is_alone: Whether nothing else came of the same click: of several at once, what the page says names none.
    """
    headers = answer.headers if answer else {}
    header = headers.get("content-disposition", "")
    found = read_disposition([_raw(header)], known) if header else NOTHING_SAID
    if not found.name and _is_named(download, is_alone=is_alone):
        found = Disposition(name=download.suggested_filename, is_attachment=True)
    return Announcement(
        disposition=found,
        declared_type=media_type(headers.get("content-type", "")),
        declared_bytes=announced(answer.status, headers) if answer else None,
        is_unpacked=bool(codings_in(headers.get("content-encoding", ""))),
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
