"""Quick starts and ends of this program's Python processes: skipped imports, the command line of a child, the exit.

What only some starts need is imported where it is first used, with a comment that gives the reason; the ``__init__`` of
a package loads as little as possible. Libraries load more than we use of them: ``prepare_imports`` skips that, in
processes that run this program alone. ``tests/process/test_imports.py`` lists what each entry point may not load.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
import threading
from types import ModuleType
from typing import NoReturn, cast

#: A command line that httpx brings along for itself, with rich, click and pygments: a quarter of what a worker imports.
_KEPT_OUT = ("httpx._main",)
#: Otherwise pydantic searches every installed package for plugins. To use them, set this variable to an empty text.
_PLUGINS, _ALL_PLUGINS = "PYDANTIC_DISABLE_PLUGINS", "__all__"
#: Makes Python write file names in UTF-8, whatever the locale is.
IN_UTF8 = ("-X", "utf8")
#: Environment variables that were set here. Other programs do not inherit them.
own_variables: set[str] = set()


def prepare_imports(*unused: str) -> None:
    """Speed up the imports of this process: call it before heavy imports, and ``finish_imports`` after them.

    Args:
        unused: Modules that libraries import where they are installed, for something that this process never does.
            They must not be given in a process that runs code of users, who may need them.
    """
    # Loaded modules are no garbage: searching for some while they load finds none and takes a tenth of the start.
    gc.disable()
    if _PLUGINS not in os.environ:  # noqa: TID251 - a library asks there, and it is no setting of ours
        os.environ[_PLUGINS] = _ALL_PLUGINS  # noqa: TID251
        own_variables.add(_PLUGINS)
    # With None, Python reports that the module does not exist, and the library does without it, as on many systems.
    sys.modules.update(cast("dict[str, ModuleType]", dict.fromkeys((*_KEPT_OUT, *unused))))


def python_command() -> list[str]:
    """Return the beginning of a child's command line, with the same file name encoding as this process.

    ``-P`` keeps modules of the current folder from replacing installed ones.
    """
    return [sys.executable, "-P", *(IN_UTF8 if sys.flags.utf8_mode else ())]


def finish_imports() -> None:
    """Turn garbage collection on again, without what is loaded so far; no effect without ``prepare_imports``."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def blocking_threads() -> list[threading.Thread]:
    """Return the threads for which the interpreter would wait at its end, without a limit."""
    threads = threading.enumerate()
    return [thread for thread in threads if thread is not threading.main_thread() and not thread.daemon]


def end_process(code: int) -> NoReturn:
    """End this process: run the exit handlers and write out what was printed.

    The interpreter's own way out then takes every module apart, some thousand of them, for a fifth of the processor
    time of a start. Call it only when no thread has to be waited for.

    Args:
        code: The exit code.
    """
    # As the interpreter does, also for handlers of a user's code.
    atexit._run_exitfuncs()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or lost with its reader
            stream.flush()
    os._exit(code)
