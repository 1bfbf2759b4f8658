"""A folder that all processes of one test run share, for what takes long to make and is only read."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

#: Tells the processes that run tests where it is; the process that starts them sets it.
_VARIABLE = "TEST_RUN_FOLDER"


def open_shared_folder() -> None:
    """Make the folder, unless this process was started by one that did; it is removed when this process ends."""
    if _VARIABLE not in os.environ:  # noqa: TID251 - pytest's own processes, and no setting of the program
        folder = tempfile.mkdtemp(prefix="test-run-")
        os.environ[_VARIABLE] = folder  # noqa: TID251
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


@contextmanager
def made_by_one(name: str) -> Generator[Path]:
    """Enter the part of the folder that has this name, one process at a time; who finds it missing makes it."""
    folder = Path(os.environ[_VARIABLE])  # noqa: TID251
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder / name
