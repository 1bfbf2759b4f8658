from __future__ import annotations

import pytest

from poolwright.domain.errors import LoginRequiredError, OptionsError, PoolError, ProfileError, SetupError, unwrap_group
from poolwright.domain.outcomes import (
    LOOKS_LOGGED_OUT,
    MAY_BE_LOGGED_OUT,
    REASON_SENTENCES,
    REASONS,
    ActionClass,
    Outcome,
    Reason,
    ReasonInfo,
    _final,
    _retryable,
)
from poolwright.domain.tasks import Report

#: The report's contract with spreadsheets and scripts, written down by hand: reason, outcome, class, worth a retry.
CONTRACT = """
    all_saved           COMPLETED      done             no
    none_listed         NO_ATTACHMENTS done             no
    some_files_failed   PARTIAL        portal_fault     yes
    some_files_refused  PARTIAL        portal_fault     no
    portal_says_missing NOT_FOUND      fix_the_input    no
    no_permission       FORBIDDEN      ask_for_access   no
    bad_number          INVALID        fix_the_input    no
    blank_number        INVALID        fix_the_input    no
    portal_error        FAILED         portal_fault     yes
    portal_busy         FAILED         retry            yes
    portal_changed      FAILED         portal_fault     yes
    portal_unreachable  FAILED         retry            yes
    asks_for_login      FAILED         retry            no
    page_too_slow       FAILED         retry            yes
    task_timeout        FAILED         retry            yes
    tab_crashed         FAILED         retry            yes
    out_of_memory       FAILED         retry            yes
    download_failed     FAILED         portal_fault     yes
    download_refused    FAILED         portal_fault     no
    filing_failed       FAILED         retry            yes
    disk_full           FAILED         retry            yes
    disk_away           FAILED         retry            yes
    disk_forbidden      FAILED         retry            yes
    processor_error     FAILED         retry            yes
    retry_asked         FAILED         retry            yes
    given_up            FAILED         fix_the_input    no
    worker_lost         FAILED         retry            yes
    no_workers          FAILED         retry            no
    kills_workers       QUARANTINED    portal_fault     no
    by_request          CANCELLED      retry            no
    group_set_aside     CANCELLED      ask_for_access   no
"""


def test_every_reason_means_what_the_report_promises() -> None:
    told = {
        reason.value: [meaning.outcome.value, meaning.action.replace(" ", "_"), "yes" if meaning.is_retryable else "no"]
        for reason, meaning in REASONS.items()
    }

    assert told == {line.split()[0]: line.split()[1:] for line in CONTRACT.strip().splitlines()}


def test_a_reason_is_final_or_may_pass() -> None:
    asked, again = ActionClass.ASK_ACCESS, ActionClass.RETRY

    final = _final(Outcome.FORBIDDEN, asked, "Ask.")
    passing = _retryable(again, "Wait.")

    assert final == ReasonInfo(outcome=Outcome.FORBIDDEN, action=asked, is_retryable=False, next_step="Ask.")
    assert passing == ReasonInfo(outcome=Outcome.FAILED, action=again, is_retryable=True, next_step="Wait.")


def test_a_page_of_no_order_may_be_what_a_lost_login_looks_like() -> None:
    assert {Outcome.NOT_FOUND, Outcome.FORBIDDEN, Outcome.NO_ATTACHMENTS} == LOOKS_LOGGED_OUT


def test_a_page_or_a_file_that_did_not_come_may_be_what_a_lost_login_looks_like() -> None:
    pages = {Reason.PORTAL_CHANGED, Reason.PAGE_TOO_SLOW}
    files = {Reason.DOWNLOAD_FAILED, Reason.DOWNLOAD_REFUSED, Reason.SOME_FILES_FAILED, Reason.SOME_FILES_REFUSED}

    assert pages | files == MAY_BE_LOGGED_OUT


def test_no_reason_is_without_meaning_and_no_outcome_and_class_without_reason() -> None:
    assert set(REASONS) == set(Reason)
    assert {meaning.outcome for meaning in REASONS.values()} == set(Outcome)
    assert {meaning.action for meaning in REASONS.values()} == set(ActionClass)


@pytest.mark.parametrize("reason", Reason)
def test_the_next_step_is_a_sentence(reason: Reason) -> None:
    step = REASONS[reason].next_step

    assert step[0].isupper()
    assert step.endswith(".")


@pytest.mark.parametrize("reason", Reason)
def test_what_happened_is_a_sentence_without_codes(reason: Reason) -> None:
    sentence = REASON_SENTENCES[reason]

    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "_" not in sentence


@pytest.mark.parametrize("reason", Reason)
def test_a_report_ends_as_its_reason_says(reason: Reason) -> None:
    report = Report(reason=reason)

    assert report.meaning is REASONS[reason]
    assert report.outcome is REASONS[reason].outcome


@pytest.mark.parametrize("kind", [OptionsError, SetupError, LoginRequiredError, ProfileError])
def test_whoever_catches_the_root_catches_them_all(kind: type[PoolError]) -> None:
    with pytest.raises(PoolError, match="told"):
        raise kind("told")


def test_an_error_alone_in_a_group_is_its_cause() -> None:
    alone = SetupError("no browser")

    assert unwrap_group(ExceptionGroup("tasks", [ExceptionGroup("more tasks", [alone])])) is alone


def test_a_decisive_error_explains_the_others_however_deep_it_lies() -> None:
    decisive = LoginRequiredError("logged out")
    group = ExceptionGroup(
        "tasks", [OSError("link broke"), ExceptionGroup("more tasks", [ValueError("odd"), decisive])]
    )

    assert unwrap_group(group, LoginRequiredError) is decisive
    assert unwrap_group(group, ProfileError, LoginRequiredError) is decisive


def test_without_a_decisive_error_the_first_one_counts() -> None:
    first = OSError("link broke")

    assert unwrap_group(ExceptionGroup("tasks", [first, ValueError("odd")]), LoginRequiredError) is first
