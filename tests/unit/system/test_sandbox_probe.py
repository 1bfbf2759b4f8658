"""What is read of a probe's answer, of the kernel's settings, and of the helper's file."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from poolwright.system.sandbox_probe import RefusedStep, find_setting, has_helper, parse_child_result

linux_root = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs root on Linux to become another user"
)


@pytest.mark.parametrize("told", ["", "Traceback (most recent call last):", "chroots"])
def test_a_child_that_fails_otherwise_allows_nothing(told: str) -> None:
    assert parse_child_result(1, told) is RefusedStep.UNKNOWN


@pytest.mark.parametrize(
    ("name", "text", "undone"),
    [
        ("apparmor_restrict_unprivileged_userns", "1\n", "kernel.apparmor_restrict_unprivileged_userns=0"),
        ("apparmor_restrict_unprivileged_userns", "0\n", ""),
        ("unprivileged_userns_clone", "0\n", "kernel.unprivileged_userns_clone=1"),
        ("unprivileged_userns_clone", "1\n", ""),
        ("other", "1\n", ""),
    ],
)
def test_settings_that_forbid_namespaces_are_found(tmp_path: Path, name: str, text: str, undone: str) -> None:
    kernel = tmp_path / "proc/sys/kernel"
    kernel.mkdir(parents=True)
    (kernel / name).write_text(text)

    assert find_setting(tmp_path) == undone


@linux_root
def test_only_a_setuid_file_of_root_is_a_helper(tmp_path: Path) -> None:
    helper = tmp_path / "chrome-sandbox"
    assert not has_helper(tmp_path)

    helper.write_text("")
    helper.chmod(0o755)
    assert not has_helper(tmp_path)

    helper.chmod(0o4755)
    assert has_helper(tmp_path)

    os.chown(helper, 65534, 65534)
    helper.chmod(0o4755)
    assert not has_helper(tmp_path)
