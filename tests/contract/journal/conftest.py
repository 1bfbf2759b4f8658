"""Both journals behind one door."""

from __future__ import annotations

from tests.support.journals import clock, history, open_journal, path

__all__ = ["clock", "history", "open_journal", "path"]
