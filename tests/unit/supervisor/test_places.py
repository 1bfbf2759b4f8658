"""The places of a run: gone, back, replaced, without room, or not to be looked at. No disk ends the looking."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from app.domain.storage import StorageTrouble
from app.supervisor import places
from app.supervisor.facts import Fact
from app.supervisor.holds import HoldCause
from app.supervisor.places import Place, StorageMonitor
from app.supervisor.pool_facts import HoldOver, PlaceGone, RoomScarce, StopNeeded, StorageOut
from app.supervisor.stops import StopCause


def monitor(*paths: Path) -> StorageMonitor:
    told: list[Fact] = []
    watched = tuple(Place(path=path, name="the output folder") for path in paths)
    return StorageMonitor(lambda: watched, told.append)


def test_a_folder_that_is_there_and_has_room_is_nothing_to_speak_of(tmp_path: Path) -> None:
    assert monitor(tmp_path, tmp_path / "still to be made").facts() == []


def test_a_folder_that_is_gone_is_said_until_the_same_one_is_back(tmp_path: Path) -> None:
    place, aside = tmp_path / "out", tmp_path / "aside"
    place.mkdir()
    watch = monitor(place)
    watch.facts()

    place.rename(aside)
    gone = watch.facts()
    aside.rename(place)
    back = watch.facts()

    (fact,) = gone
    assert isinstance(fact, PlaceGone)
    assert f"The output folder {place} is gone." in fact.detail
    assert back == [HoldOver(cause=HoldCause.PLACE_GONE)]
    assert watch.facts() == []


def test_another_folder_in_its_place_ends_the_pool(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.mkdir()
    watch = monitor(place)
    watch.facts()

    place.rename(tmp_path / "kept")  # its number stays taken
    place.mkdir()

    (fact,) = watch.facts()
    assert isinstance(fact, StopNeeded)
    assert fact.cause is StopCause.SETUP_FAILED
    assert "another folder" in fact.detail
    assert "another folder" in watch.missing()


def test_a_folder_that_only_got_another_number_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = monitor(tmp_path)
    watch.facts()
    numbers = iter(range(100))

    monkeypatch.setattr(Place, "number", lambda _: (1, next(numbers)))

    assert watch.facts() == []


def test_no_mark_stays_behind(tmp_path: Path) -> None:
    (tmp_path / ".here-of-a-run-that-was-killed").touch()
    watch = monitor(tmp_path)
    watch.facts()

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

    (fact,) = monitor(tmp_path).facts()

    assert isinstance(fact, StorageOut)
    assert fact.trouble is trouble
    assert "the disk says no" in fact.detail


def test_a_disk_without_room_is_said_with_what_lies_on_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "ROOM_FLOOR_BYTES", 2**60)

    (fact,) = monitor(tmp_path).facts()

    assert isinstance(fact, RoomScarce)
    assert fact.place == "the output folder"
