"""The border of a worker process: whatever ends it becomes an exit code and a line in the log."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import IntEnum

import anyio
from loguru import logger

from poolwright.domain.ids import WorkerRef
from poolwright.ipc.channel import Channel
from poolwright.ipc.messages import ToWorker
from poolwright.worker import loop
from poolwright.worker.errors import SessionBrokenError, first_line


class Exit(IntEnum):
    """Exit codes, for the log alone: the supervisor judges by what was said on the link."""

    IN_ORDER = 0
    BROWSER_GONE = 3
    SUPERVISOR_GONE = 4
    DEFECT = 70


async def serve(link: Channel[ToWorker], worker: WorkerRef, pid: int) -> int:
    """Run the worker; return the exit code of the process."""
    logger.remove()
    logger.add(sys.stderr, format="{level} {message}", level="INFO", diagnose=False)
    code = Exit.IN_ORDER
    try:
        async with link:
            await loop.run(link, worker, pid, lambda: datetime.now(UTC))  # noqa: TID251 - the clock
    except* (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
        logger.warning("worker {} ends: the supervisor is gone", worker)
        code = Exit.SUPERVISOR_GONE
    except* SessionBrokenError as group:
        logger.warning("worker {} ends: {}", worker, first_line(group.exceptions[0]))
        code = Exit.BROWSER_GONE
    except* Exception:  # the process's border  # noqa: BLE001
        logger.exception("worker {} ends because of an unexpected error", worker)
        code = Exit.DEFECT
    return code
