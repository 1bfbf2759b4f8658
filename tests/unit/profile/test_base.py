"""A base is checked before anything is copied, and told apart: fit, missing, refused, damaged."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from poolwright.profile.backups import seal_base
from poolwright.profile.base import check_base, check_login_base
from poolwright.profile.damage import mark_damaged
from poolwright.profile.errors import ProfileDamagedError, ProfileMissingError, ProfileRefusedError
from tests.support.profile_folders import PORTABLE, fingerprint, make_base, make_cookies, write


def test_a_fit_base_is_described(base: Path) -> None:
    write(base / "Default/Cache/big", bytes(10_000))

    facts = check_base(base)

    assert facts.cookies_path == base / "Default/Cookies"
    assert facts.cookies_count == 2
    assert facts.files_count == 6
    assert facts.size_bytes < 10_000 + (base / "Default/Cookies").stat().st_size
    assert facts.notices == ()


def test_the_place_of_windows_is_found_too(base: Path) -> None:
    (base / "Default/Network").mkdir()
    (base / "Default/Cookies").rename(base / "Default/Network/Cookies")

    assert check_base(base).cookies_path == base / "Default/Network/Cookies"


def test_a_check_changes_nothing(base: Path) -> None:
    before = fingerprint(base)

    check_base(base)

    assert fingerprint(base) == before


def test_a_base_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ProfileMissingError, match="no profile folder"):
        check_base(tmp_path / "nowhere")


def test_a_file_is_no_base(tmp_path: Path) -> None:
    with pytest.raises(ProfileMissingError, match="no profile folder"):
        check_base(write(tmp_path / "file"))


def test_a_folder_that_no_browser_opened_is_missing_a_profile(tmp_path: Path) -> None:
    with pytest.raises(ProfileMissingError, match="no profile that a browser wrote"):
        check_base(tmp_path)


def test_a_sealed_base_that_lost_all_its_settings_is_damaged_and_not_missing(base: Path) -> None:
    """A headless shell writes no Local State: only the seal tells that there was a profile."""
    seal_base(base, now=datetime(2026, 11, 30, tzinfo=UTC))
    shutil.rmtree(base / "Default")
    (base / "Local State").unlink(missing_ok=True)

    with pytest.raises(ProfileDamagedError, match="no cookie database"):
        check_base(base)


def test_one_profile_within_the_folder_is_refused_with_the_right_folder(base: Path) -> None:
    with pytest.raises(ProfileRefusedError, match=f"Name the folder above it: {base}"):
        check_base(base / "Default")


def test_an_everyday_profile_is_refused_before_it_is_looked_at(base: Path) -> None:
    shutil.rmtree(base / "Default")

    with pytest.raises(ProfileRefusedError, match="everyday browser"):
        check_base(base, everyday=[base.parent])


def test_missing_settings_of_a_profile_that_is_there_are_damage(base: Path) -> None:
    (base / "Default/Preferences").unlink()

    with pytest.raises(ProfileDamagedError, match="Preferences is missing; a browser would start without its settings"):
        check_base(base)


@pytest.mark.parametrize("content", [b"", b"{", b'{"profile": ', b"\x80\xff", b"[1]", b"null"])
def test_settings_that_are_none_are_damage(base: Path, content: bytes) -> None:
    write(base / "Default/Preferences", content)

    with pytest.raises(ProfileDamagedError, match="Preferences"):
        check_base(base)


def test_a_base_without_cookies_is_damaged(base: Path) -> None:
    (base / "Default/Cookies").unlink()

    with pytest.raises(ProfileDamagedError, match="no cookie database"):
        check_base(base)


def test_two_cookie_databases_are_damage(base: Path) -> None:
    make_cookies(base / "Default/Network/Cookies", [PORTABLE])

    with pytest.raises(ProfileDamagedError, match="two cookie databases"):
        check_base(base)


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
def test_cookies_that_are_no_database_are_damage(base: Path, content: bytes) -> None:
    write(base / "Default/Cookies", content)

    with pytest.raises(ProfileDamagedError, match="without any cookie"):
        check_base(base)


def test_cut_off_cookies_are_damage(base: Path) -> None:
    cookies = base / "Default/Cookies"
    os.truncate(cookies, cookies.stat().st_size // 2)

    with pytest.raises(ProfileDamagedError, match="without any cookie"):
        check_base(base)


@pytest.mark.parametrize(
    ("prefix", "told"), [(b"v11", "locked with the desktop keyring"), (b"v20", "bound to the browser that wrote them")]
)
def test_cookies_that_only_one_browser_can_read_are_refused(tmp_path: Path, prefix: bytes, told: str) -> None:
    base = make_base(tmp_path / "base", values=[PORTABLE, prefix + bytes(32), prefix + bytes(32)])

    with pytest.raises(ProfileRefusedError, match=f"2 cookies in .* are {told}"):
        check_base(base)


def test_a_flipped_bit_in_a_key_prefix_is_damage(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base", values=[PORTABLE, b"w10" + bytes(32)])

    with pytest.raises(ProfileDamagedError, match="'w10'"):
        check_base(base)


def test_plain_cookies_are_taken(tmp_path: Path) -> None:
    assert check_base(make_base(tmp_path / "base", values=[b"", PORTABLE])).cookies_count == 2


def test_a_journal_of_the_last_browser_is_left_alone(base: Path) -> None:
    journal = write(base / "Default/Cookies-journal", b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + bytes(504))

    check_base(base)

    assert journal.stat().st_size == 512


def test_a_lock_that_another_machine_left_is_told(base: Path) -> None:
    (base / "SingletonLock").symlink_to("another-machine-4711")

    (notice,) = check_base(base).notices

    assert "process 4711 on another-machine" in notice


@pytest.mark.parametrize(
    "name", ["Default/Local Storage/leveldb/000003.log", "Default/Preferences", "Default/Local Storage/leveldb/LOCK"]
)
def test_a_file_that_may_not_be_read_is_told(unprivileged: Path, name: str) -> None:
    base = make_base(unprivileged / "base")
    (base / name).chmod(0)

    with pytest.raises(ProfileRefusedError, match=f"{Path(name).name} can't be read"):
        check_base(base)


def test_a_base_behind_a_closed_door_is_told(unprivileged: Path) -> None:
    base = make_base(unprivileged / "closed/base")
    base.parent.chmod(0)

    with pytest.raises(ProfileRefusedError, match="can't be read"):
        check_base(base)

    base.parent.chmod(0o700)


def test_a_folder_that_may_not_be_listed_is_told(unprivileged: Path) -> None:
    base = make_base(unprivileged / "base")
    hidden = base / "Default/Secret"
    hidden.mkdir(mode=0)

    with pytest.raises(ProfileRefusedError, match="Secret can't be read"):
        check_base(base)


def test_anybody_may_log_in_with_a_new_base_and_with_a_fit_one(tmp_path: Path, base: Path) -> None:
    (tmp_path / "new").mkdir()

    check_login_base(tmp_path / "new", everyday=())
    check_login_base(base, everyday=())


def test_nobody_logs_in_over_a_damage(base: Path) -> None:
    write(base / "Local State", b"nonsense")

    with pytest.raises(ProfileDamagedError):
        check_login_base(base, everyday=())


def test_nobody_logs_in_with_an_everyday_profile_even_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ProfileRefusedError, match="everyday browser"):
        check_login_base(tmp_path / "chrome" / "base", everyday=(tmp_path / "chrome",))


def test_nobody_logs_in_with_a_marked_base_that_is_empty(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    write(tmp_path / "profile.toml")
    mark_damaged(base, "It was gone.", datetime(2026, 11, 23, tzinfo=UTC))

    with pytest.raises(ProfileRefusedError, match=r"It was gone\."):
        check_login_base(base, everyday=())
