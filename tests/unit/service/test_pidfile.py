"""Who works on an output folder: a living process, and no later one of its number."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from poolwright.service.pidfile import (
    BATCH_PIDFILE_NAME,
    DAEMON_PIDFILE_NAME,
    batch_pidfile,
    daemon_pidfile,
    find_batch,
    find_daemon,
    pidfile_problem,
)

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def change(folder: Path, **fields: object) -> None:
    path = folder / DAEMON_PIDFILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_whoever_works_is_found_for_as_long_as_it_works(tmp_path: Path) -> None:
    with daemon_pidfile(tmp_path, "http://127.0.0.1:1", NOW), batch_pidfile(tmp_path, NOW):
        found, batch = find_daemon(tmp_path), find_batch(tmp_path)

    assert found is not None
    assert (found.pid, found.url) == (os.getpid(), "http://127.0.0.1:1")
    assert batch is not None
    assert (find_daemon(tmp_path), find_batch(tmp_path)) == (None, None)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the system says when a process began")
@pytest.mark.parametrize("birth", ["another start of the machine/123", "x"])
def test_a_later_process_of_the_same_number_is_nobody(birth: str, tmp_path: Path) -> None:
    with daemon_pidfile(tmp_path, "http://127.0.0.1:1", NOW):
        change(tmp_path, birth=birth)

        assert find_daemon(tmp_path) is None


def test_where_nobody_says_when_it_began_its_number_counts(tmp_path: Path) -> None:
    with daemon_pidfile(tmp_path, "http://127.0.0.1:1", NOW):
        change(tmp_path, birth="")

        assert find_daemon(tmp_path) is not None


def test_whoever_works_is_found_by_an_older_version_too(tmp_path: Path) -> None:
    with daemon_pidfile(tmp_path, "http://127.0.0.1:1", NOW), batch_pidfile(tmp_path, NOW):
        for path in tmp_path.glob("*.json"):
            path.write_text(json.dumps({**json.loads(path.read_text()), "later": 1}))

        assert find_daemon(tmp_path) is not None
        assert find_batch(tmp_path) is not None


@pytest.mark.parametrize("sign", [daemon_pidfile, batch_pidfile])
def test_a_sign_that_cannot_be_removed_is_no_error(
    sign: Callable[..., AbstractContextManager[object]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    told = ("http://127.0.0.1:1",) if sign is daemon_pidfile else ()
    with sign(tmp_path, *told, NOW):
        monkeypatch.setattr(Path, "unlink", refuse)


def test_a_process_that_is_gone_is_nobody(tmp_path: Path) -> None:
    with daemon_pidfile(tmp_path, "http://127.0.0.1:1", NOW):
        change(tmp_path, pid=2**22 + 1, birth="")

        assert find_daemon(tmp_path) is None


@pytest.mark.parametrize("name", [DAEMON_PIDFILE_NAME, BATCH_PIDFILE_NAME])
@pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": "x"}'])
def test_a_sign_that_nobody_can_read_is_not_taken_for_none(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)

    problem = pidfile_problem(tmp_path)

    assert problem.startswith("It is not known whether a daemon or a batch is running: ")
    assert f"{tmp_path / name} cannot be read because it is damaged." in problem


def test_a_sign_that_this_user_may_not_read_is_told_with_the_cause(tmp_path: Path) -> None:
    (tmp_path / BATCH_PIDFILE_NAME).mkdir()

    assert f"{tmp_path / BATCH_PIDFILE_NAME} cannot be read (Is a directory)." in pidfile_problem(tmp_path)


def test_a_sign_that_is_not_there_or_whole_is_no_problem(tmp_path: Path) -> None:
    assert pidfile_problem(tmp_path / "nowhere") == ""
    with daemon_pidfile(tmp_path, "http://127.0.0.1:1", NOW), batch_pidfile(tmp_path, NOW):
        assert pidfile_problem(tmp_path) == ""
