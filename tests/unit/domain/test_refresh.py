"""What came of looking at a finished order again: each file is new, changed, withdrawn or the same, once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.domain.outcomes import Outcome, Reason
from poolwright.domain.refresh import (
    REFRESHED,
    FileChanges,
    RefreshCounts,
    RefreshResult,
    compare_files,
    refresh_result,
)
from poolwright.domain.tasks import FetchedFile, Report, refresh_of, shown_report
from tests.support.archive_orders import fetched, report_for
from tests.support.tasks import po_task

AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Held:
    """A file, as far as it is compared."""

    name: str
    sha256: str
    label: str = ""


A1, A2, B1, B2, C3 = Held("a", "1"), Held("a", "2"), Held("b", "1"), Held("b", "2"), Held("c", "3")


@pytest.mark.parametrize(
    ("known", "files", "expected"),
    [
        ([], [], FileChanges()),
        ([A1, B2], [B2, A1], FileChanges(same_count=2)),
        ([A1], [A1, B2], FileChanges(new=("b",), same_count=1)),
        ([A1, B2], [A1], FileChanges(withdrawn=("b",), same_count=1)),
        ([A1], [A2], FileChanges(changed=("a",))),
        ([A1], [B1], FileChanges(changed=("b",))),
        ([A1], [B2], FileChanges(new=("b",), withdrawn=("a",))),
        ([A1], [Held("A", "2")], FileChanges(changed=("A",))),
        ([Held("x", "1", "Invoice")], [Held("y", "2", "Invoice")], FileChanges(changed=("y",))),
        ([A1, B2], [Held("a", "9"), C3], FileChanges(new=("c",), changed=("a",), withdrawn=("b",))),
        # by content first: a has the content of b now, and c is new
        ([A1, B2], [A2, Held("c", "9")], FileChanges(new=("c",), changed=("a",), withdrawn=("a",))),
        ([A1, A1], [A1], FileChanges(withdrawn=("a",), same_count=1)),
        ([A1], [A1, A1], FileChanges(new=("a",), same_count=1)),
    ],
)
def test_each_file_is_told_once(known: list[Held], files: list[Held], expected: FileChanges) -> None:
    assert _labelled(known, files) == expected


def _labelled(known: list[Held], files: list[Held]) -> FileChanges:
    """Compare files whose label is their name, unless they have one."""

    def with_label(file: Held) -> Held:
        return Held(file.name, file.sha256, file.label or file.name)

    return compare_files(map(with_label, known), map(with_label, files))


FILES = st.lists(st.builds(Held, st.sampled_from("aAbc"), st.sampled_from("12"), st.sampled_from("xy")), max_size=6)


@given(FILES, FILES)
def test_no_file_is_lost_or_counted_twice(known: list[Held], files: list[Held]) -> None:
    changes = compare_files(known, files)

    assert changes.same_count + len(changes.new) + len(changes.changed) == len(files)
    assert changes.same_count + len(changes.withdrawn) + len(changes.changed) == len(known)


@given(FILES)
def test_the_same_files_are_the_same(files: list[Held]) -> None:
    assert compare_files(files, reversed(files)) == FileChanges(same_count=len(files))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (FileChanges(same_count=1), "nothing changed (1 file)"),
        (FileChanges(same_count=1200), "nothing changed (1,200 files)"),
        (FileChanges(), "nothing changed (0 files)"),
        (FileChanges(new=("a", "b"), same_count=3), "2 new (a, b), 3 the same"),
        (
            FileChanges(changed=("a",), withdrawn=tuple("bcdefgh")),
            "1 changed (a), 7 withdrawn (b, c, d, e, f and 2 more), 0 the same",
        ),
        (FileChanges(new=tuple("abcde")), "5 new (a, b, c, d, e), 0 the same"),
    ],
)
def test_changes_are_told_in_words(changes: FileChanges, text: str) -> None:
    assert changes.describe() == text


@pytest.mark.parametrize("outcome", list(Outcome))
def test_only_an_outcome_that_is_done_replaces_the_earlier_result(outcome: Outcome) -> None:
    result = refresh_result([A1], outcome, [A2], AT, problem="It was so.")

    is_done = outcome in {Outcome.COMPLETED, Outcome.NO_ATTACHMENTS}
    assert (outcome in REFRESHED) is is_done
    assert (result.changes is not None) is is_done
    assert result.keeps_earlier is not is_done
    assert (result.problem == "") is is_done


def test_a_refresh_without_a_change_keeps_the_earlier_result() -> None:
    assert refresh_result([A1], Outcome.COMPLETED, [A1], AT, problem="").keeps_earlier


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (
            refresh_result([], Outcome.NOT_FOUND, [], AT, problem="It says so. "),
            "Looked at again on 2026-11-30 without success, so the earlier result stays: not found, It says so.",
        ),
        (
            refresh_result([], Outcome.FAILED, [], AT, problem=""),
            "Looked at again on 2026-11-30 without success, so the earlier result stays: failed.",
        ),
        (
            refresh_result([A1], Outcome.COMPLETED, [A1], AT, problem="ignored"),
            "Looked at again on 2026-11-30: nothing changed (1 file).",
        ),
    ],
)
def test_a_result_is_a_sentence_and_survives_json(result: RefreshResult, sentence: str) -> None:
    assert result.sentence == sentence
    assert RefreshResult.from_json(result.to_json(), AT) == result


@pytest.mark.parametrize(
    ("outcome", "detail", "problem"),
    [
        (Outcome.NOT_FOUND, "It says so. ", "not found, It says so"),
        (Outcome.NOT_FOUND, "Box X.X...", "not found, Box X.X"),
        (Outcome.FAILED, " .", "failed"),
        (Outcome.FAILED, "", "failed"),
    ],
)
def test_why_a_refresh_failed_is_a_part_of_a_sentence(outcome: Outcome, detail: str, problem: str) -> None:
    assert refresh_result([], outcome, [], AT, problem=detail).problem == problem


def test_a_refresh_without_success_has_no_files_in_json() -> None:
    assert RefreshResult(at=AT, problem="failed").to_json() == {
        "is_done": False,
        "new": [],
        "changed": [],
        "withdrawn": [],
        "same_count": 0,
        "problem": "failed",
    }


def test_changes_survive_json() -> None:
    result = RefreshResult(at=AT, changes=FileChanges(new=("a",), changed=("b",), withdrawn=("c",), same_count=4))

    assert RefreshResult.from_json(result.to_json(), AT) == result


def test_orders_and_files_are_counted() -> None:
    results = [
        RefreshResult(at=AT, problem="x"),
        RefreshResult(at=AT, changes=FileChanges(same_count=3)),
        RefreshResult(at=AT, changes=FileChanges(same_count=3)),
        RefreshResult(at=AT, changes=FileChanges(new=("a", "b", "c"), changed=("d",), withdrawn=("e", "f"))),
    ]

    counts = RefreshCounts.count(results)

    assert counts == RefreshCounts(
        same_count=2,
        changed_count=1,
        failed_count=1,
        new_file_count=3,
        changed_file_count=1,
        withdrawn_file_count=2,
    )
    assert counts.order_count == len(results)
    assert RefreshCounts.count([]).order_count == 0


def test_the_files_of_all_orders_are_added_up() -> None:
    changes = FileChanges(new=("a", "b", "c"), changed=("d",), withdrawn=("e", "f"))

    counts = RefreshCounts.count([RefreshResult(at=AT, changes=changes)] * 2)

    assert (counts.new_file_count, counts.changed_file_count, counts.withdrawn_file_count) == (6, 2, 4)
    assert RefreshCounts.count([]) == RefreshCounts(
        same_count=0,
        changed_count=0,
        failed_count=0,
        new_file_count=0,
        changed_file_count=0,
        withdrawn_file_count=0,
    )


KNOWN = (fetched("a.pdf", b"a"),)


def test_an_attempt_that_is_no_refresh_has_no_result_and_is_shown_as_it_is() -> None:
    task, report = po_task(1), Report(reason=Reason.PORTAL_ERROR, detail="x")

    assert refresh_of(task, report, AT) is None
    assert shown_report(task, report, AT) is report


@pytest.mark.parametrize(
    ("known", "reason"), [(KNOWN, Reason.ALL_SAVED), ((), Reason.NONE_LISTED)], ids=["files", "none"]
)
def test_a_refresh_without_success_is_shown_as_the_result_that_stays(
    known: tuple[FetchedFile, ...], reason: Reason
) -> None:
    task = po_task(1, known_files=known)

    broke = Report(reason=Reason.PORTAL_ERROR, detail="It broke.", page_url="https://p.test/1", duration_s=2.0)
    shown = shown_report(task, broke, AT)

    assert (shown.reason, shown.page_url, shown.duration_s, shown.files) == (reason, "https://p.test/1", 2.0, ())
    assert shown.detail == (
        "Looked at again on 2026-11-30 without success, so the earlier result stays: failed, It broke."
    )


def test_a_refresh_with_success_is_shown_with_what_changed() -> None:
    report = report_for({"a.pdf": b"other"})

    shown = shown_report(po_task(1, known_files=KNOWN), report, AT)

    assert shown.files == report.files
    assert shown.detail == "Looked at again on 2026-11-30: 1 changed (a.pdf), 0 the same."
    told = shown_report(po_task(1, known_files=KNOWN), replace(report, detail="One was slow."), AT)
    assert told.detail == f"One was slow. {shown.detail}"


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (RefreshCounts(same_count=1), "Looked at again: 1 order; 1 the same."),
        (
            RefreshCounts(failed_count=1),
            "Looked at again: 1 order; 1 without success, so its earlier result stays; see the report.",
        ),
        (
            RefreshCounts(
                same_count=1200,
                changed_count=1000,
                failed_count=2000,
                new_file_count=3000,
                changed_file_count=4000,
                withdrawn_file_count=5000,
            ),
            (
                "Looked at again: 4,200 orders; 1,200 the same, 1,000 changed (3,000 new, 4,000 changed and 5,000 "
                "withdrawn files), 2,000 without success, so their earlier results stay; see the report."
            ),
        ),
    ],
)
def test_what_came_of_many_orders_is_one_sentence(counts: RefreshCounts, sentence: str) -> None:
    assert counts.sentence == sentence
