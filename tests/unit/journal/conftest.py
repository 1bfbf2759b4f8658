"""Where a journal lies, and its clock."""

from __future__ import annotations

from tests.support.journals import clock, path

__all__ = ["clock", "path"]
