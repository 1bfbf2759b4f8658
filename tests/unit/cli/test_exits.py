"""Exit codes: every ending, outcome and error has the one number that callers rely on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.cli.exits import MEANINGS, Exit, exit_of_error, exit_of_summary
from poolwright.domain.errors import LoginRequiredError, OptionsError, PoolError, ProfileError, SetupError
from poolwright.domain.outcomes import Outcome
from poolwright.domain.ports import Accepted
from poolwright.intake.errors import InputRefusedError
from poolwright.journal.errors import JournalBusyError, JournalError
from poolwright.portal.pack import PackError
from poolwright.profile.errors import NoRoomError, ProfileInUseError
from poolwright.service.batch import BatchEnding, BatchSummary


def ended(
    ending: BatchEnding = BatchEnding.FINISHED, *, invalid_count: int = 0, left_count: int = 0, **outcomes: int
) -> BatchSummary:
    return BatchSummary(
        ending=ending,
        accepted=Accepted(new_count=1, waiting_count=0, done_count=0),
        outcomes={Outcome(name): count for name, count in outcomes.items()},
        invalid_count=invalid_count,
        left_count=left_count,
    )


@pytest.mark.parametrize(
    ("summary", "code"),
    [
        (ended(), Exit.DONE),
        (ended(COMPLETED=38, NO_ATTACHMENTS=2), Exit.DONE),
        (ended(COMPLETED=1, PARTIAL=1), Exit.NOT_ALL_DONE),
        (ended(COMPLETED=1, NOT_FOUND=1), Exit.NOT_ALL_DONE),
        (ended(FORBIDDEN=1), Exit.NOT_ALL_DONE),
        (ended(FAILED=1), Exit.NOT_ALL_DONE),
        (ended(QUARANTINED=1), Exit.NOT_ALL_DONE),
        (ended(CANCELLED=1), Exit.NOT_ALL_DONE),
        (ended(INVALID=1), Exit.NOT_ALL_DONE),
        (ended(COMPLETED=5, invalid_count=1), Exit.NOT_ALL_DONE),
        (ended(COMPLETED=5, FAILED=0), Exit.DONE),
        (ended(BatchEnding.LOGIN_REQUIRED, left_count=4), Exit.LOGIN),
        (ended(BatchEnding.PROFILE_DAMAGED, left_count=4), Exit.PROFILE),
        (ended(BatchEnding.NO_WORKERS, FAILED=4), Exit.RESOURCES),
        (ended(BatchEnding.SETUP_FAILED, left_count=4), Exit.RESOURCES),
        (ended(BatchEnding.STOPPED, left_count=4, FAILED=1), Exit.STOPPED),
        (ended(BatchEnding.STOPPED, COMPLETED=4), Exit.STOPPED),
        (ended(BatchEnding.STOPPED, FAILED=4), Exit.STOPPED),
        (replace(ended(COMPLETED=4), report_problem="x"), Exit.NO_REPORT),
        (replace(ended(COMPLETED=4, FAILED=1), report_problem="x"), Exit.NO_REPORT),
        (replace(ended(BatchEnding.LOGIN_REQUIRED, left_count=4), report_problem="x"), Exit.LOGIN),
        (replace(ended(left_count=4), report_problem="x"), Exit.STOPPED),
    ],
)
def test_endings(summary: BatchSummary, code: Exit) -> None:
    assert exit_of_summary(summary) is code


@pytest.mark.parametrize("ending", BatchEnding)
def test_every_ending_has_a_code(ending: BatchEnding) -> None:
    assert exit_of_summary(ended(ending)) in MEANINGS


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_either_done_or_not(outcome: Outcome) -> None:
    is_done = outcome in {Outcome.COMPLETED, Outcome.NO_ATTACHMENTS}

    assert exit_of_summary(replace(ended(), outcomes={outcome: 1})) is (Exit.DONE if is_done else Exit.NOT_ALL_DONE)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OptionsError("x"), Exit.USAGE),
        (PackError("x", ("y",)), Exit.USAGE),
        (InputRefusedError("x"), Exit.INPUT),
        (LoginRequiredError("x"), Exit.LOGIN),
        (ProfileError("x"), Exit.PROFILE),
        (ProfileInUseError("x"), Exit.PROFILE),
        (SetupError("x"), Exit.RESOURCES),
        (NoRoomError("x"), Exit.RESOURCES),
        (JournalError("x"), Exit.RESOURCES),
        (JournalBusyError.__new__(JournalBusyError), Exit.RESOURCES),
        (PoolError("x"), Exit.RESOURCES),
    ],
)
def test_errors(error: PoolError, code: Exit) -> None:
    assert exit_of_error(error) is code


def test_the_numbers_are_those_that_the_documentation_promises() -> None:
    assert {code.value for code in MEANINGS} == {code.value for code in Exit} == {*range(8), 9}
