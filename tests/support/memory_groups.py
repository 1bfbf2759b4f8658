"""Real control groups of version 1, where this machine lets us make one."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from poolwright.system.cgroups import cgroups

#: Enters the group whose folder is the first argument, then is the program with the arguments that follow.
BE_THE_PROGRAM = """
import os, pathlib, sys
pathlib.Path(sys.argv.pop(1), "cgroup.procs").write_text(str(os.getpid()))
from poolwright.cli.main import main
main()
"""


@contextmanager
def memory_group(limit_bytes: int) -> Generator[Path]:
    """A new group with a limit, below the one that the tests run in; the test is skipped where none can be made."""
    own = next((group for group in cgroups(Path("/"), "memory") if group.version == 1), None)
    if own is None:
        pytest.skip("no memory controller of version 1 here")
    folder = own.folder / f"test-{uuid4().hex[:8]}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no group can be made here: {error}")
    try:
        (folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
        yield folder
    finally:
        folder.rmdir()
