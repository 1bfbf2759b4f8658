"""Moments as the journal writes them: ISO 8601, UTC, always equally long, so that text compares like time."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Write an aware moment."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """Read back what ``to_text`` wrote."""
    return datetime.fromisoformat(text)
