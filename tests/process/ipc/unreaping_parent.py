"""A program whose first process never asks for the exit codes of orphans, as in a container without an init.

``python -m tests.process.ipc.unreaping_parent FOLDER`` is that first process. In it a supervisor sweeps FOLDER, with
more patience than the test has; orphans that it kills stay zombies.
"""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

from poolwright.ipc import process_tree

_PR_SET_CHILD_SUBREAPER = 36
_SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]
_LEAVE = f"import subprocess; subprocess.Popen({_SLEEPER!r}, start_new_session=True)"


def sweep(folder: Path) -> None:
    """Orphan a process that has the folder for its temporary files, and kill it."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", _LEAVE], env={"TMPDIR": str(folder)}, check=True)
    process_tree.KILL_LIMIT_S = 600.0
    process_tree.kill_by_folder(folder)


if __name__ == "__main__":
    if sys.argv[2:] == ["sweep"]:
        sweep(Path(sys.argv[1]))
    else:
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
        subprocess.run([sys.executable, "-m", "tests.process.ipc.unreaping_parent", sys.argv[1], "sweep"], check=True)
