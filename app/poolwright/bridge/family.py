"""Who belongs to a worker: which processes it started, also when they left it. Looks, and ends nobody.

They are known by descent, by the sessions of their worker and its browser, by the user-data folder on the command
line, and by the temporary folder in the environment: no other process has these. So is a helper of a browser that is
gone. Blocking, all of it.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

_PROFILE_MARK = "--user-data-dir="
#: What a browser starts its helpers with.
_HELPER_MARK = "--type="
#: Why a process is not seen: it is gone, it is another user's, or we have no descriptor left to read of it with.
UNSEEN = (psutil.Error, OSError)


class Family:
    """The processes that one worker started, as far as scans have seen them. Thread-safe."""

    def __init__(self, pid: int, *folders: Path) -> None:
        """Of the worker with this process id, which leads a session of its own and alone uses ``folders``."""
        self.pid = pid
        self._folders = folders
        self._members: frozenset[psutil.Process] = frozenset()
        self._sessions = {pid}
        self._looking = threading.Lock()

    def look(self) -> frozenset[psutil.Process]:
        """Remember the worker and all below it, as they are now, and their sessions: a browser has one of its own.

        Returns:
            All that were ever seen and whose exit code is not taken yet. Whoever lives for weeks may look as often as
            it likes: those that are gone are forgotten.
        """
        with self._looking, contextlib.suppress(*UNSEEN):
            worker = psutil.Process(self.pid)
            seen = self._members | {worker, *worker.children(recursive=True)} | self._adopted()
            self._members = frozenset(process for process in seen if process.is_running())
            own = session(psutil.Process())  # of a member that did not begin its own yet: all that we started is in it
            self._sessions = {self.pid, *filter(None, map(session, self._members))} - {own}
        return self._members

    def strays(self) -> set[psutil.Process]:
        """All that were seen, every process that uses the folders, and the orphans; as many as can be seen now."""
        return marked(*self._folders) | self.orphans() | self._members

    def orphans(self) -> set[psutil.Process]:
        """Those that we inherited because their parent is gone; the last ones come when theirs is killed."""
        with contextlib.suppress(*UNSEEN):
            ours = {process for process in psutil.Process().children() if process.pid != self.pid}
            return {process for process in ours if session(process) in self._sessions or is_bereft(process)}
        return set()

    def _adopted(self) -> set[psutil.Process]:
        """Those that left the worker and are ours by now.

        A crash handler leaves its browser at once, with a session of its own; others when their parent ends.
        """
        ours = psutil.Process().children()
        return {one for one in ours if session(one) in self._sessions or _is_marked(one, *self._folders)}


def session(process: psutil.Process) -> int | None:
    """The session id of a process; None on Windows, if it is gone, or if its session is not visible here.

    In a container that has process numbers of its own, all that was started in it from outside is of session 0 (see
    ``getsid(2)`` and ``pid_namespaces(7)``): that one tells nothing about who belongs together.
    """
    if sys.platform == "win32":
        return None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        return os.getsid(process.pid) or None
    return None


def is_bereft(process: psutil.Process) -> bool:
    """Whether a process is a helper (such as a renderer) of a browser that has ended.

    It shows no folder, and ends by itself unless it is frozen. A browser leads the session of its helpers, which tells
    of them also where nobody looked while it was there.
    """
    leader = session(process)
    if leader is None or leader == session(psutil.Process()) or _is_there(leader):
        return False
    with contextlib.suppress(*UNSEEN):
        return any(part.startswith(_HELPER_MARK) for part in process.cmdline())
    return False


def _is_there(pid: int) -> bool:
    """Whether more of a process is left than its exit code, as far as anybody can tell."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except UNSEEN:
        return True


def marked(*folders: Path) -> set[psutil.Process]:
    """Every process whose profile or temporary folder is one of these or lies in one, and that can be seen."""
    with contextlib.suppress(*UNSEEN):
        return {process for process in psutil.process_iter() if _is_marked(process, *folders)}
    return set()


def _is_marked(process: psutil.Process, *folders: Path) -> bool:
    return any(_lies_in(place, folder) for place in _marks(process) for folder in folders)


def _marks(process: psutil.Process) -> Iterator[str]:
    """The folders that a process names. A sandboxed browser may hide its environment and still show its arguments."""
    with contextlib.suppress(*UNSEEN):
        yield from (part.removeprefix(_PROFILE_MARK) for part in process.cmdline() if part.startswith(_PROFILE_MARK))
    with contextlib.suppress(*UNSEEN):
        yield process.environ().get("TMPDIR", "")


def _lies_in(place: str, folder: Path) -> bool:
    return Path(os.path.normpath(place)).is_relative_to(folder)
