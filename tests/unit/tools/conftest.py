"""A PATH that leads nowhere else."""

from __future__ import annotations

from tests.support.search_path import only_path

__all__ = ["only_path"]
