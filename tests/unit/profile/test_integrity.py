"""The structure of a user-data folder: what is found, how it is told, and what is let pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.profile.errors import ProfileDamagedError
from poolwright.profile.integrity import check_integrity, has_no_settings
from tests.support.profile_folders import fingerprint, make_cookies, make_store, write

STORES = (
    "Default/Local Storage/leveldb",
    "Default/Session Storage",
    "Default/Service Worker/Database",
    "Default/IndexedDB/https_portal.test_0.indexeddb.leveldb",
)


@pytest.fixture
def full(base: Path) -> Path:
    for store in STORES:
        make_store(base / store)
    write(base / "Default/Secure Preferences", b"{}")
    for name in ("Login Data", "Web Data"):
        make_cookies(base / "Default" / name, [])
    return base


def test_a_whole_folder_passes_and_stays_as_it_is(full: Path) -> None:
    before = fingerprint(full)

    check_integrity(full)

    assert fingerprint(full) == before


@pytest.mark.parametrize("store", STORES)
def test_each_store_is_looked_at(full: Path, store: str) -> None:
    (full / store / "CURRENT").unlink()

    with pytest.raises(ProfileDamagedError, match=f"{full / store}/CURRENT is missing; a browser would start without"):
        check_integrity(full)


@pytest.mark.parametrize("name", ["Local State", "Default/Preferences", "Default/Secure Preferences"])
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\x80\xff"])
def test_each_settings_file_is_looked_at(full: Path, name: str, content: bytes) -> None:
    write(full / name, content)

    with pytest.raises(ProfileDamagedError, match=f"{full / name} .*; a browser would start without .*settings"):
        check_integrity(full)


def test_what_the_headless_shell_leaves_is_whole(full: Path) -> None:
    for name in ("Local State", "Default/Preferences", "Default/Secure Preferences"):
        (full / name).unlink()

    check_integrity(full)

    assert has_no_settings(full)


def test_a_folder_without_settings_and_cookies_is_nobodys(tmp_path: Path) -> None:
    assert not has_no_settings(tmp_path)


@pytest.mark.parametrize("name", ["Local State", "Default/Preferences", "Default/Cookies"])
def test_what_every_profile_has_is_missed(full: Path, name: str) -> None:
    (full / name).unlink()

    with pytest.raises(ProfileDamagedError, match=name):
        check_integrity(full)


@pytest.mark.parametrize("name", ["Default/Cookies", "Default/Login Data", "Default/Web Data"])
def test_each_database_is_looked_at(full: Path, name: str) -> None:
    write(full / name, b"garbage!" * 1024)

    with pytest.raises(ProfileDamagedError, match=f"{full / name} is no database; a browser would start without"):
        check_integrity(full)


@pytest.mark.parametrize("name", ["Default/Login Data", "Default/Web Data"])
def test_a_database_that_just_begins_is_no_damage(full: Path, name: str) -> None:
    write(full / name, b"")

    check_integrity(full)


def test_all_findings_are_told_at_once(full: Path) -> None:
    write(full / "Local State", b"")
    write(full / "Default/Cookies", b"")
    (full / STORES[0] / "CURRENT").unlink()

    with pytest.raises(ProfileDamagedError) as caught:
        check_integrity(full)

    told = str(caught.value)
    assert [told.count(name) for name in ("Local State", "Cookies is empty", "CURRENT is missing")] == [1, 1, 1]
    assert told.count("Create the profile again") == 1


def test_a_store_that_is_a_file_is_told(full: Path) -> None:
    write(full / "Default/IndexedDB/https_other.test_0.indexeddb.leveldb")

    with pytest.raises(ProfileDamagedError, match="https_other"):
        check_integrity(full)
