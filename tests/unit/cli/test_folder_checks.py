"""The doctor's judgements of places: what can be written and read, what cannot, and what to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.cli.check_result import CheckLevel
from poolwright.cli.machine_checks import (
    check_home,
    check_output,
    check_profile_rights,
    check_profiles_dir,
    check_runs_dir,
    check_temporary,
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
        (80 * GB, None, CheckLevel.OK),
        (1 * GB, None, CheckLevel.WARN),
        (GB // 10, None, CheckLevel.FAIL),
        (80 * GB, REFUSED, CheckLevel.FAIL),
    ],
)
def test_the_output_must_be_writable_and_have_room(
    free_bytes: int, refusal: AccessProblem | None, level: CheckLevel
) -> None:
    assert check_output(place(refusal=refusal), free_bytes).level is level


@pytest.mark.parametrize(
    ("path", "refusal", "level"),
    [
        ("/tmp/poolwright-0", None, CheckLevel.OK),
        ("/" + "x" * 45, None, CheckLevel.OK),
        ("/" + "x" * 46, None, CheckLevel.WARN),
        ("/" + "ü" * 23, None, CheckLevel.WARN),
        ("/tmp/poolwright-0", REFUSED, CheckLevel.FAIL),
    ],
)
def test_the_runs_folder_must_be_writable_and_short(
    path: str, refusal: AccessProblem | None, level: CheckLevel
) -> None:
    machine = replace(ROOMY, runs_dir=Path(path))

    assert check_runs_dir(machine, 2, 2, place(path, refusal)).level is level


def test_the_runs_folder_must_have_room() -> None:
    check = check_runs_dir(replace(ROOMY, room_bytes=GB // 10), 2, 2, place())

    assert check.level is CheckLevel.FAIL
    assert "another folder with --runs-dir" in check.found


def test_a_runs_folder_in_memory_is_told() -> None:
    assert "it is in memory" in check_runs_dir(replace(ROOMY, is_room_in_memory=True), 2, 2, place()).found


def test_a_place_that_is_refused_is_told_with_cause_and_next_step() -> None:
    check = check_output(place(refusal=REFUSED), 80 * GB)

    assert check.found == "/out cannot be written: Read-only file system, its mount is read-only"
    assert check.advice == "Mount it writable. Or choose another folder with --out."


def test_profiles_that_can_only_be_read_serve_for_runs() -> None:
    check = check_profiles_dir(place(refusal=REFUSED))

    assert check.level is CheckLevel.WARN
    assert "mount is read-only" in check.found
    assert check.advice == "Runs work; login and sealing do not. Mount it writable."
    assert check_profiles_dir(place()).level is CheckLevel.OK


def test_without_a_temporary_folder_nothing_works() -> None:
    check = check_temporary(place("/tmp", REFUSED))

    assert check.level is CheckLevel.FAIL
    assert "mount is read-only" in check.found
    assert "--tmpfs /tmp" in check.advice
    assert check_temporary(place("/tmp")).level is CheckLevel.OK


@pytest.mark.parametrize(
    ("home", "words"),
    [
        (None, "none; "),
        (place("/", REFUSED), "/ cannot be written: Read-only file system, "),
        (place("/root"), "/root"),
    ],
)
def test_a_home_is_told_and_never_missed(home: FolderAccess | None, words: str) -> None:
    check = check_home(home)

    assert check.level is CheckLevel.OK
    assert words in check.found


def test_a_profile_of_another_owner_fails() -> None:
    check = check_profile_rights(place("/data/profiles", AccessProblem(cause="it is uid 7's", step="Run it.")))

    assert check is not None
    assert (check.level, check.advice) == (CheckLevel.FAIL, "Run it.")
    assert "uid 7" in check.found
    assert check_profile_rights(place()) is None
