"""Whether Chromium's own sandbox can be on here: ``auto`` becomes ``on`` or ``off`` before a worker is told.

On Linux the sandbox needs user namespaces, or the browser's setuid helper, and a user who is not root. Containers and
some distributions forbid the namespaces. It is never turned off in silence: ``why`` is there to be shown.
``choose_sandbox`` decides; ``probe`` looks; run as a program, this module is the probe's own short-lived child.
"""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from app.domain.options import Sandbox

#: From ``linux/sched.h``.
CLONE_NEWUSER = 0x10000000
#: The setuid helper by the names that vendors give it; it stands beside the browser's program.
HELPER_NAMES = ("chrome-sandbox", "chrome_sandbox", "msedge-sandbox")
#: Where the program stands whose start script is on PATH.
BEHIND_SCRIPTS = (Path("/usr/lib/chromium"), Path("/usr/lib64/chromium-browser"))
PROBE_LIMIT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxFacts:
    """What decides about the sandbox."""

    is_linux: bool
    is_root: bool
    #: A process may make a user namespace and change its root in there.
    has_namespaces: bool
    #: The setuid helper stands beside the browser.
    has_helper: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxChoice:
    """The sandbox as a worker is told, and why."""

    #: ``on`` or ``off``.
    mode: Sandbox
    why: str


def choose_sandbox(asked: Sandbox, facts: SandboxFacts) -> SandboxChoice:
    """Turn ``auto`` into ``on`` or ``off``; what was asked for plainly stays."""
    if asked is not Sandbox.AUTO:
        return SandboxChoice(mode=asked, why="as asked")
    if not facts.is_linux:
        return SandboxChoice(mode=Sandbox.ON, why="this system always allows it")
    if facts.is_root:
        return SandboxChoice(mode=Sandbox.OFF, why="Chromium refuses its sandbox to root; run as an ordinary user")
    if facts.has_namespaces or facts.has_helper:
        return SandboxChoice(mode=Sandbox.ON, why="this system allows it")
    return SandboxChoice(
        mode=Sandbox.OFF,
        why="this system allows no user namespaces; allow them (in a container: by its seccomp profile)",
    )


def resolve_sandbox(asked: Sandbox, browser: Path) -> SandboxChoice:
    """The sandbox on this machine for this browser."""
    if asked is not Sandbox.AUTO:
        return SandboxChoice(mode=asked, why="as asked")
    return choose_sandbox(asked, probe(browser))


def probe(browser: Path) -> SandboxFacts:
    """Look at this machine. Starts a child of its own, since entering a namespace cannot be undone."""
    is_linux = sys.platform.startswith("linux")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return SandboxFacts(
        is_linux=is_linux,
        is_root=is_root,
        has_namespaces=is_linux and not is_root and _child_enters_namespace(),
        has_helper=is_linux and has_helper(browser.resolve().parent, *BEHIND_SCRIPTS),
    )


def _child_enters_namespace() -> bool:
    command = [sys.executable, "-P", "-m", "app.service.sandbox"]  # -P: no module of the current folder stands in
    try:
        return subprocess.run(command, capture_output=True, timeout=PROBE_LIMIT_S, check=False).returncode == 0
    except (OSError, subprocess.SubprocessError):
        return False


def has_helper(*folders: Path) -> bool:
    """Whether one of the folders holds a helper that belongs to root and runs as root."""
    return any(_is_helper(folder / name) for folder in folders for name in HELPER_NAMES)


def _is_helper(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return bool(found.st_mode & stat.S_ISUID) and found.st_uid == 0


def enter_namespace() -> None:
    """Make a user namespace and change the root in it, as Chromium's sandbox does. For a process that ends then.

    Raises:
        OSError: The system forbids it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER):
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    os.chroot("/")


if __name__ == "__main__":
    try:
        enter_namespace()
    except OSError as refused:
        sys.exit(str(refused))
