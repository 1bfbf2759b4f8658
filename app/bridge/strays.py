"""What a worker leaves behind, and how it is found, killed and reaped: a browser can outlive whoever started it.

Strays are known by descent, by the sessions of their worker and its browser, by the user-data folder on the command
line, and by the temporary folder in the environment: no other process has these. On Linux this process inherits them
(``adopt_orphans``), so that none of them stays a zombie where the first process of the system asks for no exit codes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import psutil

#: Killed processes are gone within milliseconds, unless the kernel is stuck in a disk.
KILL_LIMIT_S = 5.0
#: psutil cannot wait for a process that stays a zombie, so it is looked at again so often.
_LOOK_S = 0.05
_PROFILE_MARK = "--user-data-dir="
#: From ``linux/prctl.h``.
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of whatever our children leave behind; holds for the rest of this process's life."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Family:
    """The processes that one worker started, as far as they were seen. Blocking."""

    def __init__(self, pid: int, *folders: Path) -> None:
        """Of the worker with this process id, which leads a session of its own and alone uses ``folders``."""
        self._pid = pid
        self._folders = folders
        self._members: set[psutil.Process] = set()
        self._sessions = {pid}

    def look(self) -> None:
        """Remember the worker and all below it, as they are now, and their sessions: a browser has one of its own."""
        with contextlib.suppress(psutil.Error):
            worker = psutil.Process(self._pid)
            # A crash handler leaves its browser at once, with a session of its own; by then it is ours.
            handlers = {process for process in psutil.Process().children() if _is_marked(process, *self._folders)}
            seen = {worker, *worker.children(recursive=True), *handlers}
            self._members |= seen
            self._sessions |= {session for process in seen if (session := _session(process)) is not None}

    def end(self) -> None:
        """Kill and bury what is left of the family, and every process that uses its folders."""
        strays = self._members | _marked(*self._folders) | self._orphans()
        give_up = time.monotonic() + KILL_LIMIT_S
        while strays and time.monotonic() < give_up:
            _kill(strays)
            _bury(process for process in strays if process.pid != self._pid)  # the worker's own code is asked for
            strays = self._orphans()
        _bury(_adopted_dead())

    def _orphans(self) -> set[psutil.Process]:
        """Those that we inherited because their parent is gone; the last ones come when theirs is killed."""
        ours = psutil.Process().children()
        return {process for process in ours if process.pid != self._pid and _session(process) in self._sessions}


def end_strays(folder: Path) -> None:
    """Kill every browser and driver that still uses a folder of a dead run. Blocking."""
    strays = _marked(folder)
    _kill(strays)
    _bury(strays)


def _kill(processes: Collection[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()  # psutil refuses when the number is another's by now
    give_up = time.monotonic() + KILL_LIMIT_S
    while (left := {process for process in processes if not _is_gone(process)}) and time.monotonic() < give_up:
        psutil.wait_procs(left, timeout=_LOOK_S)


def _bury(processes: Iterable[psutil.Process]) -> None:
    """Take the exit codes of those that are dead and ours; nobody else waits for these."""
    if sys.platform == "win32":
        return
    for process in processes:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(process.pid, os.WNOHANG)


def _adopted_dead() -> set[psutil.Process]:
    """Zombies of ours that we cannot have started: a child is of our session or leads one, and these do neither.

    A worker that dies before anybody looked leaves such ones.
    """
    own = None if sys.platform == "win32" else os.getsid(0)
    children = {process for process in psutil.Process().children() if _is_gone(process)}
    return {process for process in children if _session(process) not in {None, own, process.pid}}


def _is_gone(process: psutil.Process) -> bool:
    """Also when only its exit code is left: whoever inherited an orphan may never ask for that."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def _session(process: psutil.Process) -> int | None:
    if sys.platform == "win32":
        return None
    with contextlib.suppress(ProcessLookupError, PermissionError):
        return os.getsid(process.pid)
    return None


def _marked(*folders: Path) -> set[psutil.Process]:
    return {process for process in psutil.process_iter() if _is_marked(process, *folders)}


def _is_marked(process: psutil.Process, *folders: Path) -> bool:
    """Whether its profile or temporary folder is one of these or lies in one."""
    return any(_lies_in(place, folder) for place in _marks(process) for folder in folders)


def _marks(process: psutil.Process) -> Iterator[str]:
    """The folders that a process names. A sandboxed browser may hide its environment and still show its arguments."""
    with contextlib.suppress(psutil.Error):
        yield from (part.removeprefix(_PROFILE_MARK) for part in process.cmdline() if part.startswith(_PROFILE_MARK))
    with contextlib.suppress(psutil.Error):
        yield process.environ().get("TMPDIR", "")


def _lies_in(place: str, folder: Path) -> bool:
    return Path(os.path.normpath(place)).is_relative_to(folder)
