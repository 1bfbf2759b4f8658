"""Places are looked at as they are: made mounts tell of read-only ones, real permissions of the others."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from poolwright.system.folder_access import latest_change, probe_folder, probe_readable, probe_temporary_folder
from poolwright.system.hardware import nearest_existing_folder
from tests.support.other_user import become_other_user


@pytest.fixture
def other_user() -> Iterator[Path]:
    with become_other_user() as folder:
        yield folder


def mounts(root: Path, *lines: str) -> Path:
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/mountinfo").write_text("".join(f"{line}\n" for line in lines))
    return root


def test_a_read_only_mount_is_told_apart_from_rights(tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    (volume / "out").mkdir(parents=True)
    root = mounts(
        tmp_path / "root",
        "1 0 8:1 / / rw,relatime - ext4 /dev/a rw",
        f"2 1 8:2 / {volume.resolve()} ro,relatime - ext4 /dev/b rw",
    )

    for place in (volume, volume / "out", volume / "out/to/be/made"):
        refusal = probe_folder(place, root).refusal
        assert refusal is not None
        assert refusal.cause == f"{os.strerror(errno.EROFS)}, its mount is read-only"
    assert probe_folder(tmp_path, root).refusal is None


def test_a_read_only_disk_counts_as_well(tmp_path: Path) -> None:
    root = mounts(tmp_path / "root", "1 0 8:1 / / rw - ext4 /dev/a ro,errors=remount-ro")

    assert probe_folder(tmp_path, root).refusal is not None


def test_a_place_that_can_be_written_is_not_refused(other_user: Path) -> None:
    assert probe_folder(other_user).refusal is None
    assert probe_folder(other_user / "to/be/made").refusal is None


def test_a_place_that_may_not_be_written_is_told_with_its_owner(other_user: Path) -> None:
    other_user.chmod(0o500)

    refusal = probe_folder(other_user / "new").refusal

    assert refusal is not None
    assert f"this user (uid {os.geteuid()}) owns {other_user}, but its mode 0500 forbids it" in refusal.cause
    assert list(other_user.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="needs a system with owners")
def test_a_place_of_another_owner_is_told_with_both(other_user: Path) -> None:
    refusal = probe_folder(Path("/usr/new")).refusal

    assert refusal is not None
    assert f"/usr belongs to uid 0 and this program runs as uid {os.geteuid()}" in refusal.cause


def test_what_is_read_must_be_open_to_its_end(other_user: Path) -> None:
    top, file = other_user / "profiles", other_user / "profiles/anna/profile.toml"
    file.parent.mkdir(parents=True)
    file.touch()
    within = (file.parent, file, file.with_name("missing"))
    assert probe_readable(top, within).refusal is None

    for closed in (top, file.parent, file):
        mode = closed.stat().st_mode
        closed.chmod(0)
        refusal = probe_readable(top, within).refusal
        closed.chmod(mode)
        assert refusal is not None
        assert str(closed) in refusal.cause


def test_a_folder_behind_a_closed_door_is_not_seen(other_user: Path) -> None:
    (other_user / "closed/below").mkdir(parents=True)
    (other_user / "closed").chmod(0)

    assert nearest_existing_folder(other_user / "closed/below/deeper") == other_user / "closed"
    (other_user / "closed").chmod(0o700)


def test_where_no_temporary_folder_can_be_written_the_usual_one_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert probe_temporary_folder().path == Path(tempfile.gettempdir())

    def refuse() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    found = probe_temporary_folder(mounts(tmp_path, "1 0 8:1 / / ro - overlay overlay rw"))

    assert found.path == Path("/tmp")
    assert found.refusal is not None
    assert "read-only" in found.refusal.cause


def test_the_newest_change_is_told_with_its_file(tmp_path: Path) -> None:
    older, newer = tmp_path / "older", tmp_path / "newer"
    for path, moment_s in ((older, 1_800_000_000), (newer, 1_900_000_000)):
        path.touch()
        os.utime(path, (moment_s, moment_s))

    assert latest_change((newer, older, tmp_path / "none")) == (datetime.fromtimestamp(1_900_000_000, UTC), newer)
    assert latest_change((tmp_path / "none",)) is None
