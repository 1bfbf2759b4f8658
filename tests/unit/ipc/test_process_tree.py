"""Who belongs to a worker, where nothing can be read of any process: no descriptor is left."""

from __future__ import annotations

import builtins
import errno
import os
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from poolwright.ipc.process_tree import ProcessTree, find_by_folder, kill_tree
from tests.support.disk_faults import Faults, failing

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="processes show as files on Linux")


def blind() -> ExitStack:
    """Nothing can be read of any process."""
    with ExitStack() as stack:
        for module, name in ((builtins, "open"), (os, "listdir"), (os, "readlink")):
            stack.enter_context(failing(module, name, Faults(Path("/proc"), errno.EMFILE, 1, 1_000_000)))
        return stack.pop_all()


def test_who_was_seen_before_is_still_known(tmp_path: Path) -> None:
    family = ProcessTree(os.getpid(), tmp_path)
    seen = family.scan()

    with blind():
        assert family.scan() == seen
        assert family.descendants() == seen
        assert find_by_folder(tmp_path) == set()

    assert psutil.Process() in seen


def test_an_end_that_sees_nobody_comes_to_its_end(tmp_path: Path) -> None:
    with blind():
        kill_tree(ProcessTree(2**22 + 1, tmp_path), 0.1)  # a number that no process has
