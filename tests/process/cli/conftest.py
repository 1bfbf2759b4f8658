"""A desk to type commands at."""

from __future__ import annotations

from tests.support.commands import command, desk, profile

__all__ = ["command", "desk", "profile"]
