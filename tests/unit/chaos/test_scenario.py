"""What is read of a list that came home, with a real journal, real folders and real locks."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.files.locks import FileLock
from poolwright.service.output_folder import JOURNAL_NAME
from tests.support.program import ProgramFolder
from tests.support.storm.finished_run import FILES, broken_properties, read
from tests.support.storm.properties import breaches
from tests.support.storm.scenario import read_base


def test_what_came_home_is_as_it_should_be(program: ProgramFolder) -> None:
    assert breaches(read(program)) == []


def test_everything_is_read(program: ProgramFolder) -> None:
    scenario = read(program)

    assert [order.number for order in scenario.orders] == ["100"]
    assert [(one.number, one.is_spent, one.is_open) for one in scenario.attempts] == [(1, True, False)]
    assert [move.event for move in scenario.moves] == ["ASSIGN", "START", "FINISH"]
    assert [set(folder.digests) for folder in scenario.folders] == [set(FILES)]
    assert scenario.rows == (("100", "COMPLETED"),)


def _write(name: str, text: str = "") -> Callable[[ProgramFolder], None]:
    def write(program: ProgramFolder) -> None:
        path = program.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


def _scratch(program: ProgramFolder) -> None:
    with (program.out / PRIVATE_NAME / JOURNAL_NAME).open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096))


@pytest.mark.parametrize(
    ("spoil", "broken"),
    [
        (_write("out/Acme/PO100/a.pdf", "other"), "every file once and right"),
        (_write("out/Acme/PO100/c.pdf"), "every file once and right"),
        (_write("out/Acme/stray.pdf"), "no foreign file"),
        (_write("out/Acme/101/stray.pdf"), "no foreign file"),
        (lambda program: (program.out / "Acme" / "102").mkdir(), "no foreign file"),
        (_write("runs/r-1a2b3c/owner.lock"), "nothing is left"),
        (_write("out/.poolwright/staging/w1/t1/files/a.pdf"), "nothing is left"),
        (_write("out/.poolwright/filing/1.json"), "nothing is left"),
        (_write("out/.poolwright/replaced/1/a.pdf"), "nothing is left"),
        (_write("out/.poolwright/filed/1.json.new"), "nothing is left"),
        (_write("out/.poolwright/journal.db-wal"), "nothing is left"),
        (_write("tmp/playwright-1"), "nothing is left"),
        (_write("profiles/demo/base/Cookies", "another cookie"), "the base profile is untouched"),
        (_write("profiles/demo/base/Preferences"), "the base profile is untouched"),
        (_scratch, "the journal is whole"),
    ],
)
def test_what_is_not_as_it_should_be_is_seen(
    program: ProgramFolder, spoil: Callable[[ProgramFolder], None], broken: str
) -> None:
    spoil(program)

    assert broken in broken_properties(program)


def test_a_second_folder_of_an_order_is_seen(program: ProgramFolder) -> None:
    (folder,) = (program.out / read(program).folders[0].path,)
    second = program.out / "Other" / "100"
    second.mkdir(parents=True)
    for path in folder.iterdir():
        (second / path.name).write_bytes(path.read_bytes())

    assert broken_properties(program) == {"one folder for each order"}


def test_a_lock_that_is_held_is_seen(program: ProgramFolder) -> None:
    lock = FileLock(program.folder / "profiles" / "demo" / "base.lock")
    assert lock.acquire()
    try:
        assert broken_properties(program) == {"nothing is left"}
    finally:
        lock.release()

    assert broken_properties(program) == set()


def test_the_base_is_read_by_content(program: ProgramFolder) -> None:
    assert set(read_base(program)) == {"Cookies"}
