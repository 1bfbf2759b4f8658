from __future__ import annotations

from pathlib import Path

from poolwright.files.disk import make_folders, remove_empty_folders, write_file


def test_empty_folders_go_up_to_the_first_that_is_in_use(tmp_path: Path) -> None:
    make_folders(tmp_path, tmp_path / "a" / "b" / "c")
    (tmp_path / "a" / "note.txt").touch()

    remove_empty_folders(tmp_path / "a" / "b" / "c", tmp_path)

    assert list(tmp_path.rglob("*")) == [tmp_path / "a", tmp_path / "a" / "note.txt"]


def test_removing_goes_on_where_it_was_cut_off(tmp_path: Path) -> None:
    make_folders(tmp_path, tmp_path / "a" / "b" / "c")
    (tmp_path / "a" / "b" / "c").rmdir()

    remove_empty_folders(tmp_path / "a" / "b" / "c", tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_the_root_and_what_is_beside_it_are_never_removed(tmp_path: Path) -> None:
    root, beside = tmp_path / "root", tmp_path / "beside"
    root.mkdir()
    beside.mkdir()

    remove_empty_folders(root, root)
    remove_empty_folders(beside, root)

    assert root.is_dir()
    assert beside.is_dir()


def test_a_new_file_does_not_take_over_the_permissions_of_an_old_one(tmp_path: Path) -> None:
    path, fresh = tmp_path / "manifest.json", tmp_path / "fresh"
    path.touch(mode=0o600)
    fresh.touch()

    write_file(path, "text")

    assert path.read_text(encoding="utf-8") == "text"
    assert path.stat().st_mode == fresh.stat().st_mode
