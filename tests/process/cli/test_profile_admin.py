"""``poolwright profile remove`` while another process has the profile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from tests.support.commands import Command
from tests.support.profile_folders import make_base


@pytest.fixture
def base(profile: Path) -> Path:
    """The base of the profile ``default``, not sealed yet."""
    return make_base(profile)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="asks /proc who has a profile open")
def test_a_profile_that_is_open_in_a_browser_is_not_removed(command: Command, base: Path) -> None:

    sleeper = [sys.executable, "-c", "import sys; sys.stdin.read()", f"--user-data-dir={base}"]
    with subprocess.Popen(sleeper, stdin=subprocess.PIPE) as browser:
        (base / "SingletonLock").symlink_to(f"{os.uname().nodename}-{browser.pid}")

        result = command("profile", "remove", "default", "--yes")

        assert browser.stdin is not None
        browser.stdin.close()
    assert result.exit_code == ExitCode.PROFILE
    assert "Close that browser" in result.stderr
    assert base.is_dir()
