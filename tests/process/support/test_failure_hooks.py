"""A failed test says what it left and where: alone, in a process of xdist, and when its time is up."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

CONFTEST = """
from pathlib import Path
from tests.support.failure_hooks import FailureKeeper

HERE = Path(__file__).parent

def pytest_configure(config):
    config.pluginmanager.register(FailureKeeper(HERE, HERE / "kept", lambda item: "unwatched" not in item.name))
"""
TESTS = """
import asyncio, subprocess, sys
import pytest
from tests.support import failure_record
from tests.support.failure_record import FailureRecord

@pytest.fixture
def log(tmp_path):
    (tmp_path / "log.jsonl").write_text("{}")

@pytest.fixture
def broken_setup(log):
    raise OSError("the setup broke")

@pytest.fixture
def broken_teardown(log):
    yield
    raise OSError("the teardown broke")

def test_call(log): assert 1 == 2
def test_setup(broken_setup): pass
def test_teardown(broken_teardown): pass
def test_unwatched(log): assert 1 == 2
def test_passes(log): pass
def test_skipped(log): pytest.skip("not here")

@pytest.mark.xfail(strict=True)
def test_is_expected_to_fail(log): assert 1 == 2

async def expects_an_exception():
    with pytest.raises(OSError, match="^expected$"):
        async with failure_record.current().watching("the folder"):
            raise OSError("expected")

def test_that_expects_an_exception(): asyncio.run(expects_an_exception())

async def hang():
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", "input('hanging')", stdin=subprocess.PIPE)
    async with failure_record.current().watching("the folder"):
        await asyncio.Event().wait()

@pytest.mark.asyncio
@pytest.mark.timeout(2, method="signal")
async def test_that_hangs(log): await hang()

def test_with_a_broken_record(log, monkeypatch):
    monkeypatch.setattr(FailureRecord, "keep", lambda *_: [][1])
    assert 1 == 2
"""
FAILING = {"test_call", "test_setup", "test_teardown", "test_that_hangs"}


@pytest.fixture(scope="module", params=[(), ("-n", "1")], ids=["alone", "xdist"])
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with the tests, after they ran, and what pytest said."""
    folder = tmp_path_factory.mktemp("made-up")
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_made_up.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={folder / 'tmp'}", *request.param]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 1, done
    return folder, done.stdout


def test_exactly_the_watched_tests_that_failed_left_something(ran: tuple[Path, str]) -> None:
    folder, said = ran

    assert {path.name.removeprefix("test_made_up.") for path in (folder / "kept").iterdir()} == FAILING
    assert "4 failed, 3 passed, 1 skipped, 1 xfailed, 2 errors" in said


def test_it_is_printed_where_and_what(ran: tuple[Path, str]) -> None:
    _, said = ran

    told = re.findall(r"-+ What this failure left: kept/test_made_up\.(\w+) -+\n(.*)", said)
    assert dict(told) == dict.fromkeys(FAILING, "1 process table, 1 log")


def test_the_error_itself_is_told_as_ever(ran: tuple[Path, str]) -> None:
    _, said = ran

    for error in ("assert 1 == 2", "OSError: the setup broke", "OSError: the teardown broke", "Failed: Timeout"):
        assert re.search(f"^E +{error}", said, re.MULTILINE), error


def test_a_test_whose_time_is_up_leaves_the_processes_that_ran(ran: tuple[Path, str]) -> None:
    folder, _ = ran

    assert "input('hanging')" in (folder / "kept/test_made_up.test_that_hangs/processes.txt").read_text()


def test_a_record_that_breaks_is_told_beside_the_failure(ran: tuple[Path, str]) -> None:
    _, said = ran

    assert "What this failure left -" in said
    assert "It could not be kept: IndexError(" in said
