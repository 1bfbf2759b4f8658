"""``health`` of a batch and of nothing at all; that of a daemon is in ``tests/process/daemon/test_client.py``."""

from __future__ import annotations

import os
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.service.api.token_auth import TOKEN_FILE_NAME
from poolwright.service.pidfile import BATCH_PIDFILE_NAME, BatchPidfile, batch_pidfile, daemon_pidfile, find_batch
from tests.support.commands import Command

NOW = datetime(2026, 11, 28, tzinfo=UTC)
#: No system gives out such a number.
NOBODY = 2**22 + 1


@pytest.fixture
def private(program: Path) -> Path:
    folder = program / "out" / PRIVATE_NAME
    folder.mkdir(parents=True)
    return folder


def test_where_nothing_works_that_is_not_well(command: Command, program: Path) -> None:
    told = command("health", "--out", str(program / "out"))

    assert (told.exit_code, "no daemon and no batch is running on" in told.output) == (1, True)


def test_a_sign_of_a_process_that_nobody_can_read_is_not_taken_for_none(command: Command, private: Path) -> None:
    (private / "daemon.json").write_text("{ cut")

    told = command("health", "--out", str(private.parent))
    refused = command("pause", "--out", str(private.parent))

    assert told.exit_code == 1
    assert "unhealthy: It is not known whether a daemon or a batch is running" in told.output
    assert "It is not known whether a daemon or a batch is running" in f"{refused.output} {refused.exception}"


def test_a_batch_is_well_until_it_drains(command: Command, private: Path) -> None:
    out = str(private.parent)
    with batch_pidfile(private, NOW) as tell_draining:
        works = command("health", "--out", out)
        tell_draining()
        drains = command("health", "--out", out)
        lives = command("health", "--live", "--out", out)
    ended = command("health", "--out", out)

    assert (works.exit_code, works.output) == (0, "healthy: a batch is running\n")
    assert (drains.exit_code, drains.output) == (1, "unhealthy: a batch is finishing its orders in progress\n")
    assert (lives.exit_code, ended.exit_code) == (0, 1)


def test_a_batch_that_was_killed_is_not_taken_for_one_that_works(private: Path) -> None:
    beacon = BatchPidfile(pid=NOBODY, started_at=NOW)
    (private / BATCH_PIDFILE_NAME).write_text(beacon.model_dump_json())

    assert find_batch(private) is None


def test_a_second_batch_that_will_be_refused_says_nothing_of_the_first(private: Path) -> None:
    first = BatchPidfile(pid=os.getppid(), started_at=NOW)
    (private / BATCH_PIDFILE_NAME).write_text(first.model_dump_json())

    with batch_pidfile(private, NOW) as tell_draining:
        tell_draining()

    assert find_batch(private) == first


def test_a_folder_that_takes_no_such_file_stops_no_batch(tmp_path: Path) -> None:
    with batch_pidfile(tmp_path / "missing", NOW) as tell_draining:
        tell_draining()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("word", ["health", "status"])
def test_a_daemon_is_asked_without_loading_certificates(
    word: str, command: Command, private: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It speaks no TLS, and loading them takes longer than all the rest of the question."""
    loaded: list[object] = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *told, **_: loaded.append(told))
    (private / TOKEN_FILE_NAME).write_text("token")

    with daemon_pidfile(private, "http://127.0.0.1:1", NOW):
        told = command(word, "--out", str(private.parent))

    assert "does not answer" in told.output
    assert loaded == []
