"""Where the program begins: streams that can be used, and no traceback for whoever stops it while it is loading.

Nothing of weight is imported before that is settled, and nothing at all for who asks for the version alone.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module

from poolwright import interpreter
from poolwright.cli.streams import secure_streams
from poolwright.version import __version__

#: What a umask may take away: the rights of others, and never our own.
_OTHERS_MASK = 0o077


def main() -> None:
    """Run the program; its exit code says how it went."""
    usual = signal.signal(signal.SIGINT, signal.SIG_DFL) if _receives_sigint() else None
    secure_streams()
    keep_owner_rights()
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"poolwright {__version__}\n")  # as the command line says it among other words
        return
    restart_in_utf8()
    interpreter.prepare_imports()
    program = import_module("poolwright.cli.main")
    if usual is not None:
        signal.signal(signal.SIGINT, usual)
    try:
        program.main()
    except SystemExit as end:
        import_module("poolwright.cli.process_exit").leave(
            end.code if isinstance(end.code, int) else int(end.code is not None)
        )
        raise
    finally:
        # How it went is settled: the interpreter's own last steps are not cut short by a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def keep_owner_rights() -> None:
    """Let us, and all that we start, use the files that we make, whatever the umask that we were started with."""
    os.umask(os.umask(_OTHERS_MASK) & _OTHERS_MASK)


def restart_in_utf8() -> None:
    """Begin anew, as the same process, where names of files could not hold every letter: suppliers have them all.

    How a Python writes names is settled before any line of it runs. It is said in the command and not in the
    environment: programs that are not ours would inherit that.
    """
    if sys.getfilesystemencoding() == "utf-8" or sys.flags.utf8_mode:
        return
    command = [sys.executable, *interpreter.IN_UTF8, *sys.orig_argv[1:]]
    os.execv(sys.executable, command)  # noqa: S606 - no shell, and our own command line


def _receives_sigint() -> bool:
    """Whether Ctrl+C means us: a shell gives what it starts in the background none."""
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler
