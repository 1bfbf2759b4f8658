"""How the process ends: the one table of exit codes, and the forced exit when a shutdown hangs.

Everything that ends in order has a limit of its own. This needs none of it: no event loop, no lock, no disk. What it
cuts short is as after a power cut, and the next start takes it up.
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

from poolwright.domain.errors import LoginRequiredError, OptionsError, PoolError, ProfileError
from poolwright.domain.outcomes import Outcome
from poolwright.intake.errors import InputRefusedError
from poolwright.portal.errors import PackError
from poolwright.service.batch import BatchEnding, BatchSummary


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    NOT_ALL_DONE = 1
    USAGE = 2
    INPUT = 3
    LOGIN = 4
    PROFILE = 5
    RESOURCES = 6
    STOPPED = 7
    # 8 is kept for a deadline that a run may be given.
    NO_REPORT = 9


#: In words, for the help and the documentation.
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
    }
)

#: What there is nothing left to do about.
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
#: First match counts; what stands nowhere is a lack of something that the run needs.
_BY_ERROR: tuple[tuple[type[PoolError], ExitCode], ...] = (
    (OptionsError, ExitCode.USAGE),
    (PackError, ExitCode.USAGE),
    (InputRefusedError, ExitCode.INPUT),
    (LoginRequiredError, ExitCode.LOGIN),
    (ProfileError, ExitCode.PROFILE),
    (PoolError, ExitCode.RESOURCES),
)


def exit_code_of_summary(summary: BatchSummary) -> ExitCode:
    """What a batch that came to its end says to the caller."""
    if summary.ending in _BY_ENDING:
        return _BY_ENDING[summary.ending]
    if summary.left_count:
        return ExitCode.STOPPED
    if summary.report_problem:
        return ExitCode.NO_REPORT
    undone_count = sum(count for outcome, count in summary.outcomes.items() if outcome not in DONE_OUTCOMES)
    return ExitCode.NOT_ALL_DONE if undone_count or summary.invalid_count else ExitCode.DONE


def exit_code_of_ending(ending: BatchEnding) -> ExitCode:
    """What an ending alone says."""
    return _BY_ENDING.get(ending, ExitCode.DONE)


def exit_code_of_error(error: PoolError) -> ExitCode:
    """What an error that stands before a run, or ends it, says to the caller."""
    return next(code for kind, code in _BY_ERROR if isinstance(error, kind))


#: On top of what orders in flight may take: the reading of what came of them, and the report.
EXTRA_TIME_S = 25.0
#: Threads that are done with their work end by themselves; the program waits so long for them.
THREAD_WAIT_S = 3.0
_STDERR = 2
_MESSAGE = (
    b"poolwright: forced exit: a disk, a network share or a process did not respond within the time limit. "
    b"The next start continues with the rest.\n"
)


@contextlib.contextmanager
def forced_exit(limit_s: float) -> Generator[Callable[[], None]]:
    """Ready as long as the block lasts: from when what this yields is called, the program has so long for its end."""
    timer = threading.Timer(limit_s, _force_exit)
    timer.daemon = True
    try:
        yield timer.start
    finally:
        timer.cancel()


def exit_process(code: int) -> None:
    """End the program although threads hang; where none does, this returns, for the usual way."""
    by_s = time.monotonic() + THREAD_WAIT_S
    for thread in _blocking_threads():
        thread.join(max(0.0, by_s - time.monotonic()))
    if _blocking_threads():
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _blocking_threads() -> list[threading.Thread]:
    """Threads that the interpreter would wait for without end."""
    return [one for one in threading.enumerate() if one is not threading.main_thread() and not one.daemon]


def _force_exit() -> NoReturn:
    with contextlib.suppress(OSError):
        os.write(_STDERR, _MESSAGE)
    os._exit(ExitCode.STOPPED)
