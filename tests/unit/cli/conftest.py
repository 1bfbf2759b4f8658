"""A desk to type commands at."""

from __future__ import annotations

from tests.support.commands import command, desk, fake_run, profile

__all__ = ["command", "desk", "fake_run", "profile"]
