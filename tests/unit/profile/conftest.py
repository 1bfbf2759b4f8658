"""Bases, profiles and folders of runs to try things on."""

from __future__ import annotations

from tests.support.profiles import base, life, long_root, root, short_root, unprivileged

__all__ = ["base", "life", "long_root", "root", "short_root", "unprivileged"]
