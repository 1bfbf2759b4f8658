"""Writes, replaces and removes files durably and atomically, also private ones.

Every step raises ``OSError`` if the disk fails; nothing is retried here. A profile is as secret as a password, because
its cookies give a login: only its owner may read it.
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

#: Modes that give access to the owner alone.
PRIVATE_FOLDER_MODE = 0o700
PRIVATE_FILE_MODE = 0o600
#: Ending of a draft, which is renamed once it is complete.
DRAFT_SUFFIX = ".new"
#: Bytes that are read at once: a few milliseconds of reading and hashing.
CHUNK_BYTES = 1024 * 1024

#: Called between two pieces of long work; an error that it raises ends the work.
CancelCheck: TypeAlias = Callable[[], None]


def never_cancel() -> None:
    """Never cancel: the default check."""


def sha256_of(path: Path, cancel_check: CancelCheck = never_cancel) -> str:
    """Return the SHA-256 of a file in lower-case hexadecimal, read piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            digest.update(piece)
            cancel_check()
    return digest.hexdigest()


def sync_file(path: Path) -> None:
    """Flush a file's content to the disk, whichever process wrote it."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Flush a folder's entries to the disk, if the system can (Windows cannot, and need not)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_file(path: Path, text: str) -> None:
    """Write a new file and flush it to the disk, with the user's default permissions."""
    path.unlink(missing_ok=True)
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def make_private_folder(path: Path) -> Path:
    """Make a folder that only its owner may enter, or close an existing one to others; return its path."""
    path.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
    if stat.S_IMODE(path.stat().st_mode) != PRIVATE_FOLDER_MODE:
        path.chmod(PRIVATE_FOLDER_MODE)
    return path


def make_folders(root: Path, folder: Path) -> None:
    """Make ``folder`` and its missing parents below ``root`` with the user's permissions, and flush them to disk."""
    if folder == root or folder.is_dir():
        return
    make_folders(root, folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def remove_empty_folders(folder: Path, root: Path) -> None:
    """Remove ``folder`` and its parents below ``root``, as far as they are empty. May be repeated."""
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except FileNotFoundError:
            # An earlier call was interrupted here: the parents may still exist.
            pass
        except OSError:
            return
        folder = folder.parent


def is_gone(path: Path) -> bool:
    """Whether nothing is at a path; false as well if its disk does not answer. Blocking."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def find_write_error(folder: Path, *, may_lack: bool = False) -> OSError | None:
    """Probe a folder by writing to it; return the error, which names the folder, or ``None`` if it is writable.

    Args:
        folder: The folder to probe.
        may_lack: Whether a missing folder counts as writable.
    """
    probe = folder / f".probe-{secrets.token_hex(4)}"
    try:
        if may_lack and not folder.is_dir():
            return None
        probe.mkdir(mode=PRIVATE_FOLDER_MODE)
        write_file(probe / DRAFT_SUFFIX, "")
        (probe / DRAFT_SUFFIX).rename(probe / "written")
        (probe / "written").unlink()
        probe.rmdir()
    except OSError as error:
        shutil.rmtree(probe, ignore_errors=True)
        return type(error)(error.errno, error.strerror or str(error), str(folder))
    return None


def copy_permissions(model: Path, folder: Path) -> None:
    """Give ``folder`` and its files the permissions of ``model``, a file with the user's default permissions.

    Reading the umask itself would change it for a moment, for every thread.
    """
    mode = stat.S_IMODE(model.stat().st_mode)
    for path in folder.iterdir():
        path.chmod(mode)
    folder.chmod(mode | (mode & 0o444) >> 2)


#: A browser that is just ending may add files during the removal, so it is tried this often.
REMOVAL_TRIES = 3
#: A draft is renamed within moments, even on a slow disk: an older one was left by a writer that was killed.
DRAFT_LIFE_S = 3600.0

#: Length of the random part of a draft's name: two runs may replace one file at once.
_DRAFT_MARK_BYTES = 4


def create_private_file(path: Path) -> BinaryIO:
    """Open a new file for writing, which only its owner may read.

    Raises:
        FileExistsError: The path exists, even as a dangling link.
    """
    return open(path, "xb", opener=partial(os.open, mode=PRIVATE_FILE_MODE))


def replace_private_file(path: Path, content: bytes, *, is_sole_writer: bool = False) -> None:
    """Write a whole file so that readers see the old one or the new one, never a part of one, and flush it to the disk.

    Of several writers the last one counts. Old drafts of killed writers are removed.

    Args:
        path: The file.
        content: Its new content.
        is_sole_writer: Whether no other process writes this file at the same time, so that a draft that is there was
            left by a killed writer, however young it is.

    Raises:
        OSError: The file could not be written, and the old one remains; or it is not certain that the new one would
            survive a power failure.
    """
    mark = "" if is_sole_writer else f".{secrets.token_hex(_DRAFT_MARK_BYTES)}"
    draft = path.with_name(f"{path.name}{mark}{DRAFT_SUFFIX}")
    try:
        if is_sole_writer:
            draft.unlink(missing_ok=True)
        with create_private_file(draft) as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            written_s = os.fstat(stream.fileno()).st_mtime
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    with contextlib.suppress(OSError):  # the file is written all the same
        _remove_old_drafts(path, written_s)


def _remove_old_drafts(path: Path, now_s: float) -> None:
    """Remove the drafts that killed writers left, by the clock of the file's disk: that of a share may differ."""
    # Drafts of a sole writer and those of earlier versions have no random part.
    name = re.compile(rf"{re.escape(path.name)}(\.[0-9a-f]{{{2 * _DRAFT_MARK_BYTES}}})?\.new")
    for draft in path.parent.iterdir():
        if name.fullmatch(draft.name) and now_s - draft.lstat().st_mtime > DRAFT_LIFE_S:
            draft.unlink(missing_ok=True)


def remove_tree(path: Path) -> None:
    """Remove a folder with its content. A missing folder is no error; a symbolic link is never followed.

    Raises:
        OSError: It still exists after ``REMOVAL_TRIES`` tries.
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
    """Delete a file or a folder; return its path in a list if it cannot be deleted, else an empty list."""
    try:
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return [path]
    return []
