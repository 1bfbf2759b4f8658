"""What a processor is to the worker, and what it may give back. Those who write one read ``poolwright.sdk``.

A processor tells what only it can know: reason, detail, fields, missed files, and how long the portal asks to wait.
The worker adds what it knows itself: the files that the tab saved, where the page ended, traces of a failure, the time
it took. So a processor can neither forget a file nor list one that is not there.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from functools import cache
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from poolwright.domain.tasks import FetchedFile, MissedFile, POTask, Report
from poolwright.files.names import well_formed
from poolwright.ipc.codec import FRAME_LIMIT_BYTES
from poolwright.worker.errors import BadReportError
from poolwright.worker.tab import Tab

#: A frame holds little beside its report; traces of a failure are still to be added.
REPORT_LIMIT_BYTES = FRAME_LIMIT_BYTES - 64 * 1024


@cache
def _reports() -> TypeAdapter[Report]:
    return TypeAdapter(Report)  # at the first report, and not when a worker starts


class Processor(Protocol):
    """One kind of work on one page: ours, which know all of a worker's tab, and those of others, which need less."""

    async def __call__(self, tab: Tab, task: POTask, /) -> Report:
        """Do the work of one task in its tab, as ``poolwright.sdk.Processor`` tells it.

        May also raise ``CannotProcessError``: it cannot work in this pool at all.
        """
        ...


def completed(told: object, tab: Tab) -> Report:
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
