"""Where the program begins: streams that can be used, and no traceback for whoever stops it while it is loading.

Nothing of weight is imported before that is settled, and nothing at all for who asks for the version alone.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module

from app import __version__, loading
from app.cli.streams import secure


def main() -> None:
    """Run the program; its exit code says how it went."""
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL) if _is_heard() else None
    secure()
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"poolwright {__version__}\n")  # as the command line says it among other words
        return
    loading.begin()
    program = import_module("app.cli.main")
    if usual is not None:
        signal.signal(signal.SIGINT, usual)
    try:
        program.main()
    except SystemExit as end:
        import_module("app.cli.last_resort").leave(end.code if isinstance(end.code, int) else int(end.code is not None))
        raise
    finally:
        # How it went is settled: the interpreter's own last steps are not cut short by a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _is_heard() -> bool:
    """Whether Ctrl+C means us: a shell gives what it starts in the background none."""
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler
