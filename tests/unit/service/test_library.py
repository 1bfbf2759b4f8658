"""The pool as a library: what it refuses before anything starts, and how it finds a processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.errors import OptionsError, SetupError
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.sdk.discovery import locate_processor
from poolwright.service.library import open_pool
from tests.support import own_processors
from tests.support.machine import GB, with_memory
from tests.support.own_pool import own_pool
from tests.support.paths import ROOT
from tests.support.portal import needs_chromium


@needs_chromium
async def test_more_workers_than_the_memory_holds_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poolwright.service.capacity.inspect_hardware", lambda *_: with_memory(1 * GB))

    with pytest.raises(SetupError, match=r"8 workers .* 5\.5 GB .* 1\.0 GB .*--workers 1 would fit"):
        async with own_pool(tmp_path, workers=8):
            pytest.fail("it runs")


async def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    with pytest.raises(OptionsError, match="wrokers"):
        async with open_pool(own_processors.title, out=tmp_path, wrokers=3):
            pass


def test_a_function_is_located_by_its_module_and_folder() -> None:
    located = locate_processor(own_processors.title)

    assert located.name == "tests.support.own_processors:title"
    assert located.import_path == (str(ROOT),)


def test_a_name_stays_as_it_is() -> None:
    assert locate_processor("tests.support.own_processors:title").name == "tests.support.own_processors:title"


async def _inner(tab: object, task: POTask) -> Report:
    return Report(reason=Reason.ALL_SAVED, detail=f"{tab} {task}")


def test_what_cannot_be_imported_by_name_is_refused() -> None:
    async def nested(tab: object, task: POTask) -> Report:
        return await _inner(tab, task)

    method = own_processors.Desk().process
    for processor in (nested, method, lambda *_: nested(*_)):  # noqa: PLW0108 - a lambda is what is refused
        with pytest.raises(OptionsError, match="cannot be imported by workers"):
            locate_processor(processor)
