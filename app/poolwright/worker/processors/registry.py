"""Finds the processor that a pool names: one of ours, of an installed package, or of the user's own modules.

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

from poolwright.domain.errors import OptionsError
from poolwright.sdk.discovery import PO_ATTACHMENTS, BuiltInProcessor, ModuleProcessor, PackageProcessor, find_processor
from poolwright.worker.errors import CannotProcessError, first_line
from poolwright.worker.processors import po_attachments
from poolwright.worker.processors.protocol import Processor

SHIPPED: Mapping[str, Processor] = MappingProxyType({PO_ATTACHMENTS: po_attachments.process})


def find(name: str, import_path: Sequence[str] = ()) -> Processor:
    """Find a processor: one of ``SHIPPED``, one that a package offers, or ``module:function``.

    Args:
        name: As the options have it.
        import_path: Folders in which modules are looked for first. The current folder is none of them.

    Raises:
        CannotProcessError: There is none of this name or more than one, its module cannot be imported, or it is no
            processor.
    """
    if name in SHIPPED:
        return SHIPPED[name]
    sys.path[:0] = import_path
    try:
        meant = find_processor(name)
    except OptionsError as error:
        raise CannotProcessError(str(error)) from error
    match meant:
        case BuiltInProcessor():
            return SHIPPED[meant.name]
        case PackageProcessor():
            return _accepted(name, _loaded(meant))
        case ModuleProcessor():
            return _of_module(meant, import_path)


def _loaded(offered: PackageProcessor) -> object:
    """What an entry point stands for."""
    try:
        return offered.entry.load()
    except (Exception, SystemExit) as error:  # a package of somebody else's may do anything while it is imported
        logger.opt(exception=error).error("the package {} cannot be imported", offered.package)
        raise CannotProcessError(
            f"The processor {offered.name!r} of the package {offered.package} cannot be imported from "
            f"{offered.entry.value} ({type(error).__name__}: {first_line(error)}); fix the package or remove it."
        ) from error


def _of_module(own: ModuleProcessor, import_path: Sequence[str]) -> Processor:
    module = _imported(own.name, own.module, import_path)
    if not hasattr(module, own.function):
        raise CannotProcessError(f"There is no processor {own.name!r}: {module.__file__} has no {own.function}.")
    return _accepted(own.name, getattr(module, own.function))


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
        raise CannotProcessError(f"{name!r} is not a processor: it must be an async function (async def).")
    try:
        inspect.signature(found).bind("tab", "task")
    except TypeError as error:
        raise CannotProcessError(f"{name!r} is not a processor: it must take exactly (tab, task).") from error
    return cast("Processor", found)
