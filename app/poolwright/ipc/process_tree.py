"""Finds, kills and reaps every process that a worker started, also those that left it.

They are known by descent, by the sessions of their worker and its browser, by the user-data folder on the command
line, and by the temporary folder in the environment: no other process has these. So is a helper of a browser that is
gone. Blocking, all of it.

On Linux this process inherits strays (``adopt_orphans``), so that none of them stays a zombie where the first process
of the system asks for no exit codes.
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
#: What a browser starts its helpers with.
_HELPER_MARK = "--type="
#: Why a process is not seen: it is gone, it is another user's, or we have no descriptor left to read of it with.
UNREADABLE = (psutil.Error, OSError)


class ProcessTree:
    """The processes that one worker started, as far as scans have seen them. Thread-safe."""

    def __init__(self, pid: int, *folders: Path) -> None:
        """Of the worker with this process id, which leads a session of its own and alone uses ``folders``."""
        self.pid = pid
        self._folders = folders
        self._members: frozenset[psutil.Process] = frozenset()
        self._sessions = {pid}
        self._scanning = threading.Lock()

    def scan(self) -> frozenset[psutil.Process]:
        """Remember the worker and all below it, as they are now, and their sessions: a browser has one of its own.

        Returns:
            All that were ever seen and whose exit code is not taken yet. Whoever lives for weeks may look as often as
            it likes: those that are gone are forgotten.
        """
        with self._scanning, contextlib.suppress(*UNREADABLE):
            worker = psutil.Process(self.pid)
            seen = self._members | {worker, *worker.children(recursive=True)} | self._adopted()
            self._members = frozenset(process for process in seen if process.is_running())
            own = session_of(
                psutil.Process()
            )  # of a member that did not begin its own yet: all that we started is in it
            self._sessions = {self.pid, *filter(None, map(session_of, self._members))} - {own}
        return self._members

    def descendants(self) -> set[psutil.Process]:
        """All that were seen, every process that uses the folders, and the orphans; as many as can be seen now."""
        return find_by_folder(*self._folders) | self.orphans() | self._members

    def orphans(self) -> set[psutil.Process]:
        """Those that we inherited because their parent is gone; the last ones come when theirs is killed."""
        with contextlib.suppress(*UNREADABLE):
            ours = {process for process in psutil.Process().children() if process.pid != self.pid}
            return {process for process in ours if session_of(process) in self._sessions or is_orphaned_helper(process)}
        return set()

    def _adopted(self) -> set[psutil.Process]:
        """Those that left the worker and are ours by now.

        A crash handler leaves its browser at once, with a session of its own; others when their parent ends.
        """
        ours = psutil.Process().children()
        return {one for one in ours if session_of(one) in self._sessions or _uses_folder(one, *self._folders)}


def session_of(process: psutil.Process) -> int | None:
    """The session id of a process; None on Windows, if it is gone, or if its session is not visible here.

    In a container that has process numbers of its own, all that was started in it from outside is of session 0 (see
    ``getsid(2)`` and ``pid_namespaces(7)``): that one tells nothing about who belongs together.
    """
    if sys.platform == "win32":
        return None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        return os.getsid(process.pid) or None
    return None


def is_orphaned_helper(process: psutil.Process) -> bool:
    """Whether a process is a helper (such as a renderer) of a browser that has ended.

    It shows no folder, and ends by itself unless it is frozen. A browser leads the session of its helpers, which tells
    of them also where nobody looked while it was there.
    """
    leader = session_of(process)
    if leader is None or leader == session_of(psutil.Process()) or _is_running(leader):
        return False
    with contextlib.suppress(*UNREADABLE):
        return any(part.startswith(_HELPER_MARK) for part in process.cmdline())
    return False


def _is_running(pid: int) -> bool:
    """Whether more of a process is left than its exit code, as far as anybody can tell."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except UNREADABLE:
        return True


def find_by_folder(*folders: Path) -> set[psutil.Process]:
    """Every process whose profile or temporary folder is one of these or lies in one, and that can be seen."""
    with contextlib.suppress(*UNREADABLE):
        return {process for process in psutil.process_iter() if _uses_folder(process, *folders)}
    return set()


def _uses_folder(process: psutil.Process, *folders: Path) -> bool:
    return any(_lies_in(place, folder) for place in _named_folders(process) for folder in folders)


def _named_folders(process: psutil.Process) -> Iterator[str]:
    """The folders that a process names. A sandboxed browser may hide its environment and still show its arguments."""
    with contextlib.suppress(*UNREADABLE):
        yield from (part.removeprefix(_PROFILE_MARK) for part in process.cmdline() if part.startswith(_PROFILE_MARK))
    with contextlib.suppress(*UNREADABLE):
        yield process.environ().get("TMPDIR", "")


def _lies_in(place: str, folder: Path) -> bool:
    return Path(os.path.normpath(place)).is_relative_to(folder)


#: Killed processes are gone within milliseconds, unless the kernel is stuck in a disk.
KILL_LIMIT_S = 5.0
#: psutil cannot wait for a process that stays a zombie, so it is looked at again so often.
_POLL_S = 0.05
#: From ``linux/prctl.h``.
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of whatever our children leave behind; holds for the rest of this process's life."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def kill_tree(family: ProcessTree, limit_s: float = KILL_LIMIT_S) -> None:
    """Kill and reap a worker and every process that it started; waits at most ``limit_s``. Blocking."""
    strays = family.descendants()
    give_up = time.monotonic() + limit_s
    is_first = True
    while strays and (is_first or time.monotonic() < give_up):
        is_first = False
        _kill(strays, limit_s)
        _reap(process for process in strays if process.pid != family.pid)  # the worker's own code is asked for
        strays = family.orphans()
    _reap(_orphaned_zombies())


def kill_by_folder(folder: Path) -> None:
    """Kill every browser and driver that still uses the folder of an ended run. Blocking."""
    strays = find_by_folder(folder)
    _kill(strays)
    _reap(strays)


def _kill(processes: Collection[psutil.Process], limit_s: float = KILL_LIMIT_S) -> None:
    for process in processes:
        with contextlib.suppress(*UNREADABLE):
            process.kill()  # psutil refuses when the number is another's by now
    give_up = time.monotonic() + limit_s
    while (left := {process for process in processes if not _is_gone(process)}) and time.monotonic() < give_up:
        try:
            psutil.wait_procs(left, timeout=_POLL_S)
        except OSError:  # no descriptor is left to wait with; who was killed goes all the same
            return


def _reap(processes: Iterable[psutil.Process]) -> None:
    """Take the exit codes of those that are dead and ours; nobody else waits for these."""
    if sys.platform == "win32":
        return
    for process in processes:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)


def _orphaned_zombies() -> set[psutil.Process]:
    """Zombies of ours that we cannot have started: a child is of our session or leads one, and these do neither.

    A worker that dies before anybody looked leaves such ones.
    """
    own = None if sys.platform == "win32" else os.getsid(0)
    with contextlib.suppress(*UNREADABLE):
        children = {process for process in psutil.Process().children() if _is_gone(process)}
        return {process for process in children if session_of(process) not in {None, own, process.pid}}
    return set()


def _is_gone(process: psutil.Process) -> bool:
    """Also when only its exit code is left: whoever inherited an orphan may never ask for that."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
    except OSError:
        return False
