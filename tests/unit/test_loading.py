"""What loading changes in a process, and for whom."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from collections.abc import Iterator

import pytest

from poolwright import interpreter
from poolwright.service.schedules.sources import child_environment

NAME = "PYDANTIC_DISABLE_PLUGINS"
ENVIRONMENT = os.environ  # noqa: TID251 - what is changed there is what these tests are about


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(NAME, "")  # noted, so that it is put back
    monkeypatch.delenv(NAME)
    monkeypatch.setattr(interpreter, "own_variables", set[str]())
    monkeypatch.setitem(sys.modules, "httpx._main", sys.modules.get("httpx._main", sys))
    yield
    gc.enable()


def test_garbage_is_looked_for_again_once_all_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gc, "freeze", lambda: None)  # what it would keep for ever is that of all the tests
    interpreter.prepare_imports()
    is_at_rest = not gc.isenabled()

    interpreter.finish_imports()

    assert (is_at_rest, gc.isenabled()) == (True, True)


def test_who_did_not_begin_keeps_all_that_is_garbage(monkeypatch: pytest.MonkeyPatch) -> None:
    frozen: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append("all"))

    interpreter.finish_imports()

    assert frozen == []


def test_what_was_set_for_our_processes_is_not_inherited_by_programs_of_others() -> None:
    interpreter.prepare_imports()

    assert child_environment(is_ours=True)[NAME] == "__all__"
    assert NAME not in child_environment(is_ours=False)


def test_what_a_person_set_stays_and_is_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "one-of-mine")

    interpreter.prepare_imports()

    assert ENVIRONMENT[NAME] == "one-of-mine"
    assert child_environment(is_ours=False)[NAME] == "one-of-mine"


def test_what_a_process_never_uses_seems_not_to_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "graphlib", sys)  # put back at the end
    monkeypatch.setitem(sys.modules, "colorsys", sys)

    interpreter.prepare_imports("graphlib")

    with pytest.raises(ImportError):
        importlib.import_module("graphlib")
    assert importlib.import_module("colorsys") is sys
