"""The life of one worker's profile, move by move."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from poolwright.domain.state_machine import IllegalTransitionError
from poolwright.domain.states import ProfileStatus
from poolwright.profile.clone import CloneReport, clone_profile, is_quarantined
from poolwright.profile.damage import damage_mark_path, remediation
from poolwright.profile.errors import ProfileDamagedError, ProfileInUseError, ProfileMissingError, ProfileNewerError
from poolwright.profile.in_use import write_locked
from poolwright.profile.repository import FILE_NAME
from poolwright.profile.seal import seal_path, write_seal
from tests.support.profile_folders import PORTABLE, make_cookies, make_store, write
from tests.support.profiles import NOON, ObservedProfile


def test_a_new_one_is_cloning_and_nothing_is_copied(life: ObservedProfile) -> None:
    assert life.profile.state is ProfileStatus.CLONING
    assert life.profile.clone_time is None
    assert not life.profile.corruption_detected
    assert not life.profile.worker_profile_path.exists()


def test_a_whole_life_with_a_restart(life: ObservedProfile) -> None:
    report = life.profile.clone()
    life.profile.lease()
    life.profile.release()
    life.profile.lease()
    life.profile.remove()

    assert life.path == ["READY", "IN_USE", "READY", "IN_USE", "CLEANUP", "REMOVED"]
    assert {move.entity for move in life.moves} == {"anna/worker-1"}
    assert report.files_count == 6
    assert life.profile.clone_time == NOON
    assert not life.profile.worker_profile_path.exists()


def test_each_take_makes_it_ready_for_a_launch(life: ObservedProfile) -> None:
    life.profile.clone()
    life.profile.lease()
    life.profile.release()
    (life.profile.worker_profile_path / "SingletonLock").symlink_to("gone-1")
    tabs = write(life.profile.worker_profile_path / "Default/Sessions/Tabs_1")

    life.profile.lease()

    assert not tabs.exists()
    assert not (life.profile.worker_profile_path / "SingletonLock").is_symlink()
    assert b"always_open_pdf_externally" in (life.profile.worker_profile_path / "Default/Preferences").read_bytes()


def test_a_clone_found_damaged_is_kept_aside_and_told(life: ObservedProfile) -> None:
    life.profile.clone()
    life.profile.lease()

    error = life.profile.mark_damaged("3 of 7 cookies are gone.")

    kept = life.profile.kept_path
    assert kept is not None
    assert str(error).startswith(f"3 of 7 cookies are gone. The damaged clone is kept in {kept}. ")
    assert str(error).endswith(remediation(life.profile.base_profile_path))
    assert kept == life.profile.worker_profile_path.with_name("profile.damaged-20261123T120000Z")
    assert (kept / "Default/Cookies").is_file()
    assert not life.profile.worker_profile_path.exists()
    assert life.path[-2:] == ["CORRUPTED", "FAILED"]
    assert life.moves[-2].cause == "3 of 7 cookies are gone."
    assert life.profile.corruption_detected


def test_a_failed_one_is_never_removed(life: ObservedProfile) -> None:
    life.profile.clone()
    life.profile.mark_damaged("damage")

    life.profile.remove()

    assert life.profile.kept_path is not None
    assert life.profile.kept_path.is_dir()
    assert life.profile.state is ProfileStatus.FAILED


def test_a_damaged_base_spoils_it_before_anything_is_copied(life: ObservedProfile) -> None:
    (life.profile.base_profile_path / "Default/Cookies").unlink()

    with pytest.raises(ProfileDamagedError):
        life.profile.clone()

    assert life.path == ["CORRUPTED", "FAILED"]
    assert "no cookie database" in life.moves[0].cause
    assert list(life.profile.worker_profile_path.parent.iterdir()) == []


def test_a_base_that_is_other_than_it_was_sealed_spoils_it(life: ObservedProfile) -> None:
    write_seal(life.profile.base_profile_path, now=NOON)
    write(life.profile.base_profile_path / "Default/Other")

    with pytest.raises(ProfileDamagedError, match="not as it was sealed"):
        life.profile.clone()

    assert life.path == ["CORRUPTED", "FAILED"]


def test_a_base_that_a_newer_version_sealed_is_refused_and_nothing_is_marked_or_set_aside(
    life: ObservedProfile,
) -> None:
    base = life.profile.base_profile_path
    write(base.with_name(FILE_NAME))
    write(seal_path(base), b'{"schema": 7}')

    with pytest.raises(ProfileNewerError):
        life.profile.clone()

    assert not life.profile.corruption_detected
    assert (life.path, life.profile.kept_path, damage_mark_path(base).exists()) == ([], None, False)
    life.profile.remove()


def test_a_clone_that_is_other_than_its_base_was_sealed_is_kept_aside(
    life: ObservedProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_seal(life.profile.base_profile_path, now=NOON)

    def change_and_clone(base: Path, target: Path) -> CloneReport:
        write(base / "Default/Other")
        return clone_profile(base, target)

    monkeypatch.setattr("poolwright.profile.profile.clone_profile", change_and_clone)

    with pytest.raises(ProfileDamagedError, match="Default/Other is new"):
        life.profile.clone()

    assert life.path == ["CORRUPTED", "FAILED"]
    assert [is_quarantined(path) for path in life.profile.worker_profile_path.parent.iterdir()] == [True]


def test_a_clone_of_a_sealed_base_is_ready(life: ObservedProfile) -> None:
    write_seal(life.profile.base_profile_path, now=NOON)

    life.profile.clone()
    life.profile.lease()

    assert life.profile.state is ProfileStatus.IN_USE


def test_a_clone_that_lost_its_settings_is_found_when_taken(life: ObservedProfile) -> None:
    life.profile.clone()
    write(life.profile.worker_profile_path / "Default/Preferences", b"{")

    with pytest.raises(ProfileDamagedError):
        life.profile.lease()

    assert life.path == ["READY", "CORRUPTED", "FAILED"]


def test_a_store_that_is_gone_between_two_lives_is_found(life: ObservedProfile) -> None:
    for store in ("Default/Local Storage/leveldb", "Default/IndexedDB/https_portal.test_0.indexeddb.leveldb"):
        make_store(life.profile.base_profile_path / store)
    life.profile.clone()
    life.profile.lease()
    life.profile.release()
    shutil.rmtree(life.profile.worker_profile_path / "Default/IndexedDB")

    with pytest.raises(ProfileDamagedError, match=r"IndexedDB/https_portal\.test_0\.indexeddb\.leveldb: missing"):
        life.profile.lease()

    assert life.path[-2:] == ["CORRUPTED", "FAILED"]


def test_a_store_that_is_gone_before_the_first_life_is_found(life: ObservedProfile) -> None:
    life.profile.clone()
    shutil.rmtree(life.profile.worker_profile_path / "Default/Local Storage")

    with pytest.raises(ProfileDamagedError, match="Local Storage/leveldb: missing"):
        life.profile.lease()


def test_a_site_may_drop_its_own_database_but_none_that_belongs_to_all(life: ObservedProfile) -> None:
    clone = life.profile.worker_profile_path
    make_store(life.profile.base_profile_path / "Default/IndexedDB/https_portal.test_0.indexeddb.leveldb")
    life.profile.clone()
    life.profile.lease()
    shutil.rmtree(clone / "Default/IndexedDB")  # as the browser does when a page asks for it
    make_store(clone / "Default/IndexedDB/https_other.test_0.indexeddb.leveldb")
    life.profile.release()
    life.profile.lease()
    shutil.rmtree(clone / "Default/Local Storage")
    life.profile.release()

    with pytest.raises(ProfileDamagedError, match="Local Storage/leveldb: missing"):
        life.profile.lease()


def test_each_take_counts_what_the_browser_must_find(life: ObservedProfile) -> None:
    life.profile.clone()
    life.profile.lease()
    first = life.profile.expected_cookies
    life.profile.release()
    cookies = life.profile.worker_profile_path / "Default/Cookies"
    cookies.unlink()
    make_cookies(cookies, [PORTABLE])

    life.profile.lease()

    assert [site.lasting_count for site in first] == [2]
    assert [site.lasting_count for site in life.profile.expected_cookies] == [1]


def test_a_base_that_is_only_missing_spoils_nothing(tmp_path: Path) -> None:
    life = ObservedProfile(tmp_path / "nowhere", tmp_path / "profile")

    with pytest.raises(ProfileMissingError):
        life.profile.clone()

    assert life.profile.state is ProfileStatus.CLONING
    life.profile.remove()
    assert life.path == ["CLEANUP", "REMOVED"]


def test_no_clone_is_made_while_the_base_is_changed(life: ObservedProfile) -> None:
    with write_locked(life.profile.base_profile_path), pytest.raises(ProfileInUseError):
        life.profile.clone()

    life.profile.clone()
    assert life.profile.state is ProfileStatus.READY


def test_the_base_cannot_be_changed_while_it_is_copied(life: ObservedProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(base: Path, target: Path) -> None:
        with write_locked(base):
            pytest.fail("the base was free to change")

    monkeypatch.setattr("poolwright.profile.profile.clone_profile", refuse)

    with pytest.raises(ProfileInUseError):
        life.profile.clone()


def test_a_removal_that_fails_can_be_repeated(life: ObservedProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    life.profile.clone()

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("poolwright.profile.profile.remove_clone", refuse)
    with pytest.raises(PermissionError):
        life.profile.remove()
    assert life.profile.state is ProfileStatus.CLEANUP

    monkeypatch.undo()
    life.profile.remove()
    life.profile.remove()

    assert life.path == ["READY", "CLEANUP", "REMOVED"]


def test_a_clone_that_cannot_be_put_aside_is_not_promised_to_anyone(
    life: ObservedProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.profile.clone()
    place = life.profile.worker_profile_path

    def refuse(path: Path, target: Path) -> Path:
        raise PermissionError(13, "Permission denied", str(path), None, str(target))

    monkeypatch.setattr(Path, "rename", refuse)
    error = life.profile.mark_damaged("damage")

    assert "is kept in" not in str(error)
    assert place.is_dir()
    assert life.profile.state is ProfileStatus.FAILED


def test_an_earlier_finding_of_the_same_second_stays(life: ObservedProfile) -> None:
    life.profile.clone()
    earlier = life.profile.worker_profile_path.with_name("profile.damaged-20261123T120000Z")
    write(earlier / "of an earlier finding")

    error = life.profile.mark_damaged("damage")

    assert f"is kept in {earlier}-2." in str(error)
    assert (earlier / "of an earlier finding").is_file()
    assert not life.profile.worker_profile_path.exists()


def test_moves_out_of_turn_are_refused(life: ObservedProfile) -> None:
    with pytest.raises(IllegalTransitionError):
        life.profile.release()

    life.profile.clone()
    life.profile.remove()
    with pytest.raises(IllegalTransitionError):
        life.profile.mark_damaged("too late")


def test_a_clone_that_was_removed_is_made_again_without_a_move(life: ObservedProfile) -> None:
    life.profile.clone()
    life.profile.lease()
    shutil.rmtree(life.profile.worker_profile_path)
    write(life.profile.worker_profile_path / "Default/left by a browser that lived on")
    life.profile.mark_lost()
    life.profile.release()

    life.profile.restore()
    life.profile.lease()

    assert life.path == ["READY", "IN_USE", "READY", "IN_USE"]
    assert not life.profile.is_lost
    assert not (life.profile.worker_profile_path / "Default/left by a browser that lived on").exists()
    assert (life.profile.worker_profile_path / "Default/Cookies").is_file()
