"""What an error of a file system means to an order: trouble of its own, or that nothing can be staged now.

An own processor opens files and connections wherever it likes, and what refuses those says nothing of our storage. So
an error counts as ours that names a place of ours, and any other that could be ours only if our own folder refuses too.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import anyio.to_thread

from poolwright.domain.outcomes import Reason
from poolwright.domain.storage import STORAGE_REASONS, StorageTrouble, trouble_of
from poolwright.domain.tasks import Report
from poolwright.worker.errors import first_line

_WHAT: Mapping[StorageTrouble, str] = MappingProxyType(
    {
        StorageTrouble.FULL: "The disk of the output folder is full",
        StorageTrouble.AWAY: "The disk of the output folder does not answer",
        StorageTrouble.FORBIDDEN: "The staging folder is not writable",
        StorageTrouble.OTHER: "A file could not be read or written",
    }
)
#: What a processor's own connection may raise; a share that is away raises the same.
_OF_CONNECTIONS = (ConnectionError, socket.gaierror)


async def report_of(error: OSError, folder: Path, page_url: str) -> Report:
    """How an attempt ended that a file system refused something.

    Args:
        error: What was raised.
        folder: Where this worker stages all its orders.
        page_url: Where the page was then.
    """
    trouble, told = await anyio.to_thread.run_sync(_judged, error, folder, abandon_on_cancel=True)
    if trouble is StorageTrouble.OTHER and isinstance(error, _OF_CONNECTIONS) and error.filename is None:
        return Report(reason=Reason.PROCESSOR_ERROR, detail=first_line(error), page_url=page_url)
    return Report(reason=STORAGE_REASONS[trouble], detail=f"{_WHAT[trouble]} ({first_line(told)}).", page_url=page_url)


def _judged(error: OSError, folder: Path) -> tuple[StorageTrouble, OSError]:
    """Whether no order can be staged now, and by which error. Blocking."""
    trouble = trouble_of(error)
    # a small file may still have room where a large one had none
    if trouble in {StorageTrouble.FULL, StorageTrouble.OTHER} or _is_within(error, folder):
        return trouble, error
    refused = _refusal(folder)
    if refused is None or not trouble_of(refused).may_pass:
        return StorageTrouble.OTHER, error
    return trouble_of(refused), refused


def _is_within(error: OSError, folder: Path) -> bool:
    named = error.filename
    return isinstance(named, str | bytes) and Path(os.fsdecode(named)).is_relative_to(folder)


def _refusal(folder: Path) -> OSError | None:
    """Why a folder takes no file now; nothing when it does."""
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0")
            probe.flush()
    except OSError as error:
        return error
    return None
