"""The registry of processors: finds and imports the processor that a pool names, and completes its reports.

A processor reports what only it can know: reason, detail, fields, missed files, and the time that the portal asks to
wait. The worker adds the files that the tab saved, the last address of the page, evidence and the duration. So a
processor can neither forget a file nor list one that does not exist.

Modules of users are imported here, in the worker process, and nowhere else.
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

#: The rest of a frame is for its other fields and for the evidence, which is added later.
REPORT_LIMIT_BYTES = FRAME_LIMIT_BYTES - 64 * 1024


@cache
def _report_adapter() -> TypeAdapter[Report]:
    return TypeAdapter(Report)  # built at the first report, so that a worker starts faster


class TabProcessor(Protocol):
    """The work on one task in one tab. A custom processor needs only the part of it in ``poolwright.sdk.Processor``."""

    async def __call__(self, tab: Tab, task: POTask, /) -> Report:
        """Do the work of one task in its tab; see ``poolwright.sdk.Processor``.

        Raises:
            CannotProcessError: The processor cannot work in this pool.
        """
        ...


def complete_report(returned: object, tab: Tab) -> Report:
    """Return the report of a processor, completed by the worker, as the supervisor will receive it.

    Raises:
        BadReportError: The value is not a report, or cannot be sent.
    """
    if not isinstance(returned, Report):
        raise BadReportError(f"The processor returned {type(returned).__name__} instead of a Report.")
    completed = dataclasses.replace(
        returned,
        files=tab.saved,
        page_url=returned.page_url or tab.page.url,
        evidence=(),
        page_evidence=tab.page_evidence,
    )
    try:
        text = well_formed(json.dumps(completed, default=_json_part, ensure_ascii=False))
        report = _report_adapter().validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise BadReportError(f"The processor's report cannot be used: {field}: {first['msg']}.") from error
    except (TypeError, ValueError) as error:
        raise BadReportError(f"The processor's report cannot be used: {error}.") from error
    size_bytes = len(text.encode())
    if size_bytes > REPORT_LIMIT_BYTES:
        raise BadReportError(f"The processor's report has {size_bytes:,} bytes; the limit is {REPORT_LIMIT_BYTES:,}.")
    return report


def _json_part(part: object) -> dict[str, object]:
    """Return a part of a report in a form that JSON can hold."""
    if isinstance(part, Report | FetchedFile | MissedFile):
        return {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
    if isinstance(part, Mapping):
        return {**part}
    raise TypeError(f"it holds {type(part).__name__}, which cannot be written as JSON")


#: The processor of portal orders.
PURCHASE_ORDERS: TabProcessor = purchase_orders.process
BUILT_IN_PROCESSORS: Mapping[str, TabProcessor] = MappingProxyType({PO_ATTACHMENTS: PURCHASE_ORDERS})


def load_processor(name: str, import_path: Sequence[str] = ()) -> TabProcessor:
    """Return a processor: one of ``BUILT_IN_PROCESSORS``, one of a package, or ``module:function``.

    Args:
        name: The name in the options.
        import_path: Folders that are searched first; the current folder is not searched.

    Raises:
        CannotProcessError: No processor or more than one has this name, its module cannot be imported, or the object
            is no processor.
    """
    if name in BUILT_IN_PROCESSORS:
        return BUILT_IN_PROCESSORS[name]
    sys.path[:0] = import_path
    try:
        processor = find_processor(name)
    except OptionsError as error:
        raise CannotProcessError(str(error)) from error
    match processor:
        case BuiltInProcessor():
            return BUILT_IN_PROCESSORS[processor.name]
        case PackageProcessor():
            return _checked(name, _from_package(processor))
        case ModuleProcessor():
            return _from_module(processor, import_path)


def _from_package(processor: PackageProcessor) -> object:
    """Return the object of an entry point."""
    try:
        return processor.entry.load()
    except (Exception, SystemExit) as error:  # a foreign package may raise anything while it is imported
        logger.opt(exception=error).error("the package {} cannot be imported", processor.package)
        raise CannotProcessError(
            f"The processor {processor.name!r} of the package {processor.package} cannot be imported from "
            f"{processor.entry.value} ({type(error).__name__}: {first_line(error)}); fix the package or remove it."
        ) from error


def _from_module(processor: ModuleProcessor, import_path: Sequence[str]) -> TabProcessor:
    module = _import_module(processor.name, processor.module, import_path)
    if not hasattr(module, processor.function):
        raise CannotProcessError(
            f"There is no processor {processor.name!r}: {module.__file__} has no {processor.function}."
        )
    return _checked(processor.name, getattr(module, processor.function))


def _import_module(name: str, module_name: str, import_path: Sequence[str]) -> ModuleType:
    try:
        return importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a foreign module may raise anything while it is imported
        if not (isinstance(error, ModuleNotFoundError) and error.name == module_name):
            logger.opt(exception=error).error("the module {} cannot be imported", module_name)
        folders = ", ".join(import_path) or "no folder (import_path is empty)"
        raise CannotProcessError(
            f"The processor {name!r} cannot be imported ({type(error).__name__}: {first_line(error)}); "
            f"looked in {folders} and among the installed packages."
        ) from error


def _checked(name: str, candidate: object) -> TabProcessor:
    """Return an object as a processor, after a check of its signature; its reports are checked later."""
    if not callable(candidate) or not (
        inspect.iscoroutinefunction(candidate) or inspect.iscoroutinefunction(type(candidate).__call__)
    ):
        raise CannotProcessError(f"{name!r} is not a processor: it must be an async function (async def).")
    try:
        inspect.signature(candidate).bind("tab", "task")
    except TypeError as error:
        raise CannotProcessError(f"{name!r} is not a processor: it must take exactly (tab, task).") from error
    return cast("TabProcessor", candidate)
