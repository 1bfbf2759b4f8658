"""Starts the Python processes of this program quickly.

What is kept out of the imports, and the command line of a child process.

What only some starts need is imported where it is first used, with a comment that says why; a room's ``__init__`` loads
nothing that it need not. Libraries load more than we use of them: that is kept out here, for processes that are ours
alone. ``tests/process/test_imports.py`` holds for every entry what it may not load.
"""

from __future__ import annotations

import gc
import os
import sys
from types import ModuleType
from typing import cast

#: A command line that httpx brings along for itself, with rich, click and pygments: a quarter of what a worker imports.
_KEPT_OUT = ("httpx._main",)
#: pydantic looks through every installed package for plugins otherwise. Who needs them sets this to nothing.
_PLUGINS, _NONE = "PYDANTIC_DISABLE_PLUGINS", "__all__"
#: Has a Python write names of files in UTF-8, whatever the locale says.
IN_UTF8 = ("-X", "utf8")
#: Variables of the environment that were set here. Programs that are not ours do not inherit them.
own_variables: set[str] = set()


def prepare_imports() -> None:
    """Speed up the imports of this process: call it before heavy imports, and ``finish_imports`` after them."""
    # Nothing that is loaded is garbage, so looking for some while it grows finds none and costs a tenth of a start.
    gc.disable()
    if _PLUGINS not in os.environ:  # noqa: TID251 - a library asks there, and it is no setting of ours
        os.environ[_PLUGINS] = _NONE  # noqa: TID251
        own_variables.add(_PLUGINS)
    # None in its place: Python says that there is no such module, which httpx takes for a system without a terminal.
    sys.modules.update(cast("dict[str, ModuleType]", dict.fromkeys(_KEPT_OUT)))


def python_command() -> list[str]:
    """The beginning of the command line of a child process, with the same file name encoding as this one.

    No module of the current folder stands in the place of another there.
    """
    return [sys.executable, "-P", *(IN_UTF8 if sys.flags.utf8_mode else ())]


def finish_imports() -> None:
    """Turn garbage collection on again, without what is loaded so far; no effect without ``prepare_imports``."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
