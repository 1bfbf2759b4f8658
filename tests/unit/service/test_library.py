"""The pool as a library: what it refuses before anything starts, and how it finds a processor."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

import pytest

from poolwright.domain.errors import OptionsError, PoolError, SetupError
from poolwright.domain.options import BrowserKind
from poolwright.domain.outcomes import Reason
from poolwright.domain.tasks import POTask, Report
from poolwright.sdk.discovery import locate_processor
from poolwright.sdk.protocol import ProcessorError
from poolwright.service.library import open_pool
from poolwright.settings import PoolSettings, Settings
from poolwright.settings.pool_settings import NOT_OF_POOL, BrowserName
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
        async with open_pool(own_processors.title, out=tmp_path, wrokers=3):  # pyright: ignore[reportCallIssue]
            pass


@pytest.mark.parametrize(("name", "hint"), [("port", "of the daemon"), ("group_by", "new_task(..., group=...)")])
async def test_a_setting_without_effect_in_a_pool_is_refused(tmp_path: Path, name: str, hint: str) -> None:
    given: Any = {name: "3"}
    with pytest.raises(OptionsError, match=re.escape(hint)):
        async with open_pool(own_processors.title, out=tmp_path, **given):
            pass


def test_every_setting_is_one_of_a_pool_or_refused() -> None:
    assert set(get_type_hints(PoolSettings)) | set(NOT_OF_POOL) == set(Settings.model_fields)
    assert not set(get_type_hints(PoolSettings)) & set(NOT_OF_POOL)


@pytest.mark.parametrize("name", ["sandbox", "page_evidence", "log_level"])
def test_the_choices_of_a_setting_are_those_of_its_enumeration(name: str) -> None:
    choices = get_args(get_type_hints(PoolSettings)[name])

    assert list(choices) == [choice.value for choice in cast("type[StrEnum]", Settings.model_fields[name].annotation)]


def test_the_kinds_of_browsers_are_those_of_their_enumeration() -> None:
    assert list(get_args(BrowserName)) == [kind.value for kind in BrowserKind]


def test_what_a_processor_raises_is_a_pool_error() -> None:
    assert issubclass(ProcessorError, PoolError)


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
