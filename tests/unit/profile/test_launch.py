"""What is done to a clone before each launch."""

from __future__ import annotations

import errno
import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from poolwright.domain.errors import SetupError
from poolwright.profile.errors import ProfileDamagedError
from poolwright.profile.profile import prepare_base, prepare_for_launch
from tests.support.profile_folders import fingerprint, make_base, make_store, write


@pytest.fixture
def clone(base: Path) -> Path:
    return base


def settings(clone: Path) -> dict[str, Any]:
    return json.loads((clone / "Default/Preferences").read_bytes())


def test_pdfs_come_down_and_no_download_asks(clone: Path) -> None:
    prepare_for_launch(clone)

    assert settings(clone)["plugins"] == {"always_open_pdf_externally": True}
    assert settings(clone)["download"] == {"prompt_for_download": False}


def test_other_settings_stay(clone: Path) -> None:
    given = {"plugins": {"x": 1}, "download": {"prompt_for_download": True, "count": 2**60}, "name": "Zoë 東"}
    write(clone / "Default/Preferences", json.dumps(given).encode())

    prepare_for_launch(clone)

    assert settings(clone) == {
        "plugins": {"x": 1, "always_open_pdf_externally": True},
        "download": {"prompt_for_download": False, "count": 2**60},
        "name": "Zoë 東",
    }


def test_the_settings_file_is_private_and_stands_alone(clone: Path) -> None:
    (clone / "Default/Preferences").chmod(0o644)

    prepare_for_launch(clone)

    assert (clone / "Default/Preferences").stat().st_mode & 0o777 == 0o600
    assert not list(clone.rglob("*.new"))


def test_a_second_time_changes_nothing(clone: Path) -> None:
    prepare_for_launch(clone)
    before = fingerprint(clone), (clone / "Default/Preferences").stat().st_mtime_ns

    prepare_for_launch(clone)

    assert (fingerprint(clone), (clone / "Default/Preferences").stat().st_mtime_ns) == before


def test_old_tabs_go_and_everything_else_stays(clone: Path) -> None:
    write(clone / "Default/Sessions/Tabs_1")
    write(clone / "Default/Sessions_Encrypted/Session_1")
    make_store(clone / "Default/Session Storage")
    before = set(fingerprint(clone))

    prepare_for_launch(clone)

    gone = before - set(fingerprint(clone))
    assert gone == {"Default/Sessions/Tabs_1", "Default/Sessions_Encrypted/Session_1"}
    assert not list(clone.glob("Default/Sessions*"))


@pytest.mark.parametrize("owner", ["another-machine-12", f"{socket.gethostname()}-{2**22 + 1}", "garbage"])
def test_stale_locks_go(clone: Path, owner: str) -> None:
    (clone / "SingletonLock").symlink_to(owner)
    (clone / "SingletonCookie").symlink_to("123456")
    (clone / "SingletonSocket").symlink_to("/nowhere/SingletonSocket")
    write(clone / "lockfile")

    prepare_for_launch(clone)

    assert not [path for path in clone.iterdir() if path.name.startswith("Singleton") or path.name == "lockfile"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"plugins": 1}', b'{"download": []}'])
def test_settings_that_are_none_are_damage(clone: Path, content: bytes) -> None:
    write(clone / "Default/Preferences", content)

    with pytest.raises(ProfileDamagedError, match="Preferences"):
        prepare_for_launch(clone)


@pytest.mark.parametrize("name", ["Default", "Default/Cookies", "Default/Local Storage/leveldb/000003.log", "."])
def test_a_clone_that_a_browser_could_not_write_is_damaged(unprivileged: Path, name: str) -> None:
    clone = make_base(unprivileged / "profile")
    (clone / name).chmod(0o500)

    with pytest.raises(ProfileDamagedError, match="may not be read and written"):
        prepare_for_launch(clone)

    (clone / name).chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_clone_with_a_file_of_somebody_else_is_damaged(clone: Path) -> None:
    os.chown(clone / "Default/Cookies", 65534, 65534)

    with pytest.raises(ProfileDamagedError, match="Cookies belongs to another user"):
        prepare_for_launch(clone)


def test_a_disk_without_room_is_no_damage(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("poolwright.profile.profile.replace_private_file", refuse)

    with pytest.raises(SetupError, match="can't be prepared for a browser"):
        prepare_for_launch(clone)


def test_missing_settings_are_damage(clone: Path) -> None:
    (clone / "Default/Preferences").unlink()

    with pytest.raises(ProfileDamagedError, match="Preferences is missing"):
        prepare_for_launch(clone)


def test_a_base_is_cleared_of_locks_and_old_tabs_and_of_nothing_else(base: Path) -> None:
    before = fingerprint(base)
    (base / "SingletonLock").symlink_to("elsewhere-1")
    write(base / "Default/Sessions/Tabs_1")

    prepare_base(base)

    assert fingerprint(base) == before
