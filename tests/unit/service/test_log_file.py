"""The file of the log stays small, private and free of secrets, and a full disk costs lines, never the work."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from pathlib import Path

import pytest
from loguru import logger

from poolwright.service import log_writer
from poolwright.service.log_setup import LogOptions, configure_logging
from poolwright.service.log_writer import LogFile, LogWriter
from tests.support.full_disk import full_disk

SECRET = "hunter2-of-the-robot"


def lines_of(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_burst_leaves_a_few_small_private_files_without_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "ROTATION_BYTES", 20_000)

    with configure_logging(LogOptions(level="info", file=tmp_path / "log.jsonl", secrets=(SECRET,))):
        for number in range(2_000):
            logger.bind(number=number, form={"password": SECRET}).info("typed {}", SECRET)

    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files] == [*(f"log.{number}.jsonl" for number in range(1, 6)), "log.jsonl"]
    assert all(file.stat().st_size <= 20_000 for file in files)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert all(SECRET not in file.read_text(encoding="utf-8") for file in files)
    numbers = [line["number"] for file in [*reversed(files[:-1]), files[-1]] for line in lines_of(file)]
    assert numbers == list(range(2_000 - len(numbers), 2_000)), "the latest lines are there, in their order"


def test_a_second_start_goes_on_in_the_same_file_and_counts_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "ROTATION_BYTES", 2_000)
    for _ in range(40):
        with configure_logging(LogOptions(level="info", file=tmp_path / "log.jsonl")):
            logger.info("a start")

    assert len(list(tmp_path.iterdir())) > 1
    assert all(file.stat().st_size <= 2_000 for file in tmp_path.iterdir())


def test_a_line_that_is_larger_than_a_file_is_written_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_writer, "ROTATION_BYTES", 2_000)
    with configure_logging(LogOptions(level="info", file=tmp_path / "log.jsonl")):
        logger.info("x" * 5_000)
        logger.info("y")

    assert [line["text"] for line in lines_of(tmp_path / "log.1.jsonl")] == ["x" * 5_000]
    assert [line["text"] for line in lines_of(tmp_path / "log.jsonl")] == ["y"]


def test_half_a_character_stays_valid_json(tmp_path: Path) -> None:
    with configure_logging(LogOptions(level="info", file=tmp_path / "log.jsonl")):
        logger.info("a \ud800 b")

    assert lines_of(tmp_path / "log.jsonl")[0]["text"] == "a \ud800 b"


@pytest.mark.skipif(sys.platform == "win32", reason="file sizes cannot be limited here")
def test_a_full_disk_takes_whole_lines_only(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log.jsonl")
    line = f"{json.dumps({'text': 'x' * 60})}\n"
    with full_disk(250):
        for _ in range(3):
            log.write(line)
        for _ in range(2):
            with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
                log.write(line)
    log.write(line)
    log.close()

    assert (tmp_path / "log.jsonl").read_text() == line * 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_the_device_that_is_always_full_stops_nobody() -> None:
    told: list[str] = []
    log = LogWriter(LogFile(Path("/dev/full")), told.append, str)
    for _ in range(3):
        log.write("line\n")
    log.close()

    assert len(told) == 1
    assert os.strerror(errno.ENOSPC) in told[0]
    assert "Free some disk space" in told[0]
