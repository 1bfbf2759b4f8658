"""Folders and files that nobody else may read, replaced and removed as a whole.

A profile is as good as a password: whoever can read it is logged in.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from functools import partial
from pathlib import Path
from typing import BinaryIO

FOLDER_MODE = 0o700
FILE_MODE = 0o600

#: A browser that is just ending may add a file behind the walk; more than two such surprises are none.
REMOVAL_TRIES = 3
#: A draft is in its place within moments, however slow its disk: one so much older is that of a writer who was killed.
DRAFT_LIFE_S = 3600.0

#: Each writer has a draft of its own: two runs may replace one file at once.
_DRAFT_MARK_BYTES = 4


def create_file(path: Path) -> BinaryIO:
    """Open a new file for writing; nobody else may read it.

    Raises:
        FileExistsError: Something is there already, be it a dangling link.
    """
    return open(path, "xb", opener=partial(os.open, mode=FILE_MODE))


def replace_file(path: Path, content: bytes) -> None:
    """Write a whole file so that readers see the old one or the new one, never half of one.

    Of several writers the last one counts. What writers left that were killed is removed by those that come later.

    Raises:
        OSError: The file could not be written; the old one stands.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(_DRAFT_MARK_BYTES)}.new")
    try:
        with create_file(draft) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            written_s = os.fstat(stream.fileno()).st_mtime
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # the file is written all the same
        _remove_old_drafts(path, written_s)


def _remove_old_drafts(path: Path, now_s: float) -> None:
    """Remove what killed writers left of a file, by the clock of its own disk: that of a share may be another."""
    # Without a mark in the middle: as earlier versions called them.
    name = re.compile(rf"{re.escape(path.name)}(\.[0-9a-f]{{{2 * _DRAFT_MARK_BYTES}}})?\.new")
    for draft in path.parent.iterdir():
        if name.fullmatch(draft.name) and now_s - draft.lstat().st_mtime > DRAFT_LIFE_S:
            draft.unlink(missing_ok=True)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it. A missing folder is no error; a symbolic link is never followed.

    Raises:
        OSError: It is still there after three tries.
    """
    for tries_left in reversed(range(REMOVAL_TRIES)):
        if not os.path.lexists(path):
            return
        try:
            shutil.rmtree(path)
        except OSError:
            if not tries_left:
                raise


def delete(path: Path) -> list[Path]:
    """Delete a file or a folder; returns it when it can't be deleted."""
    try:
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return [path]
    return []
