"""The seal: what it holds, what it finds, and that nothing of it gets into a clone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from poolwright.profile.base import check_base
from poolwright.profile.clone import CopiedFile, clone_profile
from poolwright.profile.errors import ProfileDamagedError, ProfileNewerError
from poolwright.profile.repository import FILE_NAME
from poolwright.profile.seal import Seal, check_seal, find_differences, hash_files, read_seal, seal_path, write_seal
from tests.support.profile_folders import fingerprint, write

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.fixture
def seal(base: Path) -> Seal:
    return write_seal(base, now=NOON)


def test_it_holds_what_a_clone_takes(base: Path, tmp_path: Path) -> None:
    write(base / "Last Version", b"156.0.8078.79")

    seal = write_seal(base, now=NOON)

    assert seal.files == clone_profile(base, tmp_path / "clone").files
    assert (seal.created_at, seal.browser_version, seal.cookies_count) == (NOON, "156.0.8078.79", 2)


def test_it_is_read_as_it_was_written(base: Path, seal: Seal) -> None:
    assert read_seal(base) == seal


def test_it_is_private_and_outside_of_the_base(base: Path) -> None:
    before = fingerprint(base)

    write_seal(base, now=NOON, browser_version="1.2")

    assert fingerprint(base) == before
    assert seal_path(base) == base.parent / "base.seal.json"
    assert seal_path(base).stat().st_mode & 0o777 == 0o600
    assert json.loads(seal_path(base).read_bytes())["browser_version"] == "1.2"


def test_an_unsealed_base_is_told(base: Path) -> None:
    assert read_seal(base) is None
    assert (check_base(base).seal_notice or "").startswith(f"{base} is not sealed: only its structure is checked.")


def test_a_sealed_base_passes_and_needs_no_notice(base: Path, seal: Seal) -> None:
    facts = check_base(base)

    assert facts.seal == seal
    assert facts.seal_notice is None
    assert check_seal(base, seal) == ()


CHANGES: dict[str, tuple[str, Callable[[Path], object]]] = {
    "one byte": ("Local State changed", lambda base: write(base / "Local State", b"[]")),
    "a file gone": ("Default/Local Storage/leveldb/000003.log is missing", lambda base: _log(base).unlink()),
    "a file more": ("Default/Other is new", lambda base: write(base / "Default/Other")),
    "a file became a link": ("Local State is missing", lambda base: _link(base / "Local State")),
}


def _log(base: Path) -> Path:
    return base / "Default/Local Storage/leveldb/000003.log"


def _link(path: Path) -> None:
    path.symlink_to(path.rename(path.with_name("Singleton")))


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_found(base: Path, seal: Seal, change: str) -> None:
    told, act = CHANGES[change]
    act(base)

    assert check_seal(base, seal) == (told,)


def test_what_a_clone_leaves_out_may_change(base: Path, seal: Seal) -> None:
    write(base / "Default/Cache/data_1")
    write(base / "Default/Local Storage/leveldb/LOG", b"new")

    assert check_seal(base, seal) == ()


def test_a_sealed_base_that_differs_is_damaged_and_the_ways_out_are_named(base: Path, seal: Seal) -> None:
    write(base.with_name(FILE_NAME))
    for number in range(7):
        write(base / f"Default/new-{number}")

    with pytest.raises(ProfileDamagedError) as caught:
        check_base(base)

    told = str(caught.value)
    assert "sealed on 23 Nov 2026 at 12:00 UTC" in told
    assert "Default/new-0 is new" in told
    assert "and 2 more" in told
    assert f"`poolwright profile restore {base.parent.name}`" in told
    assert f"`poolwright profile accept {base.parent.name}`" in told


@pytest.mark.usefixtures("seal")
def test_a_base_of_no_named_profile_has_another_way_out(base: Path) -> None:
    write(base / "Default/new")

    with pytest.raises(ProfileDamagedError, match="Default/new is new") as caught:
        check_base(base)

    assert str(caught.value).endswith(f"Remove {base}; the next start creates it again.")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"schema": 1}', b'{"schema": "2"}'])
def test_a_seal_that_is_none_is_damage(base: Path, content: bytes) -> None:
    write(seal_path(base), content)

    with pytest.raises(ProfileDamagedError, match=r"base\.seal\.json is not a valid seal"):
        check_base(base)


@pytest.mark.parametrize("is_broken", [False, True], ids=["whole", "broken as far as we know"])
def test_a_seal_of_a_newer_version_is_no_damage_whatever_the_base_looks_like(base: Path, *, is_broken: bool) -> None:
    write(seal_path(base), b'{"schema": 2, "tree": {"root": "c0ffee"}}')
    if is_broken:
        (base / "Default/Cookies").unlink()

    with pytest.raises(
        ProfileNewerError, match=r"base\.seal\.json was written by a newer version .*layout 2"
    ) as caught:
        check_base(base)

    assert "use it with that version or a later one" in str(caught.value)
    with pytest.raises(ProfileNewerError):
        read_seal(base)


def test_a_seal_that_may_not_be_read_is_damage(base: Path) -> None:
    seal_path(base).mkdir()

    with pytest.raises(ProfileDamagedError, match=r"base\.seal\.json can't be read"):
        read_seal(base)


def test_a_new_seal_takes_the_place_of_the_old(base: Path, seal: Seal) -> None:
    write(base / "Default/Other")

    write_seal(base, now=NOON)

    assert check_base(base).seal_notice is None


def test_differences_are_sorted_by_path() -> None:
    old, new = CopiedFile(size_bytes=1, sha256="a"), CopiedFile(size_bytes=1, sha256="b")
    seal = Seal(created_at=NOON, browser_version=None, cookies_count=0, files={"b": old, "c": old, "d": old})

    assert find_differences(seal, {"d": old, "c": new, "a": new}) == ("a is new", "b is missing", "c changed")


def test_a_hash_is_that_of_the_content(base: Path) -> None:
    content = (base / "Default/Cookies").read_bytes()

    assert hash_files(base)["Default/Cookies"] == CopiedFile(
        size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest()
    )
