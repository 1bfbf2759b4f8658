"""A folder to type commands at."""

from __future__ import annotations

from tests.support.commands import program

__all__ = ["program"]
