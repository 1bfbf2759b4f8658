"""Folders of runs whose processes are killed, and the sweep that follows."""

from __future__ import annotations

from pathlib import Path

from poolwright.profile.run_folder import RunFolder, remove_dead_runs
from tests.process.profile.children import child, kill

LEAD = """
import sys
from pathlib import Path
from poolwright.profile.run_folder import RunFolder
run = RunFolder.create(Path(sys.argv[1]), short_roots=[Path(argument) for argument in sys.argv[2:]])
folder = run.worker_folder(1)
(folder.profile_path / "Default").mkdir(parents=True)
(folder.profile_path / "Default" / "Cookies").write_bytes(b"login")
(folder.temp_path / "left.txt").write_text("x")
print(run.path, flush=True)
sys.stdin.read()
"""
#: A leader that has started a worker of its own before it is killed.
LEAD_WITH_WORKER = LEAD.replace(
    "print(run.path, flush=True)",
    """import subprocess
subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=sys.stdin)
print(run.path, flush=True)""",
)


def test_a_killed_run_is_swept_and_a_living_one_is_not(root: Path, short_root: Path) -> None:
    arguments = str(root), str(short_root)
    with child(LEAD, *arguments) as (dead, dead_path), child(LEAD, *arguments) as (_, living_path):
        kill(dead)

        swept = remove_dead_runs(root)

        assert swept.removed == (Path(dead_path),)
        assert swept.left == ()
        assert (Path(living_path) / "w1/profile/Default/Cookies").is_file()
    assert [str(path) for path in root.iterdir()] == [living_path]


def test_our_own_living_run_is_not_swept(root: Path) -> None:
    with RunFolder.create(root) as run:
        assert remove_dead_runs(root).removed == ()
        assert run.path.is_dir()


def test_a_worker_that_outlives_its_leader_does_not_hold_the_run(root: Path, short_root: Path) -> None:
    with child(LEAD_WITH_WORKER, str(root), str(short_root)) as (leader, path):
        kill(leader)

        assert remove_dead_runs(root).removed == (Path(path),)


def test_temporary_folders_elsewhere_are_swept_with_their_run(long_root: Path, short_root: Path) -> None:
    with child(LEAD, str(long_root), str(short_root)) as (process, path):
        kill(process)
        assert [away.name[:3] for away in short_root.iterdir()] == ["pw-"]

        assert remove_dead_runs(long_root).removed == (Path(path),)

    assert list(short_root.iterdir()) == []


def test_strays_are_ended_before_their_folder_goes(root: Path, short_root: Path) -> None:
    seen: list[tuple[Path, bool]] = []
    with child(LEAD, str(root), str(short_root)) as (process, path):
        kill(process)

        remove_dead_runs(root, end_strays=lambda folder: seen.append((folder, (folder / "w1/profile").is_dir())))

    assert seen == [(Path(path), True)]
