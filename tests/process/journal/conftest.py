"""Where a journal lies."""

from __future__ import annotations

from tests.support.journals import path

__all__ = ["path"]
