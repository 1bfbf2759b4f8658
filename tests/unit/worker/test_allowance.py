"""How much one order may bring."""

from __future__ import annotations

import pytest

from app.domain.options import SizeLimits
from app.worker.allowance import Allowance, in_words
from app.worker.received import RefusedError, length, media_type


def test_a_file_above_its_limit_is_refused_for_good() -> None:
    allowance = Allowance(SizeLimits(file_bytes=100, order_bytes=1000))

    allowance.check(100)
    with pytest.raises(RefusedError, match="more than 100 bytes, the limit for one file") as caught:
        allowance.check(101)

    assert not caught.value.is_retryable
    assert not caught.value.is_for_browser


def test_an_order_that_is_full_takes_no_more_and_keeps_what_it_has() -> None:
    allowance = Allowance(SizeLimits(file_bytes=100, order_bytes=150))

    allowance.use(100)
    with pytest.raises(RefusedError, match="the limit for one order"):
        allowance.check(51)
    allowance.use(50)

    with pytest.raises(RefusedError):
        allowance.use(1)


@pytest.mark.parametrize(
    ("size_bytes", "words"), [(1, "1 bytes"), (1536, "1.5 KB"), (2 * 1024**3, "2 GB"), (1024**5, "1024 TB")]
)
def test_sizes_are_told_in_words(size_bytes: int, words: str) -> None:
    assert in_words(size_bytes) == words


@pytest.mark.parametrize(
    ("header", "told"), [("137", 137), (" 137, 137 ", 137), ("137, 138", None), ("", None), ("-1", None), ("²", None)]
)
def test_only_one_length_is_believed(header: str, told: int | None) -> None:
    assert length(header) == told


def test_a_media_type_has_no_parameters() -> None:
    assert media_type("Text/HTML; charset=utf-8") == "text/html"
    assert media_type("") == ""
