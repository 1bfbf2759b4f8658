"""Exit codes: every ending, outcome and error has the one number that callers rely on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poolwright.cli.process_exit import EXIT_CODE_MEANINGS, ExitCode, exit_code_of_error, exit_code_of_summary
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
        (ended(), ExitCode.DONE),
        (ended(COMPLETED=38, NO_ATTACHMENTS=2), ExitCode.DONE),
        (ended(COMPLETED=1, PARTIAL=1), ExitCode.NOT_ALL_DONE),
        (ended(COMPLETED=1, NOT_FOUND=1), ExitCode.NOT_ALL_DONE),
        (ended(FORBIDDEN=1), ExitCode.NOT_ALL_DONE),
        (ended(FAILED=1), ExitCode.NOT_ALL_DONE),
        (ended(QUARANTINED=1), ExitCode.NOT_ALL_DONE),
        (ended(CANCELLED=1), ExitCode.NOT_ALL_DONE),
        (ended(INVALID=1), ExitCode.NOT_ALL_DONE),
        (ended(COMPLETED=5, invalid_count=1), ExitCode.NOT_ALL_DONE),
        (ended(COMPLETED=5, FAILED=0), ExitCode.DONE),
        (ended(BatchEnding.LOGIN_REQUIRED, left_count=4), ExitCode.LOGIN),
        (ended(BatchEnding.PROFILE_DAMAGED, left_count=4), ExitCode.PROFILE),
        (ended(BatchEnding.NO_WORKERS, FAILED=4), ExitCode.RESOURCES),
        (ended(BatchEnding.SETUP_FAILED, left_count=4), ExitCode.RESOURCES),
        (ended(BatchEnding.STOPPED, left_count=4, FAILED=1), ExitCode.STOPPED),
        (ended(BatchEnding.STOPPED, COMPLETED=4), ExitCode.STOPPED),
        (ended(BatchEnding.STOPPED, FAILED=4), ExitCode.STOPPED),
        (replace(ended(COMPLETED=4), report_problem="x"), ExitCode.NO_REPORT),
        (replace(ended(COMPLETED=4, FAILED=1), report_problem="x"), ExitCode.NO_REPORT),
        (replace(ended(BatchEnding.LOGIN_REQUIRED, left_count=4), report_problem="x"), ExitCode.LOGIN),
        (replace(ended(left_count=4), report_problem="x"), ExitCode.STOPPED),
    ],
)
def test_endings(summary: BatchSummary, code: ExitCode) -> None:
    assert exit_code_of_summary(summary) is code


@pytest.mark.parametrize("ending", BatchEnding)
def test_every_ending_has_a_code(ending: BatchEnding) -> None:
    assert exit_code_of_summary(ended(ending)) in EXIT_CODE_MEANINGS


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_either_done_or_not(outcome: Outcome) -> None:
    is_done = outcome in {Outcome.COMPLETED, Outcome.NO_ATTACHMENTS}

    assert exit_code_of_summary(replace(ended(), outcomes={outcome: 1})) is (
        ExitCode.DONE if is_done else ExitCode.NOT_ALL_DONE
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OptionsError("x"), ExitCode.USAGE),
        (PackError("x", ("y",)), ExitCode.USAGE),
        (InputRefusedError("x"), ExitCode.INPUT),
        (LoginRequiredError("x"), ExitCode.LOGIN),
        (ProfileError("x"), ExitCode.PROFILE),
        (ProfileInUseError("x"), ExitCode.PROFILE),
        (SetupError("x"), ExitCode.RESOURCES),
        (NoRoomError("x"), ExitCode.RESOURCES),
        (JournalError("x"), ExitCode.RESOURCES),
        (JournalBusyError.__new__(JournalBusyError), ExitCode.RESOURCES),
        (PoolError("x"), ExitCode.RESOURCES),
    ],
)
def test_errors(error: PoolError, code: ExitCode) -> None:
    assert exit_code_of_error(error) is code


def test_the_numbers_are_those_that_the_documentation_promises() -> None:
    assert {code.value for code in EXIT_CODE_MEANINGS} == {code.value for code in ExitCode} == {*range(8), 9, 10}
