"""Traces of failures: each order has its own, an earlier run's stay, and those of an earlier Poolwright show."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.archive.evidence import RUNS_MAX, EvidenceStore
from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.domain.ids import TaskId
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, TaskRecord
from tests.support.archive_orders import StoppedClock, contents, report_for, stage, task_for

FAILED = replace(report_for({}, reason=Reason.PORTAL_CHANGED), evidence=("page.png",))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / PRIVATE_NAME


def keep(root: Path, task: POTask, content: bytes) -> None:
    staged = root.parent / "staged"
    staged.mkdir()
    (staged / "page.png").write_bytes(content)
    EvidenceStore(root).store(staged, task)


def record_of(task: POTask, *, status: str = "DONE", attempt_count: int | None = None) -> TaskRecord:
    count = task.attempt if attempt_count is None else attempt_count
    return TaskRecord(task=task, status=status, attempt_count=count, report=FAILED)


def shown(root: Path, record: TaskRecord) -> bytes | None:
    path = EvidenceStore(root).find(record, "page.png")
    return None if path is None else path.read_bytes()


def test_traces_are_for_the_owner_alone_under_the_number_that_people_know(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / PRIVATE_NAME).mkdir(parents=True, mode=0o755)
    staged = stage(tmp_path / "s", {}, evidence={"page.png": b"png", "page.html": b"html"})

    OutputTree(out, clock=StoppedClock()).file(task_for("PO/7", attempt=2), FAILED, staged)

    (order,) = (out / PRIVATE_NAME / "evidence").iterdir()
    assert order.name.startswith("PO_7 ")
    place = order / "attempt-2"
    assert contents(place) == {"page.png": b"png", "page.html": b"html"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in place.iterdir()} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in [place, *place.parents][:4]} == {0o700}


@pytest.mark.parametrize("numbers", [("PO7", "PO7"), ("PO7", "po7"), ("PO/7", "PO_7"), ("é", "e\u0301")])
def test_two_tasks_whose_numbers_fall_together_have_each_its_own(root: Path, numbers: tuple[str, str]) -> None:
    tasks = [
        POTask(task_id=TaskId(f"tenant-{place}:{number}"), po_number=number, portal_number=number)
        for place, number in enumerate(numbers)
    ]
    for task in tasks:
        keep(root, task, task.task_id.encode())

    assert [shown(root, record_of(task)) for task in tasks] == [task.task_id.encode() for task in tasks]
    assert len({path.name.casefold() for path in EvidenceStore(root).directory.iterdir()}) == len(tasks)


def test_an_order_that_is_done_again_keeps_what_its_earlier_runs_left(root: Path) -> None:
    for attempt, content in ((1, b"first"), (3, b"second"), (1, b"third")):
        keep(root, task_for("PO7", attempt=attempt), content)

    (order,) = EvidenceStore(root).directory.iterdir()
    assert contents(order) == {
        "attempt-1/page.png": b"first",
        "attempt-3 run-2/page.png": b"second",
        "attempt-1 run-3/page.png": b"third",
    }
    assert shown(root, record_of(task_for("PO7", attempt=1))) == b"third"


def test_of_an_order_that_fails_every_day_the_last_runs_stay(root: Path) -> None:
    for run in range(1, RUNS_MAX + 4):
        keep(root, task_for("PO7"), str(run).encode())

    (order,) = EvidenceStore(root).directory.iterdir()
    assert sorted(contents(order).values(), key=int) == [str(run).encode() for run in range(4, RUNS_MAX + 4)]
    assert shown(root, record_of(task_for("PO7"))) == str(RUNS_MAX + 3).encode()


@pytest.mark.parametrize("status", ["QUEUED", "ASSIGNED", "RUNNING"])
@pytest.mark.parametrize("attempt_count", [0, 1])
def test_one_that_is_taken_up_again_shows_how_its_last_run_ended(root: Path, status: str, attempt_count: int) -> None:
    keep(root, task_for("PO7", attempt=1), b"first")
    keep(root, task_for("PO7", attempt=3), b"second")

    assert shown(root, record_of(task_for("PO7"), status=status, attempt_count=attempt_count)) == b"second"


def test_traces_of_an_earlier_poolwright_are_found_until_there_are_others(root: Path) -> None:
    task = task_for("PO/7", attempt=2)
    old = root / "evidence" / "PO_7" / "attempt-2"
    old.mkdir(parents=True)
    (old / "page.png").write_bytes(b"old")

    before = shown(root, record_of(task))
    keep(root, task, b"new")

    assert (before, shown(root, record_of(task))) == (b"old", b"new")
    assert (old / "page.png").read_bytes() == b"old"


def test_only_what_the_report_names_is_found(root: Path) -> None:
    keep(root, task_for("PO7"), b"png")
    record = record_of(task_for("PO7"))
    (order,) = EvidenceStore(root).directory.iterdir()
    (order / "attempt-1" / "other.png").write_bytes(b"")
    odd = replace(record, report=replace(FAILED, evidence=("../../token", "gone.png")))

    assert EvidenceStore(root).find(record, "other.png") is None
    assert [EvidenceStore(root).find(odd, name) for name in ("../../token", "gone.png")] == [None, None]
    assert EvidenceStore(root).find(replace(record, report=None), "page.png") is None


@pytest.mark.parametrize("name", ["notes", "attempt-x", "attempt-1 run-", "attempt-²"])
def test_what_a_person_put_beside_them_is_left_alone(root: Path, name: str) -> None:
    keep(root, task_for("PO7"), b"first")
    (order,) = EvidenceStore(root).directory.iterdir()
    (order / name).mkdir()

    keep(root, task_for("PO7"), b"second")

    assert sorted(path.name for path in order.iterdir()) == sorted(["attempt-1", "attempt-1 run-2", name])


def test_an_attempt_that_left_nothing_makes_no_folder(root: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for staged in (tmp_path / "empty", tmp_path / "none"):
        EvidenceStore(root).store(staged, task_for("PO7"))

    assert not root.exists()
