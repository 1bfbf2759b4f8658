"""Run folders: one living owner each, gone at the end, swept when their owner was killed."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from poolwright.domain.errors import SetupError
from poolwright.files.locks import FileLock
from poolwright.profile.run_folder import TEMP_PATH_MAX_BYTES, RunFolder, recreate_worker_folder, remove_dead_runs
from tests.support.profile_folders import write


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_run_has_a_short_private_folder_with_a_place_for_each_slot(root: Path, short_root: Path) -> None:
    with RunFolder.create(short_root / "runs") as run:
        folder = run.worker_folder(2)

        assert run.path.parent == short_root / "runs"
        assert len(run.path.name) == len("r-123456")
        assert folder.path == run.path / "w2"
        assert folder.profile_path == run.path / "w2/profile"
        assert folder.temp_path == run.path / "w2/t"
        assert folder.temp_path.is_dir()
        assert not folder.profile_path.exists()
        assert folder.notice == ""
        assert {mode(path) for path in (run.path.parent, run.path, folder.path, folder.temp_path)} == {0o700}


def test_a_slot_keeps_its_places_over_generations(root: Path, short_root: Path) -> None:
    with RunFolder.create(root, short_roots=[short_root]) as run:
        assert run.worker_folder(1) == run.worker_folder(1)
    with RunFolder.create(short_root) as run:
        assert run.worker_folder(1) == run.worker_folder(1)


def test_a_path_too_long_for_a_browser_is_replaced_and_said(long_root: Path, short_root: Path) -> None:
    with RunFolder.create(long_root, short_roots=[long_root, short_root]) as run:
        folder = run.worker_folder(1)

        assert folder.temp_path.parent == short_root
        assert folder.temp_path.name.startswith("pw-")
        assert len(str(folder.temp_path)) <= TEMP_PATH_MAX_BYTES
        assert mode(folder.temp_path) == 0o700
        assert str(folder.temp_path) in folder.notice
        assert "too long" in folder.notice
        assert run.worker_folder(2).temp_path != folder.temp_path

    assert list(short_root.iterdir()) == []
    assert list(long_root.iterdir()) == []


@pytest.mark.parametrize(("spare_bytes", "is_short"), [(0, True), (-1, False)])
def test_the_limit_itself_is_short_enough(short_root: Path, spare_bytes: int, is_short: bool) -> None:
    below = short_root / "x"
    below = short_root / ("x" * (1 + TEMP_PATH_MAX_BYTES - spare_bytes - len(str(below / "r-123456/w1/t"))))

    with RunFolder.create(below, short_roots=[short_root]) as run:
        folder = run.worker_folder(1)

        assert (folder.temp_path == folder.path / "t") is is_short
        assert (folder.notice == "") is is_short


def test_the_length_counts_bytes(short_root: Path) -> None:
    wide = short_root / "é"
    letters = TEMP_PATH_MAX_BYTES - len(str(wide / "r-123456/w1/t"))
    root = short_root / ("é" * letters)

    with RunFolder.create(root, short_roots=[short_root]) as run:
        assert len(str(run.path / "w1/t")) <= TEMP_PATH_MAX_BYTES
        assert run.worker_folder(1).notice != ""


def test_no_short_place_at_all_is_told(long_root: Path) -> None:
    run = RunFolder.create(long_root, short_roots=[long_root])

    with pytest.raises(SetupError, match="Choose a shorter path with --runs-dir"):
        run.worker_folder(1)

    assert list((run.path / "w1").iterdir()) == []
    run.close()


def test_closing_removes_everything_and_may_be_repeated(root: Path) -> None:
    run = RunFolder.create(root)
    write(run.worker_folder(1).profile_path / "Default/Cookies")
    write(run.path / "loose")

    assert run.close() == ()
    assert run.close() == ()
    assert list(root.iterdir()) == []


def test_a_run_that_fails_closes_its_folder(root: Path) -> None:
    def fail(run: RunFolder) -> None:
        write(run.worker_folder(1).profile_path / "Default/Cookies")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), RunFolder.create(root) as run:
        fail(run)

    assert list(root.iterdir()) == []


def test_a_taken_name_is_drawn_again(root: Path) -> None:
    names = iter(("aaaaaa", "aaaaaa", "bbbbbb"))

    with (
        RunFolder.create(root, draw_name=names.__next__) as one,
        RunFolder.create(root, draw_name=names.__next__) as two,
    ):
        assert (one.path.name, two.path.name) == ("r-aaaaaa", "r-bbbbbb")


def test_a_sweep_between_folder_and_lock_costs_a_name_and_nothing_else(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(FileLock):
        def acquire(self, *, is_shared: bool = False) -> bool:
            monkeypatch.undo()
            remove_dead_runs(root)
            return super().acquire(is_shared=is_shared)

    monkeypatch.setattr("poolwright.profile.run_folder.FileLock", Slow)
    names = iter(("aaaaaa", "bbbbbb"))

    with RunFolder.create(root, draw_name=names.__next__) as run:
        assert [path.name for path in root.iterdir()] == [run.path.name] == ["r-bbbbbb"]


def test_when_every_name_is_taken_it_is_told(root: Path) -> None:
    with RunFolder.create(root, draw_name=lambda: "aaaaaa"), pytest.raises(SetupError, match="every name is taken"):
        RunFolder.create(root, draw_name=lambda: "aaaaaa")


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="can't be created"):
        RunFolder.create(write(tmp_path / "file"))


def test_a_slot_that_cannot_be_made_is_told(root: Path) -> None:
    with RunFolder.create(root) as run:
        write(run.path / "w1")

        with pytest.raises(SetupError, match="can't be created"):
            run.worker_folder(1)


def test_a_damaged_clone_outlives_its_run_and_every_sweep(root: Path) -> None:
    run = RunFolder.create(root)
    folder = run.worker_folder(1)
    kept = folder.profile_path.with_name("profile.damaged-20261123T120000Z")
    write(kept / "Default/Cookies")
    write(run.worker_folder(2).profile_path / "Default/Cookies")

    assert run.close() == (kept,)
    swept = remove_dead_runs(root)

    assert swept.removed == ()
    assert swept.left == (kept,)
    assert (kept / "Default/Cookies").is_file()
    assert sorted(path.name for path in run.path.iterdir()) == ["owner.lock", "w1"]


def test_a_sweep_that_was_cut_off_is_taken_up(root: Path) -> None:
    half = root / "r-abcdef"
    write(half / "owner.lock", b"")
    write(half / "w1/profile/Default/Cookies")

    assert remove_dead_runs(root).removed == (half,)
    assert list(root.iterdir()) == []


def test_a_folder_without_a_lock_goes_only_when_it_is_empty(root: Path) -> None:
    (root / "r-empty1").mkdir(parents=True)
    foreign = write(root / "r-notes" / "mine.txt")
    other = write(root / "other" / "owner.lock")

    remove_dead_runs(root)

    assert foreign.is_file()
    assert other.is_file()
    assert not (root / "r-empty1").exists()


def test_a_link_that_looks_like_a_run_is_not_followed(root: Path, tmp_path: Path) -> None:
    write(tmp_path / "elsewhere/owner.lock", b"")
    precious = write(tmp_path / "elsewhere/file")
    root.mkdir()
    (root / "r-abcdef").symlink_to(precious.parent)

    assert remove_dead_runs(root).removed == ()
    assert precious.is_file()


def test_a_record_that_points_elsewhere_removes_nothing(root: Path, tmp_path: Path) -> None:
    precious = write(tmp_path / "precious/file")
    half = root / "r-abcdef"
    write(half / "owner.lock", b"")
    write(half / "w1/t.path", str(precious.parent).encode())

    remove_dead_runs(root)

    assert precious.is_file()
    assert not half.exists()


def test_what_cannot_be_deleted_is_left_with_its_lock_and_told(unprivileged: Path) -> None:
    run = RunFolder.create(unprivileged / "runs", short_roots=[unprivileged])
    stuck = run.worker_folder(1).path / "stuck"
    write(stuck / "file")
    stuck.chmod(0o500)

    assert run.close() == (stuck,)
    assert (run.path / "owner.lock").is_file()

    stuck.chmod(0o700)
    assert remove_dead_runs(unprivileged / "runs").removed == (run.path,)


def test_no_runs_at_all_is_no_error(root: Path) -> None:
    swept = remove_dead_runs(root)

    assert (swept.removed, swept.left) == ((), ())
    assert not root.exists()


def test_a_run_that_was_removed_is_made_again_and_is_still_ours(short_root: Path) -> None:
    with RunFolder.create(short_root / "runs") as run:
        folder = run.worker_folder(1)
        shutil.rmtree(short_root / "runs")

        run.recreate()
        recreate_worker_folder(folder)

        assert folder.temp_path.is_dir()
        assert {mode(path) for path in (run.path, folder.path, folder.temp_path)} == {0o700}
        assert remove_dead_runs(short_root / "runs").removed == ()
        assert run.path.is_dir()
    assert not run.path.exists()


def test_temporary_files_elsewhere_are_found_again_by_whoever_cleans_up(root: Path, short_root: Path) -> None:
    with RunFolder.create(root, short_roots=[short_root]) as run:
        folder = run.worker_folder(1)
        shutil.rmtree(run.path)
        run.recreate()
        recreate_worker_folder(folder)
        again = run.worker_folder(1)
    assert again == folder
    assert not folder.temp_path.exists()


def test_a_run_of_somebody_else_in_its_place_is_not_taken(short_root: Path) -> None:
    with RunFolder.create(short_root, draw_name=lambda: "1") as run:
        shutil.rmtree(run.path)
        with RunFolder.create(short_root, draw_name=lambda: "1"), pytest.raises(SetupError, match="Another run"):
            run.recreate()


def test_places_that_cannot_be_made_again_are_told(short_root: Path) -> None:
    with RunFolder.create(short_root) as run:
        folder = run.worker_folder(1)
        shutil.rmtree(run.path)
        write(run.path)

        with pytest.raises(SetupError, match="can't be created"):
            run.recreate()
        with pytest.raises(SetupError, match="can't be created"):
            recreate_worker_folder(folder)
        run.path.unlink()
