"""The doctor's judgements: what is in order, what works with a drawback, what cannot work, and what to do."""

from __future__ import annotations

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

GB = 10**9


@pytest.mark.parametrize(
    ("total_bytes", "workers_count", "tabs", "level"),
    [
        (25 * GB, 8, 4, Level.OK),
        (2 * GB, 2, 2, Level.OK),
        (2 * GB, 2, 4, Level.WARN),
        (1 * GB, 2, 2, Level.FAIL),
        (None, 1, 1, Level.WARN),
    ],
)
def test_memory_must_hold_the_workers(total_bytes: int | None, workers_count: int, tabs: int, level: Level) -> None:
    check = judge_memory(total_bytes, workers_count, tabs)

    assert check.level is level
    assert bool(check.advice) == (level is not Level.OK)


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
    assert judge_runs_dir(place, is_writable=is_writable).level is level


@pytest.mark.parametrize(("mode", "level"), [(Sandbox.ON, Level.OK), (Sandbox.OFF, Level.WARN)])
def test_a_missing_sandbox_is_a_drawback(mode: Sandbox, level: Level) -> None:
    check = judge_sandbox(SandboxChoice(mode=mode, why="because"))

    assert check.level is level
    assert "because" in check.found


@pytest.mark.parametrize(("total_bytes", "told"), [(None, "none"), (64 * 10**6, "64 MB")])
def test_shared_memory_is_told_and_never_missed(total_bytes: int | None, told: str) -> None:
    check = judge_shared_memory(total_bytes)

    assert check == Check(name="shared mem", level=Level.OK, found=f"{told}; browsers do without it")
