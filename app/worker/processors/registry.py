"""Finds the processor that a pool names: one of ours, or a function of the user's own modules.

Own modules are imported here, in the worker process, and nowhere else.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Mapping, Sequence
from types import MappingProxyType, ModuleType
from typing import cast

from loguru import logger

from app.worker.errors import CannotProcessError, first_line
from app.worker.processors import po_attachments
from app.worker.processors.protocol import Processor

SHIPPED: Mapping[str, Processor] = MappingProxyType({"po_attachments": po_attachments.process})


def find(name: str, import_path: Sequence[str] = ()) -> Processor:
    """Find a processor: one of ``SHIPPED`` by its name, or ``module:function``.

    Args:
        name: As the options have it.
        import_path: Folders in which modules are looked for first. The current folder is none of them.

    Raises:
        CannotProcessError: There is none of this name, its module cannot be imported, or it is no processor.
    """
    if name in SHIPPED:
        return SHIPPED[name]
    module_name, colon, function_name = name.partition(":")
    if not (module_name and colon and function_name):
        ours = ", ".join(SHIPPED)
        raise CannotProcessError(f"There is no processor {name!r}; name one of your own as module:function, or {ours}.")
    sys.path[:0] = import_path
    module = _imported(name, module_name, import_path)
    if not hasattr(module, function_name):
        raise CannotProcessError(f"There is no processor {name!r}: {module.__file__} has no {function_name}.")
    return _accepted(name, getattr(module, function_name))


def _imported(name: str, module_name: str, import_path: Sequence[str]) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a module of somebody else's may do anything while it is imported
        if not (isinstance(error, ModuleNotFoundError) and error.name == module_name):
            logger.opt(exception=error).error("the module {} cannot be imported", module_name)
        places = ", ".join(import_path) or "no folder (import_path is empty)"
        raise CannotProcessError(
            f"The processor {name!r} cannot be imported ({type(error).__name__}: {first_line(error)}); "
            f"looked in {places} and among the installed packages."
        ) from error


def _accepted(name: str, found: object) -> Processor:
    """Make sure that it can be called as one; whether it gives back a report shows later."""
    if not callable(found) or not (
        inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(type(found).__call__)
    ):
        raise CannotProcessError(f"{name!r} is no processor: it must be an async function (async def).")
    try:
        inspect.signature(found).bind("tab", "task")
    except TypeError as error:
        raise CannotProcessError(f"{name!r} is no processor: it must take (tab, task), and no more.") from error
    return cast("Processor", found)
