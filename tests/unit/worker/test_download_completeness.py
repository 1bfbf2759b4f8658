"""A file that a browser unpacked is proved by asking for it once more, or what is not sure of it is told."""

from __future__ import annotations

import gzip
from pathlib import Path

import httpx
import pytest

from poolwright.domain.options import SizeLimits
from poolwright.worker.download.browser_file import verify_complete
from poolwright.worker.download.staged_files import DownloadedFile
from poolwright.worker.transfer.received_file import IncompleteDownloadError, ReceivedFile
from tests.unit.worker.test_http_downloader import BASE, Answers, stream_of

TABLE = b"PO;Amount\r\n" + b"4711;1\r\n" * 500
PACKED = {"content-encoding": "gzip"}


def never(request: httpx.Request) -> httpx.Response:
    raise AssertionError(request.url)


def sent(headers: dict[str, str], content: bytes) -> httpx.Response:
    """As it goes over the network, still packed."""
    return httpx.Response(200, headers=headers, stream=httpx.ByteStream(content))


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def proved(
    folder: Path,
    content: bytes,
    answers: Answers,
    *,
    is_unpacked: bool = True,
    can_ask_again: bool = True,
    shows_end: bool = False,
) -> tuple[str, ...]:
    part = folder / "part-1"
    part.write_bytes(content)
    arrived = DownloadedFile(
        path=part,
        label="list.csv",
        size_bytes=len(content),
        sha256="",
        media_type="text/csv",
        source_url="",
        shows_end=shows_end,
    )
    received = ReceivedFile(
        path=part, is_unpacked=is_unpacked, can_ask_again=can_ask_again, final_url=f"{BASE}/files/list.csv"
    )
    try:
        return (await verify_complete(arrived, received, stream_of(answers), SizeLimits())).notes
    finally:
        assert names_in(folder) == ["part-1"]


@pytest.mark.parametrize("headers", [{}, PACKED])
async def test_what_comes_again_in_its_length_is_whole(tmp_path: Path, headers: dict[str, str]) -> None:
    newer = TABLE.replace(b"4711;1", b"4711;2")
    content = gzip.compress(newer) if headers else newer

    assert await proved(tmp_path, TABLE, lambda _: sent(headers, content)) == ()


@pytest.mark.parametrize(
    ("headers", "content"),
    [({}, TABLE), (PACKED, gzip.compress(TABLE)), (PACKED, gzip.compress(TABLE)[:-20])],
    ids=["plain", "packed", "cut short again"],
)
async def test_what_is_only_the_beginning_is_not_taken(tmp_path: Path, headers: dict[str, str], content: bytes) -> None:
    with pytest.raises(IncompleteDownloadError) as caught:
        await proved(tmp_path, TABLE[:900], lambda _: sent(headers, content))

    assert caught.value.is_retryable


@pytest.mark.parametrize(
    "answer", [httpx.Response(410), httpx.Response(429), httpx.Response(200, content=b"another file")], ids=str
)
async def test_what_cannot_be_compared_is_told(tmp_path: Path, answer: httpx.Response) -> None:
    [note] = await proved(tmp_path, TABLE, lambda _: answer)

    assert note.startswith("list.csv was sent compressed")


async def test_what_a_form_brought_is_not_asked_for_again(tmp_path: Path) -> None:
    assert len(await proved(tmp_path, TABLE, never, can_ask_again=False)) == 1


async def test_what_came_as_it_is_or_shows_its_end_needs_no_proof(tmp_path: Path) -> None:
    assert await proved(tmp_path, TABLE, never, is_unpacked=False) == ()
    assert await proved(tmp_path, TABLE, never, shows_end=True) == ()
