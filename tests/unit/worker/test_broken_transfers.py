"""Files whose transfer breaks off, from a portal on loopback: the rest is fetched, never mixed with another file."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import cast

import httpx
import pytest
from playwright.async_api import BrowserContext

from poolwright.domain.options import PortalOptions, SizeLimits
from poolwright.worker.errors import PortalBusyError
from poolwright.worker.transfer import http_downloader
from poolwright.worker.transfer.download_limits import DownloadAllowance
from poolwright.worker.transfer.http_client import HttpClients
from poolwright.worker.transfer.http_downloader import RESUME_COUNT_MAX, HttpDownloader
from poolwright.worker.transfer.received_file import DownloadRefusedError, ReceivedFile
from tests.support.raw_portal import RawPortal, raw_pack, raw_portal
from tests.unit.worker.test_http_downloader import CookieStore

FILE = b"%PDF-1.4\n" + bytes(range(256)) * 40 + b"\n%%EOF\n"
OTHER_FILE = b"%PDF-1.4\nanother one\n%%EOF\n"
ETAG = 'ETag: "a"'


def head(status: str, size_bytes: int, *headers: str) -> bytes:
    """The head of an answer that announces so many bytes, however many follow."""
    lines = (f"HTTP/1.1 {status}", "Content-Type: application/pdf", *headers, f"Content-Length: {size_bytes}")
    return "\r\n".join((*lines, "Connection: close")).encode() + b"\r\n\r\n"


def beginning(size_bytes: int, *headers: str) -> tuple[bytes, ...]:
    """The whole file as announced, of which only the beginning comes."""
    return (head("200 OK", len(FILE), *headers), FILE[:size_bytes])


def part(first: int, end: int, *headers: str) -> tuple[bytes, ...]:
    """The file from a position to its end, of which the bytes to another position come."""
    position = f"Content-Range: bytes {first}-{len(FILE) - 1}/{len(FILE)}"
    return (head("206 Partial Content", len(FILE) - first, position, *headers), FILE[first:end])


@contextlib.asynccontextmanager
async def downloading(portal: RawPortal) -> AsyncGenerator[HttpDownloader]:
    async with httpx.AsyncClient(timeout=5) as client:
        options = PortalOptions(pack_json="", base_url=portal.url)
        yield HttpDownloader(raw_pack(), options, cast("BrowserContext", CookieStore()), HttpClients(default=client))


async def fetch(portal: RawPortal, path: Path, sizes: SizeLimits | None = None) -> ReceivedFile:
    async with downloading(portal) as downloader:
        return await downloader.fetch(f"{portal.url}/f", path, DownloadAllowance(sizes or SizeLimits()), ())


def asked_parts(portal: RawPortal) -> list[str]:
    lines = [line for request in portal.heads for line in request.split("\r\n")]
    return [line.lower() for line in lines if line.lower().startswith(("range:", "if-range:"))]


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces are written long before a file is complete."""
    monkeypatch.setattr(http_downloader, "WRITE_BYTES", 1_000)


async def test_a_broken_transfer_goes_on_where_it_ended(tmp_path: Path) -> None:
    async with raw_portal() as portal:
        portal.once["/f"] = beginning(4_321, ETAG, 'Content-Disposition: attachment; filename="a.pdf"')
        portal.routes["/f"] = part(4_321, len(FILE), ETAG)

        received = await fetch(portal, tmp_path / "part")

    assert (tmp_path / "part").read_bytes() == FILE
    assert asked_parts(portal) == ["range: bytes=4321-", 'if-range: "a"']
    assert (received.disposition.name, received.declared_bytes) == ("a.pdf", len(FILE)), "told with the beginning"
    assert received.validators.etag == '"a"'


async def test_a_transfer_may_break_more_than_once(tmp_path: Path) -> None:
    async with raw_portal() as portal:
        portal.later["/f"] = [beginning(100, ETAG), part(100, 5_000, ETAG), part(5_000, len(FILE), ETAG)]

        await fetch(portal, tmp_path / "part")

    assert (tmp_path / "part").read_bytes() == FILE
    assert asked_parts(portal)[::2] == ["range: bytes=100-", "range: bytes=5000-"]


@pytest.mark.parametrize("headers", [[], ['ETag: W/"a"'], ["Accept-Ranges: none", ETAG]])
async def test_without_proof_that_it_is_the_same_file_nothing_is_appended(tmp_path: Path, headers: list[str]) -> None:
    async with raw_portal() as portal:
        portal.routes["/f"] = beginning(4_321, *headers)

        with pytest.raises(DownloadRefusedError, match="the transfer broke off") as caught:
            await fetch(portal, tmp_path / "part")

    assert caught.value.is_retryable
    assert asked_parts(portal) == []


@pytest.mark.parametrize(
    ("again", "content"),
    [
        ((head("200 OK", len(FILE), ETAG), FILE), FILE),
        ((head("200 OK", len(OTHER_FILE), 'ETag: "b"'), OTHER_FILE), OTHER_FILE),
    ],
    ids=["ranges are ignored", "another file by now"],
)
async def test_a_whole_file_takes_the_place_of_the_beginning(
    tmp_path: Path, again: tuple[bytes, ...], content: bytes
) -> None:
    async with raw_portal() as portal:
        portal.once["/f"] = beginning(4_321, ETAG)
        portal.routes["/f"] = again

        received = await fetch(portal, tmp_path / "part")

    assert (tmp_path / "part").read_bytes() == content
    assert received.declared_bytes == len(content)
    assert received.validators.etag == ('"a"' if content == FILE else '"b"')


@pytest.mark.parametrize(
    "again",
    [
        part(4_320, len(FILE), ETAG),
        part(4_321, len(FILE), 'ETag: "b"'),
        part(4_321, len(FILE)),
        (head("416 Range Not Satisfiable", 0),),
        (head("404 Not Found", 0),),
        (head("302 Found", 0, "Location: /login"),),
    ],
    ids=["another position", "another file", "a file of any state", "no such part", "gone", "login"],
)
async def test_an_answer_that_is_not_the_rest_leaves_the_transfer_broken(
    tmp_path: Path, again: tuple[bytes, ...]
) -> None:
    async with raw_portal() as portal:
        portal.once["/f"] = beginning(4_321, ETAG)
        portal.routes["/f"] = again

        with pytest.raises(DownloadRefusedError, match="the transfer broke off") as caught:
            await fetch(portal, tmp_path / "part")

    assert (caught.value.is_retryable, caught.value.is_for_browser) == (True, True)
    assert len(portal.asked) == 2


async def test_a_transfer_that_brings_nothing_more_is_given_up(tmp_path: Path) -> None:
    async with raw_portal() as portal:
        portal.once["/f"] = beginning(4_321, ETAG)
        portal.routes["/f"] = part(4_321, 4_321, ETAG)

        with pytest.raises(DownloadRefusedError, match="the transfer broke off"):
            await fetch(portal, tmp_path / "part")

    assert len(portal.asked) == 2


async def test_a_file_is_not_begun_for_ever(tmp_path: Path) -> None:
    async with raw_portal() as portal:
        portal.routes["/f"] = beginning(4_321, ETAG)

        with pytest.raises(DownloadRefusedError, match="the transfer broke off"):
            await fetch(portal, tmp_path / "part")

    assert len(portal.asked) == RESUME_COUNT_MAX + 1


async def test_a_portal_that_is_busy_in_the_middle_is_told_as_such(tmp_path: Path) -> None:
    async with raw_portal() as portal:
        portal.once["/f"] = beginning(4_321, ETAG)
        portal.routes["/f"] = (head("429 Too Many Requests", 0, "Retry-After: 7"),)

        with pytest.raises(PortalBusyError) as caught:
            await fetch(portal, tmp_path / "part")

    assert caught.value.retry_after_s == 7


async def test_the_rest_counts_against_the_limit_of_a_file(tmp_path: Path) -> None:
    chunked = (
        b'HTTP/1.1 200 OK\r\nContent-Type: application/pdf\r\nETag: "a"\r\nTransfer-Encoding: chunked\r\n\r\n'
        + b"%x\r\n" % 4_321
        + FILE[:4_321]
    )
    async with raw_portal() as portal:
        portal.once["/f"] = (chunked,)
        portal.routes["/f"] = part(4_321, len(FILE), ETAG)

        with pytest.raises(DownloadRefusedError, match="the limit for one file"):
            await fetch(portal, tmp_path / "part", replace(SizeLimits(), file_bytes=len(FILE) - 1))


async def test_a_file_of_unknown_length_gets_it_from_its_rest(tmp_path: Path) -> None:
    chunked = b'HTTP/1.1 200 OK\r\nETag: "a"\r\nTransfer-Encoding: chunked\r\n\r\n' + b"%x\r\n" % 500 + FILE[:500]
    async with raw_portal() as portal:
        portal.once["/f"] = (chunked,)
        portal.routes["/f"] = part(500, len(FILE), ETAG)

        received = await fetch(portal, tmp_path / "part")

    assert (tmp_path / "part").read_bytes() == FILE
    assert received.declared_bytes == len(FILE), "so that a missing end is noticed"
