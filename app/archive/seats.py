"""Whose a folder in the output tree is, and where an order may sit. Looks only, moves nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from app.archive.manifest import MANIFEST_NAME, Manifest, ManifestError
from app.archive.names import folder_variants
from app.domain.ids import TaskId


def find_seat(out: Path, levels: tuple[str, ...], task_id: TaskId) -> Path:
    """The folder for an order below ``out``: the first of its name that is free or its own.

    Never within the folder of another order, never in the place of what is not ours.
    """
    parent = out
    for level in levels[:-1]:
        parent = next(path for path in _variants(parent, level) if _can_hold_orders(path))
    return next(path for path in _variants(parent, levels[-1]) if is_owned(path, task_id) or _is_free(path))


def is_owned(folder: Path, task_id: TaskId) -> bool:
    """Whether the folder is this order's, by its manifest."""
    if folder.is_symlink():
        return False
    try:
        return Manifest.read(folder).task_id == task_id
    except ManifestError:
        return False


def is_whole(folder: Path) -> bool:
    """Whether every file that the folder's manifest names is there and unchanged."""
    try:
        return not Manifest.read(folder).problems(folder)
    except ManifestError:
        return False


def _variants(parent: Path, level: str) -> Iterator[Path]:
    return (parent / name for name in folder_variants(level))


def _can_hold_orders(folder: Path) -> bool:
    return not os.path.lexists(folder) or (folder.is_dir() and not (folder / MANIFEST_NAME).exists())


def _is_free(folder: Path) -> bool:
    """Whether nothing is there, or an empty folder."""
    if folder.is_symlink():
        return False
    return not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
