"""The places of a run: gone, back, replaced, without room, or not to be looked at. No disk ends the looking."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from poolwright.domain.errors import SetupError
from poolwright.domain.storage import StorageTrouble
from poolwright.supervisor import storage_monitor
from poolwright.supervisor.policy.commands import StopCause
from poolwright.supervisor.policy.events import (
    DiskLow,
    FolderMissing,
    FolderRecreated,
    PauseEnded,
    StopRequested,
    StorageUnavailable,
)
from poolwright.supervisor.policy.pauses import PauseReason
from poolwright.supervisor.storage_monitor import StorageMonitor, WatchedFolder
from tests.support.pool_contexts import KnownFolders, pool_context, storage_of


def monitor(*paths: Path) -> StorageMonitor:
    return storage_of(pool_context(), *(WatchedFolder(path=path, name="the output folder") for path in paths))


def test_a_folder_that_is_there_and_has_room_is_nothing_to_speak_of(tmp_path: Path) -> None:
    assert monitor(tmp_path, tmp_path / "still to be made").poll() == []


def test_a_folder_that_is_gone_is_said_until_the_same_one_is_back(tmp_path: Path) -> None:
    place, aside = tmp_path / "out", tmp_path / "aside"
    place.mkdir()
    watch = monitor(place)
    watch.poll()

    place.rename(aside)
    gone = watch.poll()
    aside.rename(place)
    back = watch.poll()

    (fact,) = gone
    assert isinstance(fact, FolderMissing)
    assert f"The output folder {place} is gone." in fact.detail
    assert back == [PauseEnded(cause=PauseReason.PLACE_GONE)]
    assert watch.poll() == []


def test_another_folder_in_its_place_ends_the_pool(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.mkdir()
    watch = monitor(place)
    watch.poll()

    place.rename(tmp_path / "kept")  # its number stays taken
    place.mkdir()

    (fact,) = watch.poll()
    assert isinstance(fact, StopRequested)
    assert fact.cause is StopCause.SETUP_FAILED
    assert "is not the folder that this run began with" in fact.detail
    assert "is not the folder that this run began with" in watch.missing_folder()


def test_a_folder_that_only_got_another_number_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = monitor(tmp_path)
    watch.poll()
    numbers = iter(range(100))

    monkeypatch.setattr(WatchedFolder, "identity", lambda _: (1, next(numbers)))

    assert watch.poll() == []


def test_no_mark_stays_behind(tmp_path: Path) -> None:
    (tmp_path / ".here-of-a-run-that-was-killed").touch()
    watch = monitor(tmp_path)
    watch.poll()

    watch.close()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "trouble"),
    [
        (errno.ESTALE, StorageTrouble.AWAY),
        (errno.EIO, StorageTrouble.AWAY),
        (errno.EACCES, StorageTrouble.FORBIDDEN),
        (errno.EINVAL, StorageTrouble.AWAY),
    ],
)
def test_a_disk_that_cannot_be_looked_at_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, trouble: StorageTrouble
) -> None:
    def disk_usage(path: Path) -> None:
        raise OSError(code, "the disk says no")

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)

    (fact,) = monitor(tmp_path).poll()

    assert isinstance(fact, StorageUnavailable)
    assert fact.trouble is trouble
    assert "the disk says no" in fact.detail


def test_a_folder_that_cannot_be_looked_at_is_not_taken_for_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = monitor(tmp_path)
    watch.poll()

    def identity(_: WatchedFolder) -> None:
        raise OSError(errno.ESTALE, "the share is away")

    monkeypatch.setattr(WatchedFolder, "identity", identity)

    (fact,) = watch.poll()

    assert isinstance(fact, StorageUnavailable)
    assert watch.missing_folder() == ""


def test_a_disk_without_room_is_said_with_what_lies_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_monitor, "FREE_MIN_BYTES", 2**60)

    (fact,) = monitor(tmp_path).poll()

    assert isinstance(fact, DiskLow)
    assert fact.place == "the output folder"


def remakeable(place: Path, remake: Callable[[], None]) -> StorageMonitor:
    class Remakeable(KnownFolders):
        def recreate(self, folder: WatchedFolder) -> None:
            assert folder.path == place
            remake()

    folders = Remakeable(WatchedFolder(path=place, name="the run folder", is_recreatable=True))
    return StorageMonitor(pool_context(), folders)


def test_a_folder_of_copies_is_made_again(tmp_path: Path) -> None:
    place = tmp_path / "runs" / "r-1"
    place.mkdir(parents=True)
    watch = remakeable(place, lambda: place.mkdir(parents=True, exist_ok=True))
    watch.poll()

    shutil.rmtree(tmp_path / "runs")
    facts = watch.poll()

    assert facts == [FolderRecreated(name="the run folder")]
    assert place.is_dir()
    assert watch.missing_folder() == ""
    assert watch.poll() == []


def test_what_a_browser_wrote_in_its_place_meanwhile_is_no_other_folder(tmp_path: Path) -> None:
    place = tmp_path / "r-1"
    place.mkdir()
    watch = remakeable(place, lambda: place.mkdir(exist_ok=True))
    watch.poll()

    place.rename(tmp_path / "kept")  # its number stays taken
    (place / "w1" / "profile").mkdir(parents=True)

    assert watch.poll() == [FolderRecreated(name="the run folder")]
    assert watch.missing_folder() == ""


@pytest.mark.parametrize("error", [OSError(errno.EROFS, "Read-only file system"), SetupError("somebody has it")])
def test_one_that_cannot_be_made_again_is_held_said_and_tried_again(tmp_path: Path, error: Exception) -> None:
    place = tmp_path / "r-1"
    place.mkdir()
    is_possible = False

    def remake() -> None:
        if not is_possible:
            raise error
        place.mkdir()

    watch = remakeable(place, remake)
    watch.poll()
    shutil.rmtree(place)

    (gone,) = watch.poll()
    assert isinstance(gone, FolderMissing)
    assert "is gone. Bring the same folder back" in gone.detail
    assert f"It cannot be recreated: {error}" in gone.detail
    is_possible = True
    assert watch.poll() == [FolderRecreated(name="the run folder"), PauseEnded(cause=PauseReason.PLACE_GONE)]


def test_none_is_made_where_its_whole_disk_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "r-1"
    place.mkdir()
    watch = remakeable(place, lambda: pytest.fail("another disk would fill up"))
    watch.poll()
    shutil.rmtree(place)
    monkeypatch.setattr(WatchedFolder, "device", lambda _: -1)

    (gone,) = watch.poll()

    assert isinstance(gone, FolderMissing)


def test_a_folder_with_what_cannot_be_made_again_is_held(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.mkdir()
    watch = monitor(place)
    watch.poll()
    shutil.rmtree(place)

    assert isinstance(watch.poll()[0], FolderMissing)
    assert not place.exists()
