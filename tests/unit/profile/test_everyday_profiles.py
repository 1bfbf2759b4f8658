"""Nobody's everyday browser profile is touched, whichever way the path leads there."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.profile.errors import ProfileRefusedError
from poolwright.profile.repository import (
    everyday_folders,
    find_everyday_browser,
    own_everyday_folders,
    refuse_everyday_browser,
)

EVERYDAY = [
    ".config/google-chrome",
    ".config/google-chrome-beta",
    ".config/chromium",
    ".config/microsoft-edge",
    "snap/chromium/common/chromium",
    ".var/app/com.google.Chrome/config/google-chrome",
    "Library/Application Support/Google/Chrome",
    "Library/Application Support/Google/Chrome Canary",
    "Library/Application Support/Chromium",
    "Library/Application Support/Microsoft Edge",
    "AppData/Local/Google/Chrome/User Data",
    "AppData/Local/Google/Chrome SxS/User Data",
    "AppData/Local/Chromium/User Data",
    "AppData/Local/Microsoft/Edge/User Data",
    "settings/google-chrome",
]


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, ...]:
    return everyday_folders(tmp_path, tmp_path / "settings")


@pytest.mark.parametrize("below", ["", "Default", "Profile 3/deep"])
@pytest.mark.parametrize("name", EVERYDAY)
def test_an_everyday_profile_is_refused(tmp_path: Path, folders: tuple[Path, ...], name: str, below: str) -> None:
    path = tmp_path / name / below

    with pytest.raises(ProfileRefusedError) as refusal:
        refuse_everyday_browser(path, folders)

    assert str(path) in str(refusal.value)
    assert "poolwright profile login NAME" in str(refusal.value)


@pytest.mark.parametrize("name", [".config/google-chrome-copy", ".config", "profiles/anna/base", "AppData/Local"])
def test_a_folder_beside_or_above_is_not(tmp_path: Path, folders: tuple[Path, ...], name: str) -> None:
    refuse_everyday_browser(tmp_path / name, folders)


def test_a_link_into_an_everyday_profile_is_followed(tmp_path: Path, folders: tuple[Path, ...]) -> None:
    real = tmp_path / ".config/google-chrome"
    real.mkdir(parents=True)
    (tmp_path / "innocent").symlink_to(real)

    assert find_everyday_browser(tmp_path / "innocent/Default", folders) == real


def test_an_everyday_profile_that_is_itself_a_link_is_recognised(tmp_path: Path, folders: tuple[Path, ...]) -> None:
    real = tmp_path / "elsewhere"
    real.mkdir()
    (tmp_path / ".config").mkdir()
    (tmp_path / ".config/chromium").symlink_to(real)

    assert find_everyday_browser(real, folders) == tmp_path / ".config/chromium"


def test_case_and_dots_do_not_hide_it(tmp_path: Path, folders: tuple[Path, ...]) -> None:
    assert find_everyday_browser(tmp_path / ".config/x/../Google-Chrome", folders) is not None


def test_the_folders_of_this_person_are_known() -> None:
    with pytest.raises(ProfileRefusedError):
        refuse_everyday_browser(Path.home() / ".config/google-chrome/Default")

    assert Path.home() / ".config/chromium" in own_everyday_folders()
