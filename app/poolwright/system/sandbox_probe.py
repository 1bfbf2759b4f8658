"""Probes in a short-lived child process whether this machine allows Chromium's sandbox.

The child makes the same steps as the sandbox, since entering a namespace cannot be undone, and prints the refused one.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from poolwright import interpreter
from poolwright.system.container import Container, find_container


class RefusedStep(StrEnum):
    """The step of the sandbox that the system refuses. The probe's child prints these values."""

    #: Making a user namespace.
    NAMESPACE = "namespace"
    #: Making a user namespace, because their number is limited.
    NAMESPACE_COUNT = "namespace-count"
    #: Changing the root within the namespace.
    CHROOT = "chroot"
    #: The child printed no step.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFacts:
    """The facts of this machine that decide about the sandbox."""

    is_linux: bool
    is_root: bool
    #: ``None`` if a process may make a user namespace and change its root within it.
    refused: RefusedStep | None
    #: Whether the setuid helper is installed beside the browser, and may become root.
    has_helper: bool
    #: ``None`` outside of a container.
    container: Container | None = None
    #: Whether the capability SYS_CHROOT is available; container engines use it to allow that step.
    has_chroot: bool = True
    #: The system setting that undoes a ban of namespaces for ordinary users; empty if there is no ban.
    setting: str = ""


#: From ``linux/sched.h``.
CLONE_NEWUSER = 0x10000000
#: Bits of capability sets, from ``linux/capability.h``.
CAP_SYS_CHROOT, CAP_SYS_ADMIN = 18, 21
#: The vendors' names of the setuid helper; it is beside the browser's program.
HELPER_NAMES = ("chrome-sandbox", "chrome_sandbox", "msedge-sandbox")
#: Folders of programs whose start script is on PATH.
BEHIND_SCRIPTS = (Path("/usr/lib/chromium"), Path("/usr/lib64/chromium-browser"))
PROBE_LIMIT_S = 10.0
#: Settings that forbid namespaces to ordinary users: the file, its forbidding value, and the setting that undoes it.
_SETTINGS = (
    ("apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    ("unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
)


def probe_sandbox(browser: Path, root: Path = Path("/")) -> SandboxFacts:
    """Read the facts of this machine. Blocking, a tenth of a second.

    Args:
        browser: The browser's program: its helper may stand beside it.
        root: The top folder of the system, ``/`` but in tests.
    """
    is_linux = sys.platform.startswith("linux")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    bounds = _capability_bounds(root)
    may_rise = bool(bounds >> CAP_SYS_ADMIN & 1) and _status(root, "NoNewPrivs") != "1"
    return SandboxFacts(
        is_linux=is_linux,
        is_root=is_root,
        refused=_refused_to_child() if is_linux and not is_root else None,
        has_helper=is_linux and may_rise and has_helper(browser.resolve().parent, *BEHIND_SCRIPTS),
        container=find_container(root) if is_linux else None,
        has_chroot=bool(bounds >> CAP_SYS_CHROOT & 1),
        setting=find_setting(root),
    )


def find_setting(root: Path) -> str:
    """Return the setting that undoes a ban of namespaces for ordinary users; empty if there is no ban.

    Args:
        root: The top folder of the system.
    """
    for name, forbids, undone in _SETTINGS:
        try:
            if (root / "proc/sys/kernel" / name).read_text(encoding="ascii").strip() == forbids:
                return undone
        except OSError:
            continue
    return ""


def has_helper(*folders: Path) -> bool:
    """Whether one of the folders has a helper that belongs to root and runs as root."""
    return any(_is_helper(folder / name) for folder in folders for name in HELPER_NAMES)


def parse_child_result(code: int, output: str) -> RefusedStep | None:
    """Return the refused step by the child's exit code and first word; ``None`` if all steps succeeded."""
    if code == 0:
        return None
    word = output.split(" ", 1)[0]
    return RefusedStep(word) if word in set(RefusedStep) else RefusedStep.UNKNOWN


def try_sandbox() -> tuple[RefusedStep, OSError] | None:
    """Make a user namespace and change the root in it, as Chromium's sandbox does. Only for a process that then ends.

    Returns:
        The step that was refused and the error; ``None`` if all steps succeeded.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER):
        code = ctypes.get_errno()
        step = RefusedStep.NAMESPACE_COUNT if code == errno.ENOSPC else RefusedStep.NAMESPACE
        return step, OSError(code, os.strerror(code))
    try:
        os.chroot("/")
    except OSError as error:
        return RefusedStep.CHROOT, error
    return None


def _refused_to_child() -> RefusedStep | None:
    command = [*interpreter.python_command(), "-m", __name__]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_LIMIT_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return RefusedStep.UNKNOWN
    return parse_child_result(result.returncode, result.stderr)


def _is_helper(path: Path) -> bool:
    try:
        status = path.stat()
    except OSError:
        return False
    return bool(status.st_mode & stat.S_ISUID) and status.st_uid == 0


def _capability_bounds(root: Path) -> int:
    """Return the capability bounding set; all capabilities if it is unknown."""
    mask = _status(root, "CapBnd")
    return int(mask, 16) if mask else -1


def _status(root: Path, name: str) -> str:
    try:
        lines = (root / "proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:")), "")


if __name__ == "__main__":
    refusal = try_sandbox()
    if refusal is not None:
        sys.exit(f"{refusal[0]} {refusal[1]}")
