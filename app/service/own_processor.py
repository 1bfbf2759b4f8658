"""Tells worker processes where a function of the user's is: they import it themselves, by module and name. Pure."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from app.domain.failures import OptionsError
from app.domain.task import POTask, Report

#: ``async def function(tab, task) -> Report``; the tab is ``app.worker.tab.Tab``, which only workers import.
OwnProcessor: TypeAlias = Callable[[Any, POTask], Awaitable[Report]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A processor as workers are told of it."""

    #: A name of ours, or ``module:function``.
    name: str
    #: Folders in which its module is looked for first.
    import_path: tuple[str, ...] = ()


def locate(processor: OwnProcessor | str) -> Located:
    """Find out how a worker can import a processor.

    A function is imported from the file that it stands in, also when that is the script that runs now: what the script
    does of itself belongs under ``if __name__ == "__main__"``. A name is looked for beside the script.

    Raises:
        OptionsError: The function stands inside another one, in a class, or in no file.
    """
    if isinstance(processor, str):
        return Located(name=processor, import_path=(sys.path[0],) if sys.path and sys.path[0] else (str(Path.cwd()),))
    function = getattr(processor, "__qualname__", "")
    module = inspect.getmodule(processor)
    file = getattr(module, "__file__", None)
    if not function.isidentifier() or module is None or file is None:
        raise OptionsError(
            f"The processor {function or processor!r} cannot be imported by workers: it must be a function of a "
            "module, with a name of its own, not one made inside another function, a lambda or a method."
        )
    name = _module_name(module.__name__, getattr(module, "__spec__", None), Path(file))
    folder = Path(file).resolve().parents[name.count(".")]
    return Located(name=f"{name}:{function}", import_path=(str(folder),))


def _module_name(name: str, spec: object, file: Path) -> str:
    """The name by which others import it; the script that runs is called differently there."""
    if name != "__main__":
        return name
    return getattr(spec, "name", None) or file.stem
