"""The folder of a test is its kind: it marks the test, and says whether the test may start a process."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
from collections.abc import Generator
from contextlib import nullcontext
from pathlib import Path

import pytest

from tests.support.failure_hooks import FailureKeeper
from tests.support.paths import ROOT
from tests.support.process_guard import ProcessGuard
from tests.support.shared_folder import open_shared_folder

_TESTS = Path(__file__).parent
#: The marks of each kind.
_MARKS = {
    "unit": ("unit",),
    "contract": ("unit",),
    "architecture": ("unit",),
    "process": ("process",),
    "browser": ("browser",),
    "system": ("system", "browser"),
    "chaos": ("chaos",),
    "image": ("image",),
}
#: The kinds whose failures have causes that pytest cannot show: a program's, a browser's, a machine's.
_LEAVING_MUCH = frozenset({"process", "browser", "system", "chaos", "image"})
#: What is done about a signal that nobody hid from us.
_HEARD = {
    signal.SIGINT: signal.default_int_handler,
    **({signal.SIGHUP: signal.SIG_DFL} if sys.platform != "win32" else {}),
}
#: Where files lie in memory on Linux, and the room that the folders of all tests must find there.
_MEMORY, _ROOM_BYTES = Path("/dev/shm"), 8 * 1024**3
_GUARD = ProcessGuard()
_GUARD.install()


def pytest_configure(config: pytest.Config) -> None:
    """Keep what failures leave, in the folder for all that is made and not to be committed; let signals be heard.

    Folders of tests lie in memory where there is room: there are tens of thousands, and a disk may take milliseconds
    to remove each. Programs that tests start find the tests too: scripted workers are modules here. The driver of the
    browsers, a Node program that starts hundreds of times, keeps what it has compiled. Nothing reads the keyring of
    the person who runs the tests, and nothing searches for it.

    A shell hides Ctrl+C from what it starts in the background, and ``nohup`` hides the end of the terminal; what is
    hidden from the tests is hidden from every program that a test starts.
    """
    environment = os.environ  # noqa: TID251 - pytest asks there, and it is no setting of the program
    if "PYTEST_DEBUG_TEMPROOT" not in environment and _has_room(_MEMORY):
        environment["PYTEST_DEBUG_TEMPROOT"] = str(_MEMORY)
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [environment.get("PYTHONPATH")])])
    environment.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    environment.setdefault("NODE_COMPILE_CACHE", str(ROOT / "build" / "node"))
    open_shared_folder()
    for number, usual in _HEARD.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)
    keeper = FailureKeeper(ROOT, ROOT / "build" / "failures", lambda item: _kind(item) in _LEAVING_MUCH)
    config.pluginmanager.register(keeper, "failure-keeper")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by what they are for: archives and workbooks hold the time when they were made.

    Test processes that collect side by side must find the same names; pytest numbers those that are alike.
    """
    return argname if isinstance(val, bytes | bytearray) else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test with its kind, before ``-m`` chooses by marks."""
    for item in items:
        if item.path.is_relative_to(_TESTS):
            for mark in _MARKS[_kind(item)]:
                item.add_marker(mark)


def pytest_collection_finish() -> None:
    """Spare the garbage collector the tests that were found, which live to the end: it would go through all of them."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let no process start while a unit test runs, its fixtures included."""
    with nullcontext() if _may_start_processes(item) else _GUARD.shut():
        return (yield)


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= _ROOM_BYTES


def _may_start_processes(item: pytest.Item) -> bool:
    if item.get_closest_marker("unit") is None:
        return True
    # The tools that are asked about the architecture are programs of their own.
    return _kind(item) == "architecture" and item.get_closest_marker("asks_a_program") is not None


def _kind(item: pytest.Item) -> str:
    kind = item.path.relative_to(_TESTS).parts[0]
    if kind not in _MARKS:
        raise pytest.UsageError(f"{item.nodeid} lies in no folder of a kind; there are {', '.join(_MARKS)}.")
    return kind
