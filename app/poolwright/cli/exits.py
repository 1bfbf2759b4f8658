"""Exit codes: the one table that turns an ending, an outcome or an error into a number that other programs rely on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

from poolwright.domain.errors import LoginRequiredError, OptionsError, PoolError, ProfileError
from poolwright.domain.outcomes import Outcome
from poolwright.intake.errors import InputRefusedError
from poolwright.portal.errors import PackError
from poolwright.service.batch import BatchEnding, BatchSummary


class Exit(IntEnum):
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
MEANINGS: Mapping[Exit, str] = MappingProxyType(
    {
        Exit.DONE: "every order is done",
        Exit.NOT_ALL_DONE: "some orders are not done; the report says which and why",
        Exit.USAGE: "wrong usage or configuration",
        Exit.INPUT: "the list of orders was refused",
        Exit.LOGIN: "the portal requires a login",
        Exit.PROFILE: "the profile is missing, in use or damaged",
        Exit.RESOURCES: "no browser, no workers, no memory or no disk space left",
        Exit.STOPPED: "stopped before all orders were done; start it again to continue",
        Exit.NO_REPORT: "the orders were processed, but the report could not be written; start it again to write it",
    }
)

#: What there is nothing left to do about.
DONE_OUTCOMES = frozenset({Outcome.COMPLETED, Outcome.NO_ATTACHMENTS})

_OF_ENDING: Mapping[BatchEnding, Exit] = MappingProxyType(
    {
        BatchEnding.STOPPED: Exit.STOPPED,
        BatchEnding.LOGIN_REQUIRED: Exit.LOGIN,
        BatchEnding.PROFILE_DAMAGED: Exit.PROFILE,
        BatchEnding.NO_WORKERS: Exit.RESOURCES,
        BatchEnding.MEMORY_SHORT: Exit.RESOURCES,
        BatchEnding.SETUP_FAILED: Exit.RESOURCES,
    }
)
#: First match counts; what stands nowhere is a lack of something that the run needs.
_OF_ERROR: tuple[tuple[type[PoolError], Exit], ...] = (
    (OptionsError, Exit.USAGE),
    (PackError, Exit.USAGE),
    (InputRefusedError, Exit.INPUT),
    (LoginRequiredError, Exit.LOGIN),
    (ProfileError, Exit.PROFILE),
    (PoolError, Exit.RESOURCES),
)


def exit_of_summary(summary: BatchSummary) -> Exit:
    """What a batch that came to its end says to the caller."""
    if summary.ending in _OF_ENDING:
        return _OF_ENDING[summary.ending]
    if summary.left_count:
        return Exit.STOPPED
    if summary.report_problem:
        return Exit.NO_REPORT
    undone_count = sum(count for outcome, count in summary.outcomes.items() if outcome not in DONE_OUTCOMES)
    return Exit.NOT_ALL_DONE if undone_count or summary.invalid_count else Exit.DONE


def exit_of_ending(ending: BatchEnding) -> Exit:
    """What an ending alone says."""
    return _OF_ENDING.get(ending, Exit.DONE)


def exit_of_error(error: PoolError) -> Exit:
    """What an error that stands before a run, or ends it, says to the caller."""
    return next(code for kind, code in _OF_ERROR if isinstance(error, kind))
