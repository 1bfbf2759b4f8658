"""The entry point: safe standard streams, and no traceback if the program is stopped while it is loading.

Large modules are imported only after that, and not at all for ``--version``.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module

from poolwright import interpreter
from poolwright.cli.streams import secure_streams
from poolwright.version import __version__

#: What openpyxl imports where it is installed, in more time than itself, for numpy's numbers and for pictures.
_UNUSED = ("numpy", "PIL")
#: A umask may remove permissions of group and others only, not of the owner.
_OTHERS_MASK = 0o077


def main() -> None:
    """Run the program and exit with its exit code."""
    sigint_handler = signal.signal(signal.SIGINT, signal.SIG_DFL) if _receives_sigint() else None
    secure_streams()
    keep_owner_rights()
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"poolwright {__version__}\n")  # the same text as in cli.main
        return
    restart_in_utf8()
    interpreter.prepare_imports(*_UNUSED)
    program = import_module("poolwright.cli.main")
    if sigint_handler is not None:
        signal.signal(signal.SIGINT, sigint_handler)
    try:
        program.main()
    except SystemExit as end:
        # The exit code is known: Ctrl+C during the last steps must not print a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        import_module("poolwright.cli.process_exit").exit_process(code)
        interpreter.end_process(code)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def keep_owner_rights() -> None:
    """Make the umask keep the owner's permissions, so that this program and its children can use their own files."""
    os.umask(os.umask(_OTHERS_MASK) & _OTHERS_MASK)


def restart_in_utf8() -> None:
    """Restart this process in UTF-8 mode if file names could not contain every character.

    Python sets the encoding of file names at its start. The mode is an option of the command, not a variable of the
    environment, which other programs would inherit.
    """
    if sys.getfilesystemencoding() == "utf-8" or sys.flags.utf8_mode:
        return
    command = [sys.executable, *interpreter.IN_UTF8, *sys.orig_argv[1:]]
    os.execv(sys.executable, command)  # noqa: S606 - no shell, and the same command line


def _receives_sigint() -> bool:
    """Return whether Ctrl+C reaches this process: a shell makes background processes ignore SIGINT."""
    return signal.getsignal(signal.SIGINT) is signal.default_int_handler
