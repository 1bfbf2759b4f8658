"""Writes, replaces and removes files durably and atomically, also private ones.

Every step raises ``OSError`` where the disk refuses; nothing is retried here.

A profile is as good as a password: whoever can read it is logged in.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeAlias

#: For what is nobody's business but the owner's: journal of the tree, evidence, replaced folders.
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
#: Ending of a file that is not in its place yet.
DRAFT_SUFFIX = ".new"
#: Read at once: a few milliseconds of reading and hashing.
CHUNK_BYTES = 1024 * 1024

#: Called between two pieces of a long reading; what it raises ends the reading.
CancelCheck: TypeAlias = Callable[[], None]


def never_cancel() -> None:
    """Never cancel: the default check."""


def sha256_of(path: Path, heed: CancelCheck = never_cancel) -> str:
    """The SHA-256 of a file in lower-case hexadecimal, read piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
            heed()
    return digest.hexdigest()


def sync_file(path: Path) -> None:
    """Flush a file's content to the disk, whichever process wrote it."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Bring a folder's entries to the disk, where the system can (Windows opens no folders and needs none opened)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, text: str) -> None:
    """Write a whole new file, to the disk, with the permissions that the user gives to new files."""
    path.unlink(missing_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def replace_private_text(path: Path, text: str) -> None:
    """Put ``text`` in the place of a private file in one step, and bring it to the disk."""
    fresh = path.with_name(f"{path.name}{DRAFT_SUFFIX}")
    fresh.touch(mode=PRIVATE_FILE)
    with fresh.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    sync_folder(path.parent)


def make_private_folder(path: Path) -> Path:
    """Make a folder that only its owner may enter; one that others may enter is closed to them."""
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) != PRIVATE_FOLDER:
        path.chmod(PRIVATE_FOLDER)
    return path


def make_folders(root: Path, folder: Path) -> None:
    """Make ``folder`` and what is missing between it and ``root``, with the user's permissions, to the disk."""
    if folder == root or folder.is_dir():
        return
    make_folders(root, folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def remove_empty_folders(folder: Path, root: Path) -> None:
    """Remove ``folder`` and those above it below ``root``, as far as they are empty. May be repeated."""
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except FileNotFoundError:
            # Cut off here before: those above may still be there.
            pass
        except OSError:
            return
        folder = folder.parent


def find_write_error(folder: Path, *, may_lack: bool = False) -> OSError | None:
    """Probe a folder by writing to it; returns the error, or None if it is writable. The error names the folder.

    Args:
        folder: Which one.
        may_lack: Whether a missing folder is fine.
    """
    probe = folder / f".probe-{secrets.token_hex(4)}"
    try:
        if may_lack and not folder.is_dir():
            return None
        probe.mkdir(mode=PRIVATE_FOLDER)
        write_file(probe / DRAFT_SUFFIX, "")
        (probe / DRAFT_SUFFIX).rename(probe / "written")
        (probe / "written").unlink()
        probe.rmdir()
    except OSError as error:
        shutil.rmtree(probe, ignore_errors=True)
        return type(error)(error.errno, error.strerror or str(error), str(folder))
    return None


def copy_permissions(model: Path, folder: Path) -> None:
    """Give ``folder`` and its files the permissions of ``model``, a file that was made with the user's own.

    Asking the system for the user's mask would change it for a moment, for every thread.
    """
    mode = stat.S_IMODE(model.stat().st_mode)
    for path in folder.iterdir():
        path.chmod(mode)
    folder.chmod(mode | (mode & 0o444) >> 2)


PRIVATE_FOLDER_MODE = 0o700
PRIVATE_FILE_MODE = 0o600

#: A browser that is just ending may add a file behind the walk; more than two such surprises are none.
REMOVAL_TRIES = 3
#: A draft is in its place within moments, however slow its disk: one so much older is that of a writer who was killed.
DRAFT_LIFE_S = 3600.0

#: Each writer has a draft of its own: two runs may replace one file at once.
_DRAFT_MARK_BYTES = 4


def create_private_file(path: Path) -> BinaryIO:
    """Open a new file for writing; nobody else may read it.

    Raises:
        FileExistsError: Something is there already, be it a dangling link.
    """
    return open(path, "xb", opener=partial(os.open, mode=PRIVATE_FILE_MODE))


def replace_private_file(path: Path, content: bytes) -> None:
    """Write a whole file so that readers see the old one or the new one, never half of one.

    Of several writers the last one counts. What writers left that were killed is removed by those that come later.

    Raises:
        OSError: The file could not be written; the old one stands.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(_DRAFT_MARK_BYTES)}.new")
    try:
        with create_private_file(draft) as stream:
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


def delete_path(path: Path) -> list[Path]:
    """Delete a file or a folder; returns it when it can't be deleted."""
    try:
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return [path]
    return []
