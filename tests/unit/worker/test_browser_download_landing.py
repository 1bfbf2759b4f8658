"""How much of a download is there, and how long it is waited for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import anyio
import pytest
from playwright.async_api import Download
from playwright.async_api import Error as PlaywrightError

from poolwright.worker.download.browser_file import DownloadProgress, wait_for_download


class FakeDownload:
    """A download as the driver's library shows it."""

    def __init__(self, place: Path | None, *steps: Callable[[], None]) -> None:
        told = {} if place is None else {"absolutePath": str(place)}
        self._impl_obj = SimpleNamespace(_artifact=SimpleNamespace(_initializer=told))
        self._place = place
        self._steps = steps

    async def path(self) -> Path:
        if self._place is None:
            await anyio.sleep_forever()
        for step in self._steps:
            step()
        return cast("Path", self._place)


def download(place: Path | None, *steps: Callable[[], None]) -> Download:
    return cast("Download", FakeDownload(place, *steps))


def nothing(_: int) -> None:
    """There is no limit."""


def test_what_is_there_counts_under_either_name(tmp_path: Path) -> None:
    place = tmp_path / "0f"
    landing = DownloadProgress(download(place))
    nothing_yet = landing.size_bytes()
    (tmp_path / "0f.crdownload").write_bytes(b"12345")
    partly = landing.size_bytes()
    (tmp_path / "0f.crdownload").rename(place)

    assert (nothing_yet, partly, landing.size_bytes()) == (0, 5, 5)


def test_a_library_that_does_not_tell_the_place_shows_nothing() -> None:
    assert DownloadProgress(cast("Download", object())).size_bytes() == 0
    assert DownloadProgress(download(None)).size_bytes() == 0


async def test_what_is_there_at_once_is_handed_on(tmp_path: Path) -> None:
    assert await wait_for_download(download(tmp_path / "0f"), 60.0, nothing) == tmp_path / "0f"


async def test_one_that_stands_still_is_given_up() -> None:
    with pytest.raises(TimeoutError, match=r"no data was received for 0\.01 s, after 0 bytes"):
        await wait_for_download(download(None), 0.01, nothing)


async def test_one_that_grows_too_large_is_given_up_while_it_comes(tmp_path: Path) -> None:
    place = tmp_path / "0f"

    def grow() -> None:
        place.write_bytes(b"1234")

    def refuse(size_bytes: int) -> None:
        if size_bytes > 3:
            msg = f"{size_bytes} are too many"
            raise ValueError(msg)

    with pytest.raises(ValueError, match="4 are too many"):
        await wait_for_download(download(place, grow), 60.0, refuse)


async def test_what_the_browser_says_of_it_is_told_as_it_is(tmp_path: Path) -> None:
    def fail() -> None:
        raise PlaywrightError("canceled")

    with pytest.raises(PlaywrightError, match="canceled"):
        await wait_for_download(download(tmp_path / "0f", fail), 60.0, nothing)
