"""Finds, kills and reaps every process that a worker started, also those that have detached from it.

They are recognized by descent, by the sessions of the worker and its browser, by the user-data folder on the command
line, and by the temporary folder in the environment: no other process has these. A helper of an ended browser is
recognized too. All functions block.

On Linux this process inherits orphans (``adopt_orphans``), so that none of them stays a zombie on systems whose first
process reaps no children.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import psutil

_PROFILE_MARK = "--user-data-dir="
#: An argument with which a browser starts its helpers.
_HELPER_MARK = "--type="
#: Errors of an unreadable process: it has ended, belongs to another user, or no descriptor is left to read it.
UNREADABLE = (psutil.Error, OSError)


class ProcessTree:
    """The processes that one worker started, as far as scans have found them. Thread-safe."""

    def __init__(self, pid: int, *folders: Path) -> None:
        """Take the pid of a worker that leads a session of its own, and the ``folders`` that only this worker uses."""
        self.pid = pid
        self._folders = folders
        self._members: frozenset[psutil.Process] = frozenset()
        self._sessions = {pid}
        self._scanning = threading.Lock()

    def scan(self) -> frozenset[psutil.Process]:
        """Record the worker and its descendants, and their sessions: a browser has a session of its own.

        Returns:
            All recorded processes that still exist. Ended ones are dropped, so that a long-lived worker needs no more
            memory.
        """
        with self._scanning, contextlib.suppress(*UNREADABLE):
            worker = psutil.Process(self.pid)
            processes = self._members | {worker, *worker.children(recursive=True)} | self._adopted()
            self._members = frozenset(process for process in processes if process.is_running())
            # A member that has not begun its own session yet is in ours, which all our children are in.
            own = session_of(psutil.Process())
            self._sessions = {self.pid, *filter(None, map(session_of, self._members))} - {own}
        return self._members

    def descendants(self) -> set[psutil.Process]:
        """Return all recorded processes, every process that uses the folders, and the orphans."""
        return find_by_folder(*self._folders) | self.orphans() | self._members

    def orphans(self) -> set[psutil.Process]:
        """Return the inherited processes whose parent ended; further ones appear while parents are killed."""
        with contextlib.suppress(*UNREADABLE):
            children = {process for process in psutil.Process().children() if process.pid != self.pid}
            return {child for child in children if session_of(child) in self._sessions or is_orphaned_helper(child)}
        return set()

    def _adopted(self) -> set[psutil.Process]:
        """Return the processes that have detached from the worker and are our children now.

        A crash handler detaches from its browser at once, with a session of its own; others when their parent ends.
        """
        children = psutil.Process().children()
        return {
            child for child in children if session_of(child) in self._sessions or _uses_folder(child, *self._folders)
        }


def session_of(process: psutil.Process) -> int | None:
    """Return the session id of a process; ``None`` on Windows, if it has ended, or if its session is not visible here.

    In a container with its own pid namespace, every process that was started from outside has session 0 (see
    ``getsid(2)`` and ``pid_namespaces(7)``): that id does not show which processes belong together.
    """
    if sys.platform == "win32":
        return None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        return os.getsid(process.pid) or None
    return None


def is_orphaned_helper(process: psutil.Process) -> bool:
    """Whether a process is a helper (such as a renderer) of a browser that has ended.

    A helper has no folder on its command line, and ends by itself unless it is frozen. A browser leads the session of
    its helpers, so they are recognized even if no scan found them while the browser ran.
    """
    leader = session_of(process)
    if leader is None or leader == session_of(psutil.Process()) or _is_running(leader):
        return False
    with contextlib.suppress(*UNREADABLE):
        return any(part.startswith(_HELPER_MARK) for part in process.cmdline())
    return False


def _is_running(pid: int) -> bool:
    """Whether a process exists and is no zombie; true as well if that cannot be read."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except UNREADABLE:
        return True


def find_by_folder(*folders: Path) -> set[psutil.Process]:
    """Return every readable process whose profile or temporary folder is one of these folders or below one."""
    with contextlib.suppress(*UNREADABLE):
        return {process for process in psutil.process_iter() if _uses_folder(process, *folders)}
    return set()


def _uses_folder(process: psutil.Process, *folders: Path) -> bool:
    return any(_is_below(path, folder) for path in _folders_of(process) for folder in folders)


def _folders_of(process: psutil.Process) -> Iterator[str]:
    """Yield a process's profile and temporary folder. A sandboxed browser may hide its environment alone."""
    with contextlib.suppress(*UNREADABLE):
        yield from (part.removeprefix(_PROFILE_MARK) for part in process.cmdline() if part.startswith(_PROFILE_MARK))
    with contextlib.suppress(*UNREADABLE):
        yield process.environ().get("TMPDIR", "")


def _is_below(path: str, folder: Path) -> bool:
    return Path(os.path.normpath(path)).is_relative_to(folder)


#: Killed processes end within milliseconds, unless the kernel waits for a disk.
KILL_LIMIT_S = 5.0
#: Interval of the checks for the end of a process: psutil cannot wait for a process that stays a zombie.
_POLL_S = 0.05
#: From ``linux/prctl.h``.
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of all orphans of our children, until this process ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def kill_tree(tree: ProcessTree, limit_s: float = KILL_LIMIT_S) -> None:
    """Kill and reap a worker and every process that it started; wait at most ``limit_s``. Blocking."""
    strays = tree.descendants()
    deadline = time.monotonic() + limit_s
    is_first = True
    while strays and (is_first or time.monotonic() < deadline):
        is_first = False
        _kill(strays, limit_s)
        _reap(process for process in strays if process.pid != tree.pid)  # its owner waits for the worker's exit code
        strays = tree.orphans()
    _reap(_orphaned_zombies())


def kill_by_folder(folder: Path) -> None:
    """Kill every browser and driver that still uses the folder of an ended run. Blocking."""
    strays = find_by_folder(folder)
    _kill(strays)
    _reap(strays)


def _kill(processes: Collection[psutil.Process], limit_s: float = KILL_LIMIT_S) -> None:
    for process in processes:
        with contextlib.suppress(*UNREADABLE):
            process.kill()  # psutil refuses if another process has the pid by now
    deadline = time.monotonic() + limit_s
    while (left := {process for process in processes if not _is_gone(process)}) and time.monotonic() < deadline:
        try:
            psutil.wait_procs(left, timeout=_POLL_S)
        except OSError:  # no descriptor is left to wait with; the killed processes end all the same
            return


def _reap(processes: Iterable[psutil.Process]) -> None:
    """Reap those of the processes that are dead children of ours; nothing else waits for them."""
    if sys.platform == "win32":
        return
    for process in processes:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)


def _orphaned_zombies() -> set[psutil.Process]:
    """Return zombies that we inherited: a child that we started is in our session or leads one, and these are not.

    A worker that crashes before the first scan leaves such zombies.
    """
    own = None if sys.platform == "win32" else os.getsid(0)
    with contextlib.suppress(*UNREADABLE):
        children = {process for process in psutil.Process().children() if _is_gone(process)}
        return {process for process in children if session_of(process) not in {None, own, process.pid}}
    return set()


def _is_gone(process: psutil.Process) -> bool:
    """Whether a process has ended; true for a zombie as well, because its new parent may never reap it."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
    except OSError:
        return False
