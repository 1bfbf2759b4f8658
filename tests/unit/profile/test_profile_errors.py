"""Hints name the profile that they are about."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.profile.errors import missing_folder_error, profile_name_of, repair_step


@pytest.mark.parametrize("below", [".", "Default", "Default/Cookies"])
def test_a_file_of_a_profile_tells_its_name(below: str, tmp_path: Path) -> None:
    (tmp_path / "coupa" / "base").mkdir(parents=True)
    (tmp_path / "coupa" / "profile.toml").touch()

    assert profile_name_of(tmp_path / "coupa" / "base" / below) == "coupa"
    assert "`poolwright profile login coupa`" in repair_step(tmp_path / "coupa" / "base" / below)


def test_a_clone_does_not_and_is_not_given_a_wrong_one(tmp_path: Path) -> None:
    assert "`poolwright profile remove NAME`" in repair_step(tmp_path / "run-1" / "worker-1")


def test_a_profile_that_is_missing_is_named_all_the_same() -> None:
    assert "`poolwright profile login coupa`" in str(missing_folder_error(Path("profiles/coupa/base")))
