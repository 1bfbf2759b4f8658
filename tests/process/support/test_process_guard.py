"""A test that lies here may start processes."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_a_process_starts() -> None:
    assert subprocess.run([sys.executable, "-c", "pass"], check=False).returncode == 0


def test_its_folder_gives_a_test_its_mark(request: pytest.FixtureRequest) -> None:
    assert [mark.name for mark in request.node.iter_markers()] == ["process"]
