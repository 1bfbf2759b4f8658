"""Whoever logs waits for no disk: lines are written in their order, and those that are lost are counted and said."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator
from pathlib import Path

import pytest
from loguru import logger

from poolwright.service import log_writer
from poolwright.service.log_setup import LogOptions, configure_logging, configure_pool_logging
from poolwright.service.log_writer import LogFile, LogWriter

SECRET = "hunter2-of-the-robot"


class Disk(LogFile):
    """A file whose disk hangs when somebody says so, and has no room for some lines."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.answers = threading.Event()
        self.answers.set()
        self.is_hanging = threading.Event()

    def write(self, line: str) -> None:
        if not self.answers.is_set():
            self.is_hanging.set()
            self.answers.wait()
        if line.startswith("!"):
            raise OSError(28, "No space left on device")
        super().write(line)


def gap(count: int) -> str:
    return f"lost {count}\n"


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def disk(tmp_path: Path) -> Generator[Disk]:
    made = Disk(tmp_path / "log.jsonl")
    yield made
    made.answers.set()


def test_nothing_is_lost_at_a_usual_end(disk: Disk, told: list[str]) -> None:
    writer = LogWriter(disk, told.append, gap)
    lines = [f"line {number}\n" for number in range(20_000)]
    for line in lines:
        writer.write(line)
    writer.close()

    assert disk.path.read_text() == "".join(lines)
    assert told == []


def test_a_disk_that_hangs_holds_nobody_up_and_what_is_lost_is_counted_in_its_place(
    disk: Disk, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "WAITING_MAX", 40)
    writer = LogWriter(disk, told.append, gap)
    disk.answers.clear()
    writer.write("a" * 9 + "\n")
    assert disk.is_hanging.wait(60)
    for letter in "bcdefgh":  # four of them find room
        writer.write(letter * 9 + "\n")

    assert len(told) == 1
    assert "is losing lines: its disk hangs" in told[0]
    disk.answers.set()
    writer.close()

    assert [line[0] for line in disk.path.read_text().splitlines()] == list("abcde")
    assert len(told) == 1


def test_what_comes_after_a_gap_is_told_how_long_it_was(
    disk: Disk, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "WAITING_MAX", 10)
    writer = LogWriter(disk, told.append, gap)
    disk.answers.clear()
    writer.write("first\n")
    assert disk.is_hanging.wait(60)
    writer.write("second\n")
    for _ in range(7):
        writer.write("lost\n")
    monkeypatch.setattr(log_writer, "WAITING_MAX", 1_000)
    writer.write("third\n")
    disk.answers.set()
    writer.close()

    assert disk.path.read_text().splitlines() == ["first", "second", "lost 7", "third"]


def test_an_end_does_not_wait_for_a_disk_that_hangs(
    disk: Disk, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "CLOSE_LIMIT_S", 0.0)
    writer = LogWriter(disk, told.append, gap)
    disk.answers.clear()
    writer.write("first\n")
    assert disk.is_hanging.wait(60)
    for _ in range(4):
        writer.write("more\n")
    writer.close()

    assert told == [f"The log {disk.path} is missing its last 5 lines: its disk hangs."]
    assert all(thread.daemon for thread in threading.enumerate() if thread.name == "log")


def test_a_full_disk_costs_lines_is_told_once_each_time_and_counted_when_there_is_room(
    disk: Disk, told: list[str]
) -> None:
    writer = LogWriter(disk, told.append, gap)
    for line in ("!a", "!b", "c", "!d", "f", "g"):
        writer.write(f"{line}\n")
    writer.close()

    assert disk.path.read_text().splitlines() == ["lost 1", "lost 1", "c", "lost 1", "f", "g"]
    assert len(told) == 2
    assert all("is losing lines" in line and "Free some disk space" in line for line in told)


def test_the_log_says_in_its_own_words_what_it_lost_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disks: list[Disk] = []

    def open_disk(path: Path) -> Disk:
        disks.append(Disk(path))
        disks[0].answers.clear()
        return disks[0]

    monkeypatch.setattr("poolwright.service.log_setup.LogFile", open_disk)
    monkeypatch.setattr(log_writer, "WAITING_MAX", 1)
    people: list[str] = []
    options = LogOptions(level="info", file=tmp_path / "log.jsonl", people=people.append, secrets=(SECRET,))
    with configure_logging(options):
        logger.info("first")
        assert disks[0].is_hanging.wait(60)
        for _ in range(3):
            logger.info("{}", SECRET)
        monkeypatch.setattr(log_writer, "WAITING_MAX", 10_000)
        logger.info("last")
        disks[0].answers.set()

    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line.get("lost_count") for line in lines] == [None, None, 2, None]
    assert SECRET not in (tmp_path / "log.jsonl").read_text()
    assert set(lines[2]) > {"at", "level", "text", "where"}
    assert len(people) == 1


def test_a_pool_of_a_script_ends_although_its_log_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks: list[Disk] = []

    def open_disk(path: Path) -> Disk:
        disks.append(Disk(path))
        disks[0].answers.clear()
        return disks[0]

    monkeypatch.setattr("poolwright.service.log_setup.LogFile", open_disk)
    monkeypatch.setattr(log_writer, "CLOSE_LIMIT_S", 0.0)
    with configure_pool_logging(LogOptions(level="info", file=tmp_path / "log.jsonl")):
        logger.patch(lambda record: record.update(name="poolwright.here")).info("a line")
    disks[0].answers.set()
