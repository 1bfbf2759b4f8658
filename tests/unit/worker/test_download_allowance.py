"""How much one order may bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.options import BYTES_PER_MB, SizeLimits
from poolwright.worker.transfer import download_limits as module
from poolwright.worker.transfer.download_limits import FREE_BYTES_MIN, DownloadAllowance, binary_size_text, free_bytes
from poolwright.worker.transfer.received_file import DownloadRefusedError, content_length, media_type


def test_a_file_above_its_limit_is_refused_for_good() -> None:
    allowance = DownloadAllowance(SizeLimits(file_bytes=100, order_bytes=1000))

    allowance.check(100)
    with pytest.raises(DownloadRefusedError, match="it exceeds 100 bytes, the limit for one file") as caught:
        allowance.check(101)

    assert not caught.value.is_retryable
    assert not caught.value.is_for_browser


def test_there_are_limits_where_nobody_set_any() -> None:
    limits = SizeLimits()

    assert limits.file_bytes == limits.order_bytes == 2048 * BYTES_PER_MB


def test_an_order_that_is_full_takes_no_more_and_keeps_what_it_has() -> None:
    allowance = DownloadAllowance(SizeLimits(file_bytes=100, order_bytes=150))

    allowance.consume(100)
    with pytest.raises(DownloadRefusedError, match="the limit for one order"):
        allowance.check(51)
    allowance.consume(50)

    with pytest.raises(DownloadRefusedError):
        allowance.consume(1)


@pytest.mark.parametrize(
    ("size_bytes", "words"), [(1, "1 bytes"), (1536, "1.5 KB"), (2 * 1024**3, "2 GB"), (1024**5, "1024 TB")]
)
def test_sizes_are_told_in_words(size_bytes: int, words: str) -> None:
    assert binary_size_text(size_bytes) == words


@pytest.mark.parametrize(
    ("header", "told"), [("137", 137), (" 137, 137 ", 137), ("137, 138", None), ("", None), ("-1", None), ("²", None)]
)
def test_only_one_length_is_believed(header: str, told: int | None) -> None:
    assert content_length(header) == told


def test_a_media_type_has_no_parameters() -> None:
    assert media_type("Text/HTML; charset=utf-8") == "text/html"
    assert media_type("") == ""


PLENTY = SizeLimits(file_bytes=10**12, order_bytes=10**12)


def test_a_file_that_the_disk_has_no_room_for_is_refused_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk_bytes = FREE_BYTES_MIN * 3
    here = [0]
    monkeypatch.setattr(module, "free_bytes", lambda _: disk_bytes - here[0])
    allowance = DownloadAllowance(PLENTY).for_folder(tmp_path)

    def fill() -> None:
        for here[0] in range(0, disk_bytes, 64 * 1024):
            allowance.check(here[0])

    with pytest.raises(
        DownloadRefusedError, match=r"no room for it \(\d+.*free some space and run the list again"
    ) as caught:
        fill()

    assert caught.value.is_retryable
    assert FREE_BYTES_MIN * 1.9 < here[0] < FREE_BYTES_MIN * 2.2


def test_one_that_is_announced_is_not_even_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "free_bytes", lambda _: FREE_BYTES_MIN * 3)
    allowance = DownloadAllowance(PLENTY).for_folder(tmp_path)

    allowance.check_announced(FREE_BYTES_MIN * 2)
    with pytest.raises(DownloadRefusedError, match="192 MB are free"):
        allowance.check_announced(FREE_BYTES_MIN * 2 + 1)


def test_a_small_order_and_a_disk_that_does_not_answer_are_no_matter_of_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert free_bytes(tmp_path / "nowhere") is None
    monkeypatch.setattr(module, "free_bytes", lambda _: 0)
    DownloadAllowance(PLENTY).for_folder(tmp_path).check(FREE_BYTES_MIN - 1)
    DownloadAllowance(PLENTY).for_folder(tmp_path).check_announced(FREE_BYTES_MIN - 1)
    monkeypatch.setattr(module, "free_bytes", lambda _: None)
    DownloadAllowance(PLENTY).for_folder(tmp_path).check(FREE_BYTES_MIN * 9)
    DownloadAllowance(PLENTY).check(FREE_BYTES_MIN * 9)


def test_files_of_one_order_that_are_small_alone_are_large_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "free_bytes", lambda _: FREE_BYTES_MIN - 1)
    allowance = DownloadAllowance(PLENTY).for_folder(tmp_path)
    allowance.consume(FREE_BYTES_MIN)

    with pytest.raises(DownloadRefusedError, match="no room"):
        allowance.check(10 * 1024 * 1024)
