"""Files on a disk: written so that a power cut cannot take them back, and so that nobody ever reads half of one.

Every step raises ``OSError`` where the disk refuses; nothing is retried here.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

#: For what is nobody's business but the owner's: journal of the tree, evidence, replaced folders.
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600
#: Ending of a file that is not in its place yet.
FRESH = ".new"
#: Read at once: a few milliseconds of reading and hashing.
PIECE_BYTES = 1024 * 1024

#: Called between two pieces of a long reading; what it raises ends the reading.
Heed: TypeAlias = Callable[[], None]


def go_on() -> None:
    """Never cancel: the default check."""


def sha256_of(path: Path, heed: Heed = go_on) -> str:
    """The SHA-256 of a file in lower-case hexadecimal, read piece by piece."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
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


def replace_private(path: Path, text: str) -> None:
    """Put ``text`` in the place of a private file in one step, and bring it to the disk."""
    fresh = path.with_name(f"{path.name}{FRESH}")
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


def refusal(folder: Path, *, may_lack: bool = False) -> OSError | None:
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
        write_file(probe / FRESH, "")
        (probe / FRESH).rename(probe / "written")
        (probe / "written").unlink()
        probe.rmdir()
    except OSError as error:
        shutil.rmtree(probe, ignore_errors=True)
        return type(error)(error.errno, error.strerror or str(error), str(folder))
    return None


def share_like(model: Path, folder: Path) -> None:
    """Give ``folder`` and its files the permissions of ``model``, a file that was made with the user's own.

    Asking the system for the user's mask would change it for a moment, for every thread.
    """
    mode = stat.S_IMODE(model.stat().st_mode)
    for path in folder.iterdir():
        path.chmod(mode)
    folder.chmod(mode | (mode & 0o444) >> 2)
