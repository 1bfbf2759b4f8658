"""The end of the process: the table of exit codes, and the forced exit when a shutdown hangs.

Every step of an orderly shutdown has its own time limit. The forced exit depends on none of them: it needs no event
loop, no lock and no disk. It leaves the state of a power failure, and the next start continues from there.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import NoReturn

from poolwright import interpreter
from poolwright.domain.errors import LoginRequiredError, OptionsError, PoolError, ProfileError
from poolwright.domain.outcomes import Outcome
from poolwright.intake.errors import InputRefusedError
from poolwright.portal.errors import PackError
from poolwright.service.batch import BatchEnding, BatchSummary


class ExitCode(IntEnum):
    """Exit codes of all commands."""

    DONE = 0
    NOT_ALL_DONE = 1
    USAGE = 2
    INPUT = 3
    LOGIN = 4
    PROFILE = 5
    RESOURCES = 6
    STOPPED = 7
    # 8 is reserved for a deadline of a run.
    NO_REPORT = 9
    NOT_WHOLE = 10


#: Meanings for the help and the documentation.
EXIT_CODE_MEANINGS: Mapping[ExitCode, str] = MappingProxyType(
    {
        ExitCode.DONE: "every order is done",
        ExitCode.NOT_ALL_DONE: "some orders are not done; the report says which and why",
        ExitCode.USAGE: "wrong usage or configuration",
        ExitCode.INPUT: "the list of orders was refused",
        ExitCode.LOGIN: "the portal requires a login",
        ExitCode.PROFILE: "the profile is missing, in use or damaged",
        ExitCode.RESOURCES: "no browser, no workers, no memory or no disk space left",
        ExitCode.STOPPED: "stopped before all orders were done; start it again to continue",
        ExitCode.NO_REPORT: "the report of the processed orders could not be written; start it again to write it",
        ExitCode.NOT_WHOLE: "verify found that an output folder is not as it was filed",
    }
)

#: Outcomes of orders that are done.
DONE_OUTCOMES = frozenset({Outcome.COMPLETED, Outcome.NO_ATTACHMENTS})

_BY_ENDING: Mapping[BatchEnding, ExitCode] = MappingProxyType(
    {
        BatchEnding.STOPPED: ExitCode.STOPPED,
        BatchEnding.LOGIN_REQUIRED: ExitCode.LOGIN,
        BatchEnding.PROFILE_DAMAGED: ExitCode.PROFILE,
        BatchEnding.NO_WORKERS: ExitCode.RESOURCES,
        BatchEnding.MEMORY_SHORT: ExitCode.RESOURCES,
        BatchEnding.SETUP_FAILED: ExitCode.RESOURCES,
    }
)
#: The first match counts; the last entry matches every error.
_BY_ERROR: tuple[tuple[type[PoolError], ExitCode], ...] = (
    (OptionsError, ExitCode.USAGE),
    (PackError, ExitCode.USAGE),
    (InputRefusedError, ExitCode.INPUT),
    (LoginRequiredError, ExitCode.LOGIN),
    (ProfileError, ExitCode.PROFILE),
    (PoolError, ExitCode.RESOURCES),
)


def exit_code_of_summary(summary: BatchSummary) -> ExitCode:
    """Return the exit code of a finished batch."""
    if summary.ending in _BY_ENDING:
        return _BY_ENDING[summary.ending]
    if summary.left_count:
        return ExitCode.STOPPED
    if summary.report_problem:
        return ExitCode.NO_REPORT
    undone_count = sum(count for outcome, count in summary.outcomes.items() if outcome not in DONE_OUTCOMES)
    return ExitCode.NOT_ALL_DONE if undone_count or summary.invalid_count else ExitCode.DONE


def exit_code_of_ending(ending: BatchEnding) -> ExitCode:
    """Return the exit code of an ending."""
    return _BY_ENDING.get(ending, ExitCode.DONE)


def exit_code_of_error(error: PoolError) -> ExitCode:
    """Return the exit code of an error before or during a run."""
    return next(code for kind, code in _BY_ERROR if isinstance(error, kind))


#: In addition to the time for orders in progress: for reading the outcomes and for the report.
EXTRA_TIME_S = 25.0
#: Time to wait for threads that are ending.
THREAD_WAIT_S = 3.0
_STDERR = 2
_MESSAGE = (
    b"poolwright: forced exit: a disk, a network share or a process did not respond within the time limit. "
    b"The next start continues with the rest.\n"
)


@contextlib.contextmanager
def forced_exit(limit_s: float) -> Generator[Callable[[], None]]:
    """Yield a function that starts the time limit; the program is ended if the block then takes longer."""
    timer = threading.Timer(limit_s, _force_exit)
    timer.daemon = True
    try:
        yield timer.start
    finally:
        timer.cancel()


def exit_process(code: int) -> None:
    """End the program if threads hang; return if none does."""
    deadline_s = time.monotonic() + THREAD_WAIT_S
    for thread in interpreter.blocking_threads():
        thread.join(max(0.0, deadline_s - time.monotonic()))
    if interpreter.blocking_threads():
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _force_exit() -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(_STDERR, _MESSAGE)
    os._exit(ExitCode.STOPPED)
