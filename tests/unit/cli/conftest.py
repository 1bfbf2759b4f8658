"""A folder to type commands at."""

from __future__ import annotations

from tests.support.commands import command, fake_run, profile, program

__all__ = ["command", "fake_run", "profile", "program"]
