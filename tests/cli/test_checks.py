"""The doctor's judgements: what is in order, what works with a drawback, what cannot work, and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.cli.checks import (
    Check,
    Level,
    judge_disk,
    judge_memory,
    judge_runs_dir,
    judge_sandbox,
    judge_shared_memory,
)
from app.domain.options import Sandbox
from app.service.sandbox import SandboxChoice
from tests.support.machine import GB, ROOMY, with_memory


@pytest.mark.parametrize(
    ("total_bytes", "workers_count", "tabs", "level"),
    [
        (25 * GB, 8, 4, Level.OK),
        (2 * GB, 2, 2, Level.OK),
        (2 * GB, 2, 4, Level.WARN),
        (1 * GB, 2, 2, Level.FAIL),
        (GB // 2, 1, 1, Level.WARN),
    ],
)
def test_memory_must_hold_the_workers(total_bytes: int, workers_count: int, tabs: int, level: Level) -> None:
    check = judge_memory(with_memory(total_bytes, source="a limit"), workers_count, tabs)

    assert check.level is level
    assert "(a limit)" in check.found
    assert f"{workers_count} worker" in check.found


@pytest.mark.parametrize(
    ("free_bytes", "is_writable", "level"),
    [
        (80 * GB, True, Level.OK),
        (1 * GB, True, Level.WARN),
        (GB // 10, True, Level.FAIL),
        (80 * GB, False, Level.FAIL),
    ],
)
def test_the_output_must_be_writable_and_have_room(free_bytes: int, is_writable: bool, level: Level) -> None:
    assert judge_disk("downloads", free_bytes, is_writable=is_writable).level is level


@pytest.mark.parametrize(
    ("place", "is_writable", "level"),
    [
        ("/tmp/poolwright-0", True, Level.OK),
        ("/" + "x" * 45, True, Level.OK),
        ("/" + "x" * 46, True, Level.WARN),
        ("/" + "ü" * 23, True, Level.WARN),
        ("/tmp/poolwright-0", False, Level.FAIL),
    ],
)
def test_the_runs_folder_must_be_writable_and_short(place: str, is_writable: bool, level: Level) -> None:
    machine = replace(ROOMY, runs_dir=Path(place))

    assert judge_runs_dir(machine, 2, 2, is_writable=is_writable).level is level


def test_the_runs_folder_must_have_room() -> None:
    check = judge_runs_dir(replace(ROOMY, room_bytes=GB // 10), 2, 2, is_writable=True)

    assert check.level is Level.FAIL
    assert "another folder with --runs-dir" in check.found


def test_a_runs_folder_in_memory_is_told() -> None:
    assert "lies in memory" in judge_runs_dir(replace(ROOMY, is_room_in_memory=True), 2, 2, is_writable=True).found


@pytest.mark.parametrize(("mode", "level"), [(Sandbox.ON, Level.OK), (Sandbox.OFF, Level.WARN)])
def test_a_missing_sandbox_is_a_drawback(mode: Sandbox, level: Level) -> None:
    check = judge_sandbox(SandboxChoice(mode=mode, why="because"))

    assert check.level is level
    assert "because" in check.found


@pytest.mark.parametrize(("total_bytes", "told"), [(None, "none"), (64 * 10**6, "64 MB")])
def test_shared_memory_is_told_and_never_missed(total_bytes: int | None, told: str) -> None:
    check = judge_shared_memory(total_bytes)

    assert check == Check(name="shared mem", level=Level.OK, found=f"{told}; browsers do without it")
