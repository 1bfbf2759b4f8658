"""A journal on a real disk that is full."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from poolwright.journal.errors import JournalFullError
from tests.support.journals import enter, make


@contextmanager
def small_disk(place: Path, *, size_kib: int) -> Generator[None]:
    """A file system of its own, small enough to fill."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", str(place)]
    if not shutil.which("mount") or subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


async def test_a_journal_on_a_full_disk_is_refused_until_there_is_room(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    with small_disk(disk, size_kib=512):
        await make(disk / "journal.db", 50)
        ballast = disk / "ballast"
        with pytest.raises(OSError, match="No space left"):
            ballast.write_bytes(bytes(512 * 1024))

        with pytest.raises(JournalFullError, match=r"The disk is full, so the journal .* cannot be written"):
            await enter(disk / "journal.db")
        ballast.unlink()
        await enter(disk / "journal.db")
