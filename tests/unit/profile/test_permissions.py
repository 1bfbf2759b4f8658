"""Why the system refuses a place: each cause with its next step, and nobody is told to give the system away."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.files.permissions import Permissions, describe, describe_error, read_permissions
from poolwright.profile.errors import ProfileRefusedError
from poolwright.profile.repository import ProfileFile, ProfileRepository

TOP = Path("/data/profiles")
OF_ANOTHER = Permissions(culprit=TOP, may_pass=False, owner_uid=1000, mode=0o700, own_uid=10001, own_gid=10002)


def told(rights: Permissions, code: int = errno.EACCES) -> str:
    return describe(code, os.strerror(code), TOP, rights).sentence()


@pytest.mark.parametrize("code", [errno.EACCES, errno.EPERM])
def test_another_owner_is_told_with_both_numbers_and_what_to_run(code: int) -> None:
    assert told(OF_ANOTHER, code) == (
        f"{os.strerror(code)}, /data/profiles belongs to uid 1000 and this program runs as uid 10001. "
        "As its owner run `chown -R 10001:10002 /data/profiles`, for a mounted folder on the host; "
        "or start it as that user (in a container: `--user 1000:10002`)."
    )


def test_nobody_is_told_to_become_root() -> None:
    text = told(replace(OF_ANOTHER, owner_uid=0))

    assert "belongs to uid 0" in text
    assert "--user" not in text


def test_a_folder_of_the_system_is_not_given_away() -> None:
    text = told(replace(OF_ANOTHER, culprit=Path("/data"), may_pass=True))

    assert "/data belongs to uid 1000" in text
    assert "`mkdir -p /data/profiles && chown -R 10001:10002 /data/profiles`" in text


def test_a_closed_door_on_the_way_is_to_be_opened() -> None:
    assert "`chmod o+x /data` and" in told(replace(OF_ANOTHER, culprit=Path("/data")))


def test_a_file_below_gives_the_whole_folder_away() -> None:
    assert "`chown -R 10001:10002 /data/profiles`" in told(replace(OF_ANOTHER, culprit=TOP / "default/profile.toml"))


def test_an_own_place_may_be_closed_by_its_mode() -> None:
    text = told(replace(OF_ANOTHER, owner_uid=10001, mode=0o500))

    assert (
        "this user (uid 10001) owns /data/profiles, but its mode 0500 forbids it. Run `chmod u+rwX /data/profiles`."
        in text
    )


def test_a_read_only_mount_is_told_apart() -> None:
    text = describe(errno.EROFS, "Read-only file system", TOP, None).sentence()

    assert text.startswith("Read-only file system, its mount is read-only. Mount it writable")


def test_other_causes_are_told_as_the_system_tells_them() -> None:
    assert describe(errno.EIO, "Input/output error", TOP, OF_ANOTHER).sentence() == "Input/output error."
    assert describe(errno.EACCES, "Permission denied", TOP, None).sentence(otherwise="So.") == "Permission denied. So."


def test_the_deepest_place_that_can_be_seen_is_the_culprit(unprivileged: Path) -> None:
    closed = unprivileged / "closed"
    (closed / "below").mkdir(parents=True)
    assert read_permissions(closed / "below/none") is not None
    closed.chmod(0)

    rights = read_permissions(closed / "below")

    closed.chmod(0o700)
    assert rights is not None
    assert (rights.culprit, rights.may_pass, rights.mode) == (closed, False, 0)
    assert rights.owner_uid == rights.own_uid == os.geteuid()
    free = read_permissions(closed / "below/none/deeper")
    assert free is not None
    assert (free.culprit, free.may_pass) == (closed / "below", True)


def test_an_error_is_explained_where_it_was_raised(unprivileged: Path) -> None:
    unprivileged.chmod(0o500)

    with pytest.raises(PermissionError) as caught:
        (unprivileged / "new").mkdir()

    assert (
        f"this user (uid {os.geteuid()}) owns {unprivileged}, but its mode 0500 forbids it"
        in describe_error(caught.value, unprivileged).cause
    )
    unprivileged.chmod(0o700)


@pytest.mark.parametrize("closed", [".", "anna", "anna/profile.toml"])
def test_somebody_elses_profile_is_refused_and_not_called_damaged(unprivileged: Path, closed: str) -> None:
    home = ProfileRepository(unprivileged / "profiles")
    home.create("anna", ProfileFile(pack="demo", base_url="http://x"))
    (home.root / closed).chmod(0)

    with pytest.raises(ProfileRefusedError, match=r"can't be read: Permission denied, .* but its mode 0000 forbids it"):
        home.find("anna").read()

    (home.root / closed).chmod(0o700)
