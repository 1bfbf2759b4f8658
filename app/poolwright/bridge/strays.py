"""What a worker leaves behind, and how it is killed and reaped: a browser can outlive whoever started it.

On Linux this process inherits strays (``adopt_orphans``), so that none of them stays a zombie where the first process
of the system asks for no exit codes.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path

import psutil

from poolwright.bridge.family import UNSEEN, Family, marked, session

#: Killed processes are gone within milliseconds, unless the kernel is stuck in a disk.
KILL_LIMIT_S = 5.0
#: psutil cannot wait for a process that stays a zombie, so it is looked at again so often.
_LOOK_S = 0.05
#: From ``linux/prctl.h``.
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of whatever our children leave behind; holds for the rest of this process's life."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_family(family: Family, limit_s: float = KILL_LIMIT_S) -> None:
    """Kill and reap a worker and every process that it started; waits at most ``limit_s``. Blocking."""
    strays = family.strays()
    give_up = time.monotonic() + limit_s
    is_first = True
    while strays and (is_first or time.monotonic() < give_up):
        is_first = False
        _kill(strays, limit_s)
        _bury(process for process in strays if process.pid != family.pid)  # the worker's own code is asked for
        strays = family.orphans()
    _bury(_adopted_dead())


def end_strays(folder: Path) -> None:
    """Kill every browser and driver that still uses the folder of an ended run. Blocking."""
    strays = marked(folder)
    _kill(strays)
    _bury(strays)


def _kill(processes: Collection[psutil.Process], limit_s: float = KILL_LIMIT_S) -> None:
    for process in processes:
        with contextlib.suppress(*UNSEEN):
            process.kill()  # psutil refuses when the number is another's by now
    give_up = time.monotonic() + limit_s
    while (left := {process for process in processes if not _is_gone(process)}) and time.monotonic() < give_up:
        try:
            psutil.wait_procs(left, timeout=_LOOK_S)
        except OSError:  # no descriptor is left to wait with; who was killed goes all the same
            return


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
    with contextlib.suppress(*UNSEEN):
        children = {process for process in psutil.Process().children() if _is_gone(process)}
        return {process for process in children if session(process) not in {None, own, process.pid}}
    return set()


def _is_gone(process: psutil.Process) -> bool:
    """Also when only its exit code is left: whoever inherited an orphan may never ask for that."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
    except OSError:
        return False
