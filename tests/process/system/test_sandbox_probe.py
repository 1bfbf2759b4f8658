"""The probe: which step of the sandbox this system refuses, asked of a real child under real prohibitions."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from poolwright.system.sandbox_probe import RefusedStep, parse_child_result, probe_sandbox

linux_root = pytest.mark.skipif(
    not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs root on Linux to become another user"
)
CHILD = (sys.executable, "-P", "-m", "poolwright.system.sandbox_probe")
UNSHARE = ("unshare", "--user", "--map-root-user")
makes_namespaces = pytest.mark.skipif(
    shutil.which("unshare") is None
    or subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode != 0,
    reason="needs a system that allows user namespaces",
)


def ask(command: tuple[str, ...]) -> tuple[RefusedStep | None, str]:
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    return parse_child_result(told.returncode, told.stderr), told.stderr


@linux_root
def test_root_is_seen(tmp_path: Path) -> None:
    assert probe_sandbox(tmp_path / "chrome").is_root


@makes_namespaces
def test_nothing_is_refused_where_namespaces_are_allowed() -> None:
    assert ask(CHILD) == (None, "")


@makes_namespaces
def test_a_number_of_namespaces_that_is_used_up_is_told() -> None:
    script = f"echo 0 > /proc/sys/user/max_user_namespaces; exec {shlex.join(CHILD)}"

    refused, told = ask((*UNSHARE, "sh", "-c", script))

    assert refused is RefusedStep.NAMESPACE_COUNT
    assert "No space left" in told, "the kernel's word for a namespace over the limit"


@linux_root
def test_namespaces_that_are_forbidden_are_told(tmp_path: Path) -> None:
    """The kernel lets nobody make a user namespace within another root folder than the system's own."""
    within = f"mount --bind / {tmp_path} && exec chroot {tmp_path} {shlex.join(CHILD)}"

    refused, _ = ask(("unshare", "--mount", "sh", "-c", within))

    assert refused is RefusedStep.NAMESPACE


def test_a_root_that_may_not_be_changed_is_told() -> None:
    program = (
        "import os, poolwright.system.sandbox_probe as probe\n"
        "def refuse(_): raise PermissionError(1, 'no')\n"
        "class Libc:\n"
        "    def unshare(self, flags): return 0\n"
        "os.chroot, probe.ctypes.CDLL = refuse, lambda *_, **__: Libc()\n"
        "raise SystemExit(' '.join(map(str, probe.try_sandbox())))"
    )

    assert ask((sys.executable, "-c", program))[0] is RefusedStep.CHROOT


@pytest.mark.parametrize(("bounds", "has_chroot"), [("00000000a80425fb", True), ("0000000000000000", False)])
def test_a_capability_that_a_container_dropped_is_seen(tmp_path: Path, bounds: str, has_chroot: bool) -> None:
    status = tmp_path / "proc/self/status"
    status.parent.mkdir(parents=True)
    status.write_text(f"Name:\tpython\nCapBnd:\t{bounds}\nNoNewPrivs:\t0\n")

    assert probe_sandbox(tmp_path / "chrome", tmp_path).has_chroot is has_chroot


@linux_root
@pytest.mark.parametrize(
    ("bounds", "no_new", "counts"),
    [("000001ffffffffff", 0, True), ("000001ffffffffff", 1, False), ("00000000a80425fb", 0, False)],
)
def test_a_helper_counts_where_it_may_become_root(tmp_path: Path, bounds: str, no_new: int, counts: bool) -> None:
    (tmp_path / "chrome-sandbox").touch()
    (tmp_path / "chrome-sandbox").chmod(0o4755)
    status = tmp_path / "proc/self/status"
    status.parent.mkdir(parents=True)
    status.write_text(f"CapBnd:\t{bounds}\nNoNewPrivs:\t{no_new}\n")

    assert probe_sandbox(tmp_path / "chrome", tmp_path).has_helper is counts
