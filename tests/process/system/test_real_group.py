"""The limit and the count of kills in a real control group of version 1, where this machine lets us make one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.memory_groups import BE_THE_PROGRAM, memory_group
from tests.support.paths import ROOT

LIMIT_BYTES = 200 * 1024**2
#: Enters the group whose folder is the first argument, then tells what there is as JSON.
TELL = """
import json, os, pathlib, sys
pathlib.Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
from poolwright.system.memory_limit import oom_kill_count, read_limit
found = read_limit()
print(json.dumps([found.total_bytes, found.available_bytes, found.source, oom_kill_count()]))
"""
#: Enters the group, then writes to twice as much memory as it may have.
EAT = f"""
import os, pathlib, sys
pathlib.Path(sys.argv[1], "cgroup.procs").write_text(str(os.getpid()))
eaten = bytearray(b"x") * {2 * LIMIT_BYTES}
"""


@pytest.fixture
def group() -> Iterator[Path]:
    """A new group with a limit, below the one that the tests run in."""
    with memory_group(LIMIT_BYTES) as folder:
        yield folder


def run_in(group: Path, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, str(group), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_process_in_it_reads_its_limit(group: Path) -> None:
    total_bytes, available_bytes, source, kills = json.loads(run_in(group, TELL).stdout)

    assert total_bytes == LIMIT_BYTES
    assert 0 < available_bytes < LIMIT_BYTES
    assert source.endswith(f"/{group.name}")
    assert kills == 0


def test_a_kill_in_it_is_counted(group: Path) -> None:
    assert run_in(group, EAT).returncode == -9

    *_, kills = json.loads(run_in(group, TELL).stdout)

    assert kills == 1


def test_the_program_in_it_says_that_its_workers_do_not_fit(group: Path) -> None:
    told = run_in(group, BE_THE_PROGRAM, "doctor", "--no-start", "--workers", "2", "--tabs", "2")

    (line,) = (line for line in told.stdout.splitlines() if line.startswith("fail memory"))
    assert "2 workers with 2 tabs each need about 1.4 GB of memory, but there are 0.2 GB" in line
    assert f"/{group.name})" in line
    assert told.returncode == 1
