"""The doctor's judgements of places: what can be written and read, what cannot, and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.cli.checks import Level
from poolwright.cli.checks_places import (
    judge_home,
    judge_output,
    judge_profile_rights,
    judge_profiles_dir,
    judge_runs_dir,
    judge_temporary,
)
from poolwright.files.permissions import AccessProblem
from poolwright.system.folder_access import FolderAccess
from tests.support.machine import GB, ROOMY

REFUSED = AccessProblem(cause="Read-only file system, its mount is read-only", step="Mount it writable.")


def place(path: str = "/out", refusal: AccessProblem | None = None) -> FolderAccess:
    return FolderAccess(path=Path(path), refusal=refusal)


@pytest.mark.parametrize(
    ("free_bytes", "refusal", "level"),
    [
        (80 * GB, None, Level.OK),
        (1 * GB, None, Level.WARN),
        (GB // 10, None, Level.FAIL),
        (80 * GB, REFUSED, Level.FAIL),
    ],
)
def test_the_output_must_be_writable_and_have_room(
    free_bytes: int, refusal: AccessProblem | None, level: Level
) -> None:
    assert judge_output(place(refusal=refusal), free_bytes).level is level


@pytest.mark.parametrize(
    ("path", "refusal", "level"),
    [
        ("/tmp/poolwright-0", None, Level.OK),
        ("/" + "x" * 45, None, Level.OK),
        ("/" + "x" * 46, None, Level.WARN),
        ("/" + "ü" * 23, None, Level.WARN),
        ("/tmp/poolwright-0", REFUSED, Level.FAIL),
    ],
)
def test_the_runs_folder_must_be_writable_and_short(path: str, refusal: AccessProblem | None, level: Level) -> None:
    machine = replace(ROOMY, runs_dir=Path(path))

    assert judge_runs_dir(machine, 2, 2, place(path, refusal)).level is level


def test_the_runs_folder_must_have_room() -> None:
    check = judge_runs_dir(replace(ROOMY, room_bytes=GB // 10), 2, 2, place())

    assert check.level is Level.FAIL
    assert "another folder with --runs-dir" in check.found


def test_a_runs_folder_in_memory_is_told() -> None:
    assert "lies in memory" in judge_runs_dir(replace(ROOMY, is_room_in_memory=True), 2, 2, place()).found


def test_a_place_that_is_refused_is_told_with_cause_and_next_step() -> None:
    check = judge_output(place(refusal=REFUSED), 80 * GB)

    assert check.found == "/out cannot be written: Read-only file system, its mount is read-only"
    assert check.advice == "Mount it writable. Or name another folder with --out."


def test_profiles_that_can_only_be_read_serve_for_runs() -> None:
    check = judge_profiles_dir(place(refusal=REFUSED))

    assert check.level is Level.WARN
    assert "mount is read-only" in check.found
    assert check.advice == "Runs work; logging in and sealing do not. Mount it writable."
    assert judge_profiles_dir(place()).level is Level.OK


def test_without_a_temporary_folder_nothing_works() -> None:
    check = judge_temporary(place("/tmp", REFUSED))

    assert check.level is Level.FAIL
    assert "mount is read-only" in check.found
    assert "--tmpfs /tmp" in check.advice
    assert judge_temporary(place("/tmp")).level is Level.OK


@pytest.mark.parametrize(
    ("home", "words"),
    [
        (None, "none; "),
        (place("/", REFUSED), "/ cannot be written: Read-only file system, "),
        (place("/root"), "/root"),
    ],
)
def test_a_home_is_told_and_never_missed(home: FolderAccess | None, words: str) -> None:
    check = judge_home(home)

    assert check.level is Level.OK
    assert words in check.found


def test_a_profile_of_another_owner_fails() -> None:
    check = judge_profile_rights(place("/data/profiles", AccessProblem(cause="it is uid 7's", step="Run it.")))

    assert check is not None
    assert (check.level, check.advice) == (Level.FAIL, "Run it.")
    assert "uid 7" in check.found
    assert judge_profile_rights(place()) is None
