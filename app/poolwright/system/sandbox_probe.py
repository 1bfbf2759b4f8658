"""Probes in a short-lived child process whether this machine allows Chromium's sandbox.

The child does what the sandbox does, since entering a namespace cannot be undone, and says which step was refused.
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
    """The step of the sandbox that the system refuses. The values travel from the probe's child."""

    #: To make a user namespace.
    NAMESPACE = "namespace"
    #: The same, since there may be no more of them.
    NAMESPACE_COUNT = "namespace-count"
    #: To change the root within the namespace.
    CHROOT = "chroot"
    #: The child did not say.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFacts:
    """What was found on this machine."""

    is_linux: bool
    is_root: bool
    #: Nothing where a process may make a user namespace and change its root in there.
    refused: RefusedStep | None
    #: The setuid helper stands beside the browser, and may become root.
    has_helper: bool
    #: Nothing outside of one.
    container: Container | None = None
    #: The capability SYS_CHROOT is within reach; container engines allow the step by it.
    has_chroot: bool = True
    #: The system's setting that forbids namespaces to ordinary users, where one is on; empty otherwise.
    setting: str = ""


#: From ``linux/sched.h``.
CLONE_NEWUSER = 0x10000000
#: Bits of capability sets, from ``linux/capability.h``.
CAP_SYS_CHROOT, CAP_SYS_ADMIN = 18, 21
#: The setuid helper by the names that vendors give it; it stands beside the browser's program.
HELPER_NAMES = ("chrome-sandbox", "chrome_sandbox", "msedge-sandbox")
#: Where the program stands whose start script is on PATH.
BEHIND_SCRIPTS = (Path("/usr/lib/chromium"), Path("/usr/lib64/chromium-browser"))
PROBE_LIMIT_S = 10.0
#: Settings that forbid namespaces to ordinary users: the file, what it says then, and what undoes it.
_SETTINGS = (
    ("apparmor_restrict_unprivileged_userns", "1", "kernel.apparmor_restrict_unprivileged_userns=0"),
    ("unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
)


def probe_sandbox(browser: Path, root: Path = Path("/")) -> SandboxFacts:
    """Look at this machine. Blocking, a tenth of a second.

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
    """What to set, where the system forbids namespaces to ordinary users by a setting; empty otherwise.

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
    """Whether one of the folders holds a helper that belongs to root and runs as root."""
    return any(_is_helper(folder / name) for folder in folders for name in HELPER_NAMES)


def parse_child_result(code: int, told: str) -> RefusedStep | None:
    """What the child found, by its exit code and its first word; nothing where all went well."""
    if code == 0:
        return None
    word = told.split(" ", 1)[0]
    return RefusedStep(word) if word in set(RefusedStep) else RefusedStep.UNKNOWN


def try_sandbox() -> tuple[RefusedStep, OSError] | None:
    """Make a user namespace and change the root in it, as Chromium's sandbox does. For a process that ends then.

    Returns:
        The step that was refused and the error; nothing where all went well.
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
        ended = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_LIMIT_S, check=False)
    except (OSError, subprocess.SubprocessError):
        return RefusedStep.UNKNOWN
    return parse_child_result(ended.returncode, ended.stderr)


def _is_helper(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return bool(found.st_mode & stat.S_ISUID) and found.st_uid == 0


def _capability_bounds(root: Path) -> int:
    """What a program may ever get; all of it where that is not told."""
    told = _status(root, "CapBnd")
    return int(told, 16) if told else -1


def _status(root: Path, name: str) -> str:
    try:
        lines = (root / "proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:")), "")


if __name__ == "__main__":
    found = try_sandbox()
    if found is not None:
        sys.exit(f"{found[0]} {found[1]}")
