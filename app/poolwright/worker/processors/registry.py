"""The processors: what one is to the worker, and how the one that a pool names is found.

A processor tells what only it can know: reason, detail, fields, missed files, and how long the portal asks to wait.
The worker adds what it knows itself: the files that the tab saved, where the page ended, traces of a failure, the time
it took. So a processor can neither forget a file nor list one that is not there.

Own modules are imported here, in the worker process, and nowhere else.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Protocol, cast

from loguru import logger
from pydantic import TypeAdapter, ValidationError

from poolwright.domain.errors import OptionsError
from poolwright.domain.tasks import FetchedFile, MissedFile, POTask, Report
from poolwright.files.names import well_formed
from poolwright.ipc.codec import FRAME_LIMIT_BYTES
from poolwright.sdk.discovery import PO_ATTACHMENTS, BuiltInProcessor, ModuleProcessor, PackageProcessor, find_processor
from poolwright.worker.errors import BadReportError, CannotProcessError, first_line
from poolwright.worker.processors import purchase_orders
from poolwright.worker.tab import Tab

#: A frame holds little beside its report; traces of a failure are still to be added.
REPORT_LIMIT_BYTES = FRAME_LIMIT_BYTES - 64 * 1024


@cache
def _reports() -> TypeAdapter[Report]:
    return TypeAdapter(Report)  # at the first report, and not when a worker starts


class TabProcessor(Protocol):
    """One kind of work on one page: ours, which know all of a worker's tab, and those of others, which need less."""

    async def __call__(self, tab: Tab, task: POTask, /) -> Report:
        """Do the work of one task in its tab, as ``poolwright.sdk.Processor`` tells it.

        May also raise ``CannotProcessError``: it cannot work in this pool at all.
        """
        ...


def complete_report(told: object, tab: Tab) -> Report:
    """What a processor gave back, with what the worker knows, as it will arrive at the supervisor.

    Raises:
        BadReportError: It is no report, or none that can travel.
    """
    if not isinstance(told, Report):
        raise BadReportError(f"The processor returned {type(told).__name__} instead of a Report.")
    whole = dataclasses.replace(told, files=tab.saved, page_url=told.page_url or tab.page.url, evidence=())
    try:
        text = well_formed(json.dumps(whole, default=_plain, ensure_ascii=False))
        report = _reports().validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise BadReportError(f"The processor's report cannot be used: {place}: {first['msg']}.") from error
    except (TypeError, ValueError) as error:
        raise BadReportError(f"The processor's report cannot be used: {error}.") from error
    size_bytes = len(text.encode())
    if size_bytes > REPORT_LIMIT_BYTES:
        raise BadReportError(f"The processor's report has {size_bytes:,} bytes; the limit is {REPORT_LIMIT_BYTES:,}.")
    return report


def _plain(part: object) -> dict[str, object]:
    """A part of a report as JSON can write it."""
    if isinstance(part, Report | FetchedFile | MissedFile):
        return {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
    if isinstance(part, Mapping):
        return {**part}
    raise TypeError(f"it holds {type(part).__name__}, which cannot be written as JSON")


BUILT_IN_PROCESSORS: Mapping[str, TabProcessor] = MappingProxyType({PO_ATTACHMENTS: purchase_orders.process})


def load_processor(name: str, import_path: Sequence[str] = ()) -> TabProcessor:
    """Find a processor: one of ``SHIPPED``, one that a package offers, or ``module:function``.

    Args:
        name: As the options have it.
        import_path: Folders in which modules are looked for first. The current folder is none of them.

    Raises:
        CannotProcessError: There is none of this name or more than one, its module cannot be imported, or it is no
            processor.
    """
    if name in BUILT_IN_PROCESSORS:
        return BUILT_IN_PROCESSORS[name]
    sys.path[:0] = import_path
    try:
        meant = find_processor(name)
    except OptionsError as error:
        raise CannotProcessError(str(error)) from error
    match meant:
        case BuiltInProcessor():
            return BUILT_IN_PROCESSORS[meant.name]
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


def _of_module(own: ModuleProcessor, import_path: Sequence[str]) -> TabProcessor:
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


def _accepted(name: str, found: object) -> TabProcessor:
    """Make sure that it can be called as one; whether it gives back a report shows later."""
    if not callable(found) or not (
        inspect.iscoroutinefunction(found) or inspect.iscoroutinefunction(type(found).__call__)
    ):
        raise CannotProcessError(f"{name!r} is not a processor: it must be an async function (async def).")
    try:
        inspect.signature(found).bind("tab", "task")
    except TypeError as error:
        raise CannotProcessError(f"{name!r} is not a processor: it must take exactly (tab, task).") from error
    return cast("TabProcessor", found)
