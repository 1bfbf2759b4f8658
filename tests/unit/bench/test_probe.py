"""What a process takes, as the kernel tells it."""

from __future__ import annotations

import os

from bench.soak.probe import own_usage, shares, tree_usage

ROLLUP = """\
55d0a0000000-7ffd00000000 ---p 00000000 00:00 0                          [rollup]
Rss:              120000 kB
Pss:               90000 kB
Pss_Dirty:         60000 kB
Pss_Anon:          50000 kB
Pss_File:          30000 kB
Pss_Shmem:         10000 kB
"""


def test_program_files_are_told_apart() -> None:
    assert shares(ROLLUP) == (90_000 * 1024, 60_000 * 1024)


def test_this_process_is_measured_alone_and_as_the_top_of_its_tree() -> None:
    own, tree = own_usage(), tree_usage(os.getpid())

    assert own is not None
    assert tree is not None
    assert 0 < own.data_bytes <= own.memory_bytes
    assert own.process_count == 1
    assert own.file_count > 2
    assert tree.process_count >= 1


def test_nothing_is_told_of_a_worker_without_a_process() -> None:
    assert tree_usage(None) is None
    assert tree_usage(2**22 + 1) is None
