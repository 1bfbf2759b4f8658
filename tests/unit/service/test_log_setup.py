"""Logs: a short line for people, JSON for the file, fields kept, secrets never."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from loguru import logger

from poolwright.domain.errors import OptionsError
from poolwright.domain.events import (
    Event,
    Level,
    MemoryRelieved,
    Moved,
    Notice,
    SessionView,
    TaskEnded,
    TaskReturned,
    TaskStarted,
    WorkerSeen,
)
from poolwright.domain.ids import TaskId, WorkerRef
from poolwright.domain.outcomes import Reason
from poolwright.domain.state_machine import Transition
from poolwright.domain.tasks import POTask, Report
from poolwright.service.log_setup import LogOptions, configure_logging, configure_pool_logging, log_event


def lines_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_the_file_holds_one_json_object_a_line_with_its_fields(tmp_path: Path) -> None:
    file = tmp_path / "below/log.jsonl"

    with configure_logging(LogOptions(level="info", file=file)):
        logger.bind(worker="worker-2#1", task="demo:PO1").info("page of {} kB", 56)
        logger.debug("too light")

    (line,) = lines_of(file)
    assert line["text"] == "page of 56 kB"
    assert (line["worker"], line["task"], line["level"]) == ("worker-2#1", "demo:PO1", "info")
    assert line["where"].startswith("tests.unit.service.test_log_setup:")
    assert datetime.fromisoformat(line["at"]).utcoffset() is not None


def test_people_see_weighty_lines_with_worker_and_task_in_front() -> None:
    seen: list[str] = []

    with configure_logging(LogOptions(level="debug", people=seen.append)):
        logger.info("fine")
        logger.bind(worker="worker-1#3", task="demo:PO7", cause="hang").warning("the tab is slow")

    assert [line.partition(" ")[2] for line in seen] == ["warning worker-1#3 demo:PO7 the tab is slow"]


def test_people_may_ask_for_more() -> None:
    seen: list[str] = []

    with configure_logging(LogOptions(level="info", people=seen.append, people_level="debug")):
        logger.debug("fine")

    assert len(seen) == 1


def test_secrets_are_blotted_wherever_they_stand(tmp_path: Path) -> None:
    file, seen = tmp_path / "log.jsonl", list[str]()
    secret = 'pa"ss\\wört'

    with configure_logging(LogOptions(level="debug", file=file, people=seen.append, secrets=(secret, "", "pa", '"'))):
        logger.bind(form={"password": secret}).warning(f"typed {secret}")
        try:
            int(secret)
        except ValueError:
            logger.exception("login failed")

    told = file.read_text(encoding="utf-8") + "".join(seen)
    assert "wört" not in told
    assert [line["text"] for line in lines_of(file)] == ["typed ***", "login failed"]


def test_a_traceback_stands_in_the_file_and_its_error_is_told_to_people(tmp_path: Path) -> None:
    file, seen = tmp_path / "log.jsonl", list[str]()

    def divide(denominator: int) -> float:
        return 1 / denominator

    with configure_logging(LogOptions(level="info", file=file, people=seen.append)):
        try:
            divide(0)
        except ZeroDivisionError:
            logger.exception("no result")

    assert "in divide" in lines_of(file)[0]["error"]
    assert "\n" not in seen[0]
    assert "ZeroDivisionError" in seen[0]


def test_what_libraries_log_is_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"

    with configure_logging(LogOptions(level="debug", file=file)):
        logging.getLogger("some.library").warning("about {this} %s", "thing")
        logging.getLogger("some.library").info("chatter")

    (line,) = lines_of(file)
    assert (line["text"], line["library"]) == ("about {this} thing", "some.library")


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"

    with configure_logging(LogOptions(level="info", file=file)):
        logger.info("private")

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_second_run_goes_on_in_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"

    for _ in range(2):
        with configure_logging(LogOptions(level="info", file=file)):
            logger.info("once")

    assert len(lines_of(file)) == 2


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(OptionsError, match="log_file"),
        configure_logging(LogOptions(level="info", file=tmp_path / "file/log")),
    ):
        pass


def test_nothing_is_logged_after_the_block() -> None:
    seen: list[str] = []

    with configure_logging(LogOptions(level="info", people=seen.append)):
        pass
    logger.warning("late")
    logging.getLogger("some.library").warning("late")

    assert seen == []


TASK = POTask(task_id=TaskId("demo:45"), po_number="PO45", portal_number="45", attempt=2)
WORKER = WorkerRef(2, 1)
MOVE = Transition(
    machine="worker",
    entity="worker-2",
    origin="READY",
    event="LOSE",
    target="CRASHED",
    at=datetime(2026, 11, 23, tzinfo=UTC),
)
EVENTS: list[tuple[Event, str, dict[str, object]]] = [
    (Moved(transition=MOVE), "worker worker-2: READY -> CRASHED", {"level": "debug", "machine": "worker"}),
    (TaskStarted(task=TASK, worker=WORKER), "starts attempt 2", {"task": "demo:45", "worker": "worker-2#1"}),
    (
        TaskEnded(task=TASK, report=Report(reason=Reason.NO_PERMISSION, detail="{no}"), folder="", worker=None),
        "PO45 FORBIDDEN {no}",
        {"level": "info", "task": "demo:45", "outcome": "FORBIDDEN", "reason": "no_permission", "attempt": 2},
    ),
    (
        TaskReturned(task_id=TASK.task_id, why=Reason.TAB_CRASHED, detail="", delay_s=1, worker=WORKER),
        "returned to the queue: tab_crashed ",
        {"task": "demo:45", "worker": "worker-2#1", "reason": "tab_crashed"},
    ),
    (
        Notice(level=Level.WARNING, text="{it} hangs", worker=WORKER),
        "{it} hangs",
        {"level": "warning", "worker": "worker-2#1"},
    ),
    (
        WorkerSeen(
            worker=WORKER,
            session=SessionView(status="ACTIVE", main_window_handle=""),
            memory_bytes=5,
            processed_count=0,
        ),
        "5 bytes of memory",
        {"worker": "worker-2#1"},
    ),
    (
        MemoryRelieved(
            worker=WORKER,
            before_bytes=9_000_000,
            after_bytes=8_900_000,
            total_before_bytes=20_000_000,
            total_after_bytes=19_000_000,
            limit_bytes=10_000_000,
            has_helped=False,
        ),
        (
            "recycled to free memory: 9 MB before, 9 MB now; whole pool 20 MB before, 19 MB now (limit 10 MB); "
            "that did not help"
        ),
        {"level": "warning", "worker": "worker-2#1", "before_bytes": 9_000_000, "limit_bytes": 10_000_000},
    ),
]


@pytest.mark.parametrize(("event", "text", "fields"), EVENTS, ids=lambda value: type(value).__name__)
def test_events_of_a_run_are_written_down(event: Event, text: str, fields: dict[str, object], tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"

    with configure_logging(LogOptions(level="debug", file=file)):
        log_event(event)

    (line,) = lines_of(file)
    assert line["text"] == text
    assert fields.items() <= line.items()
    assert "is_shown" not in line


def test_people_are_not_told_twice_what_the_view_shows_them() -> None:
    seen: list[str] = []

    with configure_logging(LogOptions(level="debug", people=seen.append, people_level="debug")):
        for event, _, _ in EVENTS:
            log_event(event)

    assert [line.split(" ", 2)[2] for line in seen] == [
        "worker worker-2: READY -> CRASHED",
        "worker-2#1 demo:45 starts attempt 2",
        "worker-2#1 5 bytes of memory",
    ]


@contextmanager
def sink_of_a_caller(level: str) -> Generator[list[str]]:
    """What a program that uses a pool has told loguru for itself."""
    seen: list[str] = []
    sink = logger.add(seen.append, level=level, format="{message}")
    try:
        yield seen
    finally:
        logger.remove(sink)


@pytest.mark.parametrize(("event", "text", "fields"), EVENTS, ids=lambda value: type(value).__name__)
def test_events_of_a_pool_are_written_down_beside_the_callers_sinks_and_not_told_to_them(
    event: Event, text: str, fields: dict[str, object], tmp_path: Path
) -> None:
    file = tmp_path / "log.jsonl"

    with sink_of_a_caller("DEBUG") as seen:
        with configure_pool_logging(LogOptions(level="debug", file=file)) as note:
            logger.warning("the caller's own")
            note(event)
        note(event)
        logger.warning("the caller's own, later")

    (line,) = lines_of(file)
    assert line["text"] == text
    assert fields.items() <= line.items()
    assert "weight" not in line
    assert seen == ["the caller's own\n", "the caller's own, later\n"]


def test_the_file_of_a_pool_holds_what_is_weighty_enough_without_secrets(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"

    with configure_pool_logging(LogOptions(level="warning", file=file, secrets=("hunter2",))) as note:
        note(Notice(level=Level.INFO, text="light"))
        note(Notice(level=Level.WARNING, text="the password hunter2 is wrong"))

    assert [(line["level"], line["text"]) for line in lines_of(file)] == [("warning", "the password *** is wrong")]
