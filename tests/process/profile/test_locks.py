"""Our own lock beside a base, held by real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.profile.errors import ProfileInUseError
from poolwright.profile.in_use import read_locked, write_locked
from tests.process.profile.children import child, kill

HOLD = """
import sys
from pathlib import Path
from poolwright.profile import in_use
with getattr(in_use, sys.argv[1])(Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_nobody_reads_a_base_that_another_process_changes(base: Path) -> None:
    with child(HOLD, "write_locked", str(base)) as (_, line):
        assert line == "held"
        with pytest.raises(ProfileInUseError, match="being changed by another poolwright command"), read_locked(base):
            pass


def test_nobody_changes_a_base_that_another_process_reads(base: Path) -> None:
    with child(HOLD, "read_locked", str(base)) as (_, line):
        assert line == "held"
        with pytest.raises(ProfileInUseError, match="being read or changed"), write_locked(base):
            pass


def test_many_read_at_once(base: Path) -> None:
    with child(HOLD, "read_locked", str(base)) as (_, line), read_locked(base), read_locked(base):
        assert line == "held"


def test_a_lock_ends_with_its_process(base: Path) -> None:
    with child(HOLD, "write_locked", str(base)) as (process, _):
        kill(process)

        with write_locked(base):
            pass
