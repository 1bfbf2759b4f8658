"""Sealing, accepting and restoring: the backup, the mark that refuses runs, and the two ways out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from poolwright.domain.errors import SetupError
from poolwright.profile.backups import accept_base, latest_backup, restore_base, seal_base
from poolwright.profile.base import check_base
from poolwright.profile.clone import is_quarantined
from poolwright.profile.damage import damage_mark_path, mark_damaged, read_damage_mark, refuse_marked
from poolwright.profile.errors import (
    ProfileDamagedError,
    ProfileInUseError,
    ProfileMissingError,
    ProfileNewerError,
    ProfileRefusedError,
)
from poolwright.profile.in_use import read_locked
from poolwright.profile.repository import ProfileFile, ProfileRepository
from poolwright.profile.seal import hash_files, read_seal, seal_path
from tests.support.profile_folders import PORTABLE, make_base, make_cookies, write

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The base of a named profile."""
    made = ProfileRepository(tmp_path / "profiles").create(
        "anna", ProfileFile(pack="demo", base_url="http://portal.test")
    )
    return make_base(made.base_path)


def beside(base: Path) -> list[str]:
    return sorted(path.name for path in base.parent.iterdir())


def test_sealing_keeps_a_backup_with_a_seal_of_its_own(base: Path) -> None:
    write(base / "Default/Cache/data_1")

    seal = seal_base(base, now=NOON, browser_version="156.0")

    good = latest_backup(base)
    assert good is not None
    assert read_seal(base) == read_seal(good) == seal
    assert hash_files(good) == seal.files
    assert not (good / "Default/Cache").exists()
    assert seal.browser_version == "156.0"


def test_a_new_seal_replaces_the_backup(base: Path) -> None:
    seal_base(base, now=NOON)
    write(base.parent / "base.good-20200101T000000000000Z/of a command that was killed")
    write(base / "Default/Other")

    seal_base(base, now=LATER)

    assert beside(base) == [
        "base",
        "base.good-20261123T130000000000Z",
        "base.good-20261123T130000000000Z.seal.json",
        "base.lock",
        "base.seal.json",
        "profile.toml",
    ]
    assert (base.parent / "base.good-20261123T130000000000Z/Default/Other").is_file()


def test_a_damaged_base_is_not_sealed_and_the_backup_stays(base: Path) -> None:
    seal_base(base, now=NOON)
    before = beside(base)
    write(base / "Default/Cookies", b"")

    with pytest.raises(ProfileDamagedError):
        seal_base(base, now=LATER)
    with pytest.raises(ProfileDamagedError):
        accept_base(base, now=LATER)

    assert beside(base) == before


def test_a_base_that_somebody_reads_is_not_sealed(base: Path) -> None:
    with read_locked(base), pytest.raises(ProfileInUseError):
        seal_base(base, now=NOON)


def test_a_mark_refuses_the_base_and_names_the_ways_out(base: Path) -> None:
    seal_base(base, now=NOON)

    assert mark_damaged(base, "3 of 7 cookies are gone.", LATER)

    for use in (check_base, lambda base: seal_base(base, now=LATER)):
        with pytest.raises(ProfileRefusedError) as caught:
            use(base)
        told = str(caught.value)
        assert "23 Nov 2026 at 13:00 UTC" in told
        assert "3 of 7 cookies are gone." in told
        assert "`poolwright profile restore anna`" in told
        assert "`poolwright profile accept anna`" in told


def test_the_first_mark_stays_and_is_private(base: Path) -> None:
    mark_damaged(base, "First.", NOON)
    mark_damaged(base, "Second.", LATER)

    marker = read_damage_mark(base)
    assert marker is not None
    assert (marker.why, marker.found_at) == ("First.", NOON)
    assert damage_mark_path(base).stat().st_mode & 0o777 == 0o600


def test_a_mark_that_is_garbage_refuses_too(base: Path) -> None:
    write(damage_mark_path(base), b"{")

    with pytest.raises(ProfileRefusedError, match="profile accept anna"):
        check_base(base)


def test_a_base_of_no_named_profile_is_not_marked(tmp_path: Path) -> None:
    base = make_base(tmp_path / "alone")

    assert not mark_damaged(base, "Damage.", NOON)

    check_base(base)


def test_accepting_seals_what_is_there_and_lifts_the_mark(base: Path) -> None:
    seal_base(base, now=NOON)
    write(base / "Default/Other")
    mark_damaged(base, "Damage.", NOON)

    accept_base(base, now=LATER)

    facts = check_base(base)
    assert facts.seal is not None
    assert facts.seal.created_at == LATER
    assert "Default/Other" in facts.seal.files


def test_restoring_brings_back_the_backup_and_keeps_the_damaged_base(base: Path) -> None:
    sealed = seal_base(base, now=NOON)
    (base / "Default/Cookies").unlink()
    make_cookies(base / "Default/Cookies", [PORTABLE])
    mark_damaged(base, "Damage.", NOON)

    aside = restore_base(base, now=LATER)

    assert check_base(base).seal == sealed
    assert hash_files(base) == sealed.files
    assert is_quarantined(aside)
    assert aside.name == "base.damaged-20261123T130000Z"
    assert hash_files(aside) != sealed.files
    assert read_damage_mark(base) is None


def test_a_base_that_is_gone_can_be_restored(base: Path) -> None:
    seal_base(base, now=NOON)
    shutil.rmtree(base)

    restore_base(base, now=LATER)

    assert check_base(base).cookies_count == 2


def test_it_can_be_restored_again_and_again(base: Path) -> None:
    sealed = seal_base(base, now=NOON)
    for hours in (1, 2):
        write(base / "Local State", b"{")
        restore_base(base, now=NOON + timedelta(hours=hours))

    assert check_base(base).seal == sealed


def test_a_restore_that_was_killed_can_be_repeated(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seal_base(base, now=NOON)

    def refuse(base: Path, now: datetime) -> Path:
        raise PermissionError(13, "Permission denied", str(base))

    monkeypatch.setattr("poolwright.profile.backups.quarantine_clone", refuse)
    with pytest.raises(SetupError, match="can't be written"):
        restore_base(base, now=LATER)
    monkeypatch.undo()

    restore_base(base, now=LATER)

    assert not base.with_name("base.restored").exists()
    check_base(base)


def test_without_a_backup_nothing_is_restored(base: Path) -> None:
    with pytest.raises(ProfileMissingError, match="never sealed"):
        restore_base(base, now=NOON)

    assert check_base(base).cookies_count == 2


def test_a_backup_that_is_damaged_too_is_not_restored(base: Path) -> None:
    seal_base(base, now=NOON)
    good = latest_backup(base)
    assert good is not None
    write(good / "Local State", b"[]")

    with pytest.raises(ProfileDamagedError, match=r"The backup .* is damaged too: Local State changed"):
        restore_base(base, now=LATER)

    check_base(base)
    assert not base.with_name("base.restored").exists()


def test_what_a_newer_version_left_is_neither_accepted_nor_restored(base: Path) -> None:
    seal_base(base, now=NOON)
    good = latest_backup(base)
    assert good is not None
    before = write(base / "Local State", b"[]")
    write(seal_path(good), b'{"schema": 2}')
    write(damage_mark_path(base), b'{"schema": 2}')

    for act in (lambda: restore_base(base, now=LATER), lambda: refuse_marked(base)):
        with pytest.raises(ProfileNewerError):
            act()

    assert before.read_bytes() == b"[]"
    assert not base.with_name("base.restored").exists()


@pytest.mark.parametrize("place", [seal_path, damage_mark_path])
def test_what_a_newer_version_wrote_beside_a_base_is_never_overwritten(
    base: Path, place: Callable[[Path], Path]
) -> None:
    seal_base(base, now=NOON)
    newer = write(place(base), b'{"schema": 2}')

    for act in (restore_base, seal_base, accept_base):
        with pytest.raises(ProfileNewerError):
            act(base, now=LATER)

    assert newer.read_bytes() == b'{"schema": 2}'


def test_the_backup_is_private(base: Path) -> None:
    for path in base.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)

    seal_base(base, now=NOON)

    good = latest_backup(base)
    assert good is not None
    assert {path.stat().st_mode & 0o077 for path in [good, seal_path(good), *good.rglob("*")]} == {0}
