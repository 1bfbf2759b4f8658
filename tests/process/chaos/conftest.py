"""A folder where one order came home."""

from __future__ import annotations

from tests.support.storm.finished_run import program

__all__ = ["program"]
