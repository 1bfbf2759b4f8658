"""A base profile to try things on, and a folder for a user without rights."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.profile_folders import make_base


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base made by hand."""
    return make_base(tmp_path / "base")


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """A folder of its own, and no rights beyond an ordinary user's while the test runs."""
    folder = Path(tempfile.mkdtemp(prefix="unprivileged-"))
    is_root = os.geteuid() == 0
    if is_root:
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if is_root:
            os.seteuid(0)
        shutil.rmtree(folder)
