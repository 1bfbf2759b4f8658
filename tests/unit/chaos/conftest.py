"""A desk where one order came home."""

from __future__ import annotations

from tests.support.storm.finished_run import desk

__all__ = ["desk"]
