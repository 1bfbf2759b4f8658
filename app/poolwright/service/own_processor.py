"""Tells worker processes where a function of the user's is: they import it themselves, by module and name. Pure."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from poolwright.domain.errors import OptionsError
from poolwright.sdk import Processor
from poolwright.sdk.discovery import ModuleProcessor, find_processor


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """How workers import a processor."""

    #: A name of ours, or ``module:function``.
    name: str
    #: Folders in which its module is looked for first.
    import_path: tuple[str, ...] = ()


def locate(processor: Processor | str) -> Located:
    """Find how a worker can import a processor.

    A function is imported from the file that it stands in, also when that is the script that runs now: what the script
    does of itself belongs under ``if __name__ == "__main__"``. A name is looked for beside the script.

    Raises:
        OptionsError: The function stands inside another one, in a class, or in no file. Or nothing has this name, or
            more than one package has it, or its module is nowhere.
    """
    if isinstance(processor, str):
        return locate_name(processor, (sys.path[0],) if sys.path and sys.path[0] else (str(Path.cwd()),))
    function = getattr(processor, "__qualname__", "")
    module = inspect.getmodule(processor)
    file = getattr(module, "__file__", None)
    if not function.isidentifier() or module is None or file is None:
        raise OptionsError(
            f"The processor {function or processor!r} cannot be imported by workers: it must be a function of a "
            "module at its top level, not a nested function, a lambda or a method."
        )
    name = _module_name(module.__name__, getattr(module, "__spec__", None), Path(file))
    folder = Path(file).resolve().parents[name.count(".")]
    return Located(name=f"{name}:{function}", import_path=(str(folder),))


def locate_name(name: str, import_path: tuple[str, ...]) -> Located:
    """Resolve a processor name without importing the module it names.

    Raises:
        OptionsError: Nothing has this name, or more than one package has it, or its module is nowhere.
    """
    meant = find_processor(name)
    if isinstance(meant, ModuleProcessor) and not _is_there(meant.outermost, import_path):
        raise OptionsError(
            f"There is no processor {name!r}: no module {meant.outermost} is in {', '.join(import_path)}, "
            "and no package of that name is installed."
        )
    return Located(name=name, import_path=import_path)


def _is_there(module: str, import_path: Sequence[str]) -> bool:
    """Return whether a top-level module can be found; submodules cannot be checked without importing the parent."""
    if PathFinder.find_spec(module, import_path) is not None:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # it is loaded, and was not found in the way of a module: the script that runs
        return True


def _module_name(name: str, spec: object, file: Path) -> str:
    """Return the name under which other processes import the module; the running script is ``__main__`` here."""
    if name != "__main__":
        return name
    return getattr(spec, "name", None) or file.stem
