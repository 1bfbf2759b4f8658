"""A folder to type commands at."""

from __future__ import annotations

from tests.support.commands import command, profile, program

__all__ = ["command", "profile", "program"]
