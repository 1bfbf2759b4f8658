"""An ordinary user, whoever runs the tests: no permissions bind root, so it becomes somebody else for a while."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

#: Of the project's own image; nothing on the machine belongs to it.
UID = 10001


@contextmanager
def become_other_user() -> Generator[Path]:
    """Have no rights beyond an ordinary user's meanwhile, and a folder that belongs to him."""
    folder = Path(tempfile.mkdtemp(prefix="other_user-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, UID, UID)
        os.setegid(UID)
        os.seteuid(UID)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
            os.setegid(0)
        shutil.rmtree(folder)
