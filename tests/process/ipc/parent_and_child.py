"""A parent and its child, for a test that kills the parent.

Started as ``python -m tests.process.ipc.parent_and_child parent``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

if __name__ == "__main__":
    if sys.argv[1] == "parent":
        with subprocess.Popen([sys.executable, "-m", "tests.process.ipc.parent_and_child", "child"]):
            signal.pause()
    else:
        from poolwright.ipc.inherited_pipes import die_with_parent

        die_with_parent()
        os.write(1, f"{os.getpid()}\n".encode())
        signal.pause()
