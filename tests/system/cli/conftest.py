"""A desk to type commands at."""

from __future__ import annotations

from tests.support.commands import desk

__all__ = ["desk"]
