"""Tells pytest's report of a failed test what the failure left, and where."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.support import failure_record
from tests.support.failure_record import FailureRecord, folder_name

_RECORD = pytest.StashKey[FailureRecord]()


class FailureKeeper:
    """A plugin of pytest."""

    def __init__(self, root: Path, kept: Path, is_watched: Callable[[pytest.Item], bool]) -> None:
        """Keep records in the folder ``kept``, told as it is seen from ``root``, of the tests that are watched."""
        self._root = root
        self._kept = kept
        self._is_watched = is_watched

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Have a record while the test runs; fixtures are set up and torn down in here too."""
        with failure_record.begun(folder_name(item.nodeid)) as record:
            item.stash[_RECORD] = record
            try:
                return (yield)
            finally:
                del item.stash[_RECORD]

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Generator[None, object, object]:
        """Hear of the folder of the test at once: a test that fails in its set-up has no arguments to ask for it."""
        made = yield
        if fixturedef.argname == "tmp_path" and isinstance(made, Path):
            failure_record.current().look_into(made)
        return made

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # the last word: after those who turn failures into expected ones
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write the record of a failure. A section of a report also comes back from the processes of xdist."""
        report = yield
        if report.failed and self._is_watched(item):
            try:
                report.sections.append(self._section(item))
            except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - the test's own failure is what counts
                report.sections.append(("What this failure left", f"It could not be kept: {error!r}"))
        return report

    def _section(self, item: pytest.Item) -> tuple[str, str]:
        section = item.stash[_RECORD].keep(self._kept)
        return section.title(self._root), section.text()
