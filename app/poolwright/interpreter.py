"""Quick starts of this program's Python processes: skipped imports, and the command line of a child process.

What only some starts need is imported where it is first used, with a comment that gives the reason; the ``__init__`` of
a package loads as little as possible. Libraries load more than we use of them: ``prepare_imports`` skips that, in
processes that run this program alone. ``tests/process/test_imports.py`` lists what each entry point may not load.
"""

from __future__ import annotations

import gc
import os
import sys
from types import ModuleType
from typing import cast

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
