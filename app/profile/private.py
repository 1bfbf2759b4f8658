"""Folders and files that nobody else may read, replaced and removed as a whole.

A profile is as good as a password: whoever can read it is logged in.
"""

from __future__ import annotations

import os
import shutil
from functools import partial
from pathlib import Path
from typing import BinaryIO

FOLDER_MODE = 0o700
FILE_MODE = 0o600

#: A browser that is just ending may add a file behind the walk; more than two such surprises are none.
REMOVAL_TRIES = 3


def create_file(path: Path) -> BinaryIO:
    """Open a new file for writing; nobody else may read it.

    Raises:
        FileExistsError: Something is there already, be it a dangling link.
    """
    return open(path, "xb", opener=partial(os.open, mode=FILE_MODE))


def replace_file(path: Path, content: bytes) -> None:
    """Write a whole file so that readers see the old one or the new one, never half of one.

    Raises:
        OSError: The file could not be written; the old one stands.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    try:
        with create_file(draft) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


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
