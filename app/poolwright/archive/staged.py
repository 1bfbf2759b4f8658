"""What a worker staged for one order, made ready to take its place: nothing missing, nothing extra, all on the disk."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

from poolwright.archive.disk import share_like, sync_file, sync_folder, write_file
from poolwright.archive.manifest import MANIFEST_NAME, Manifest
from poolwright.archive.names import name_key


def make_ready(files: Path, manifest: Manifest) -> None:
    """Turn the staged files into what the order's folder will be, the manifest included, and bring it to the disk.

    May be repeated after any error.

    Raises:
        OSError: A file is missing or not of its size, or the disk refuses.
    """
    _remove_strays(files, manifest)
    for file in manifest.files:
        size_bytes = (files / file.name).stat().st_size
        if size_bytes != file.size_bytes:
            raise OSError(errno.EIO, f"The staged file has {size_bytes:,} bytes, not {file.size_bytes:,}", file.name)
    write_file(files / MANIFEST_NAME, manifest.text())
    share_like(files / MANIFEST_NAME, files)
    for file in manifest.files:
        sync_file(files / file.name)
    sync_folder(files)


def _remove_strays(files: Path, manifest: Manifest) -> None:
    """A download that was given up may have left a part of a file."""
    vouched = {name_key(file.name) for file in manifest.files}
    for path in files.iterdir():
        if name_key(path.name) in vouched:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
