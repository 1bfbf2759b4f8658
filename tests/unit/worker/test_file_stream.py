"""What headers of a file's answer say."""

from __future__ import annotations

import pytest

from app.worker.file_stream import waiting_s


@pytest.mark.parametrize(
    ("header", "told_s"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (None, None),
        ("", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("²", None),
    ],
)
def test_only_whole_seconds_are_taken_from_a_retry_after(header: str | None, told_s: float | None) -> None:
    assert waiting_s(header) == told_s
