"""Files and folders that nobody else may read: whole or not there."""

from __future__ import annotations

import errno
import os
import resource
import stat
from pathlib import Path
from typing import NoReturn

import pytest

from poolwright.files.disk import create_private_file, remove_tree, replace_private_file
from tests.support.profile_folders import write


def test_a_file_is_replaced_and_private(tmp_path: Path) -> None:
    path = write(tmp_path / "file", b"old")
    path.chmod(0o644)

    replace_private_file(path, b"new")

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_on_the_disk_before_and_with_its_new_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, steps = tmp_path / "file", list[str]()
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def replaced(draft: Path, target: Path) -> Path:
        steps.append("name")
        return replace(draft, target)

    monkeypatch.setattr("os.fsync", synced)
    monkeypatch.setattr(Path, "replace", replaced)

    replace_private_file(path, "Größe".encode())

    assert steps == ["file", "name", "folder"]
    assert path.read_text(encoding="utf-8") == "Größe"


def test_a_sole_writer_takes_the_place_of_the_draft_that_a_killed_one_left(tmp_path: Path) -> None:
    path, draft = tmp_path / "entry.json", write(tmp_path / "entry.json.new", b"half of an older")
    draft.chmod(0o644)

    replace_private_file(path, b"new", is_sole_writer=True)

    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_two_that_write_one_file_at_once_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "file", b"old")
    fsync, others = os.fsync, iter((b"of another run", b"of a third"))

    def meanwhile(descriptor: int) -> None:
        fsync(descriptor)
        if (content := next(others, None)) is not None:
            replace_private_file(path, content)

    monkeypatch.setattr("os.fsync", meanwhile)

    replace_private_file(path, b"of one run")

    assert path.read_bytes() == b"of one run"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["file.new", "file.00c0ffee.new"])
def test_what_a_killed_writer_left_is_removed_later_and_never_that_of_a_living_one(tmp_path: Path, name: str) -> None:
    path, draft = tmp_path / "file", write(tmp_path / name, b"half of a lo")
    others = [write(tmp_path / other) for other in ("file.json.new", "file.new.new", "a file.new", "file.00c0ffee.old")]

    replace_private_file(path, b"a login")
    assert draft.exists()

    for one in (draft, *others):
        os.utime(one, (0, 0))
    replace_private_file(path, b"another login")

    assert sorted(tmp_path.iterdir()) == sorted([path, *others])


def test_a_folder_that_may_not_be_looked_through_keeps_nobody_from_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refuse)

    replace_private_file(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_write_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "file", b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))

    try:
        with pytest.raises(OSError, match="too large"):
            replace_private_file(path, bytes(2000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with pytest.raises(FileExistsError):
        create_private_file(tmp_path / "link")

    assert not (tmp_path / "target").exists()


def test_a_tree_is_removed_and_what_its_links_lead_to_is_not(tmp_path: Path) -> None:
    precious = write(tmp_path / "precious/file")
    write(tmp_path / "tree/deep/file")
    (tmp_path / "tree/link").symlink_to(precious.parent)

    remove_tree(tmp_path / "tree")
    remove_tree(tmp_path / "tree")

    assert precious.is_file()
    assert not (tmp_path / "tree").exists()


def test_a_link_to_a_tree_is_not_followed(tmp_path: Path) -> None:
    precious = write(tmp_path / "precious/file")
    (tmp_path / "link").symlink_to(precious.parent)

    with pytest.raises(OSError, match="symbolic link"):
        remove_tree(tmp_path / "link")

    assert precious.is_file()


def test_files_that_appear_while_a_tree_goes_are_removed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    write(tree / "file")
    surprises = iter((tree / "one", tree / "two"))
    rmdir = os.rmdir

    def surprised(path: str, *, dir_fd: int | None = None) -> None:
        surprise = next(surprises, None)
        if surprise is not None:
            write(surprise)
        rmdir(path, dir_fd=dir_fd)

    monkeypatch.setattr("os.rmdir", surprised)

    remove_tree(tree)

    assert not tree.exists()
