"""What is read of a list that came home, with a real journal, real folders, real locks and real processes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.archive.tree import PRIVATE_NAME, OutputTree
from app.demo.client import Portal
from app.domain.ids import BatchId, WorkerRef
from app.domain.task import OrderList, OrderRow
from app.profile.locks import FileLock
from app.service.batch import Redo
from app.service.out import JOURNAL_NAME
from app.service.runtime import REPORTS_NAME
from app.store.journal import SqliteJournal
from tests.chaos.right_scenario import file_truth, order_truth
from tests.support.archive_orders import StoppedClock, report_for, stage, task_for
from tests.support.program import DESK_MARK, Desk
from tests.support.storm.properties import breaches
from tests.support.storm.scenario import Scenario, read_base, read_scenario, temp_folder
from tests.support.storm.session import Session

FILES = {"a.pdf": b"a.pdf", "b.pdf": b"b.pdf"}
TRUTHS = {"100": order_truth("100", "COMPLETED", *(file_truth(name) for name in FILES))}


@pytest.fixture
async def desk(tmp_path: Path) -> Desk:
    """Where one order came home, by the program's own journal, archive and report."""
    portal = Portal(url="", admin_token="", user="", password="", pid=0)
    desk = Desk(folder=tmp_path, portal=portal, environment={})
    base = tmp_path / "profiles" / "demo" / "base"
    base.mkdir(parents=True)
    (base / "Cookies").write_text("a cookie")
    temp_folder(desk).mkdir()
    await _come_home(desk.out)
    return desk


async def _come_home(out: Path) -> None:
    task, report = task_for("PO100"), report_for(FILES)
    row = OrderRow(row_no=2, cells=("PO100",), given="PO100", task_id=task.task_id)
    orders = OrderList(
        batch_id=BatchId("b"), source="orders.xlsx", columns=("PO_NUMBER",), rows=(row,), tasks=(task,), notices=()
    )
    async with SqliteJournal(out / PRIVATE_NAME / JOURNAL_NAME, StoppedClock()) as journal:
        await journal.accept(orders)
        await journal.fetch(orders.batch_id, 1)
        await journal.start(task.task_id, WorkerRef(1, 1))
        filed = OutputTree(out, clock=StoppedClock()).file(task, report, stage(out.parent / "staged", FILES))
        await journal.finish(task.task_id, report, filed.folder)
    reports = out / REPORTS_NAME
    reports.mkdir()
    (reports / "orders-report.csv").write_text("PO_NUMBER,Outcome\nPO100,COMPLETED\n")


def read(desk: Desk) -> Scenario:
    sessions = (Session(number=1, redo=Redo.RETRYABLE, code=0),)
    base = {"Cookies": hashlib.sha256(b"a cookie").hexdigest()}
    return read_scenario(desk, TRUTHS, sessions, base, list_name="orders.xlsx", is_calm=True)


def broken_properties(desk: Desk) -> set[str]:
    return {told.split(":")[0] for told in breaches(read(desk))}


def test_what_came_home_is_as_it_should_be(desk: Desk) -> None:
    assert breaches(read(desk)) == []


def test_everything_is_read(desk: Desk) -> None:
    scenario = read(desk)

    assert [order.number for order in scenario.orders] == ["100"]
    assert [(one.number, one.is_spent, one.is_open) for one in scenario.attempts] == [(1, True, False)]
    assert [move.event for move in scenario.moves] == ["ASSIGN", "START", "FINISH"]
    assert [set(folder.digests) for folder in scenario.folders] == [set(FILES)]
    assert scenario.rows == (("100", "COMPLETED"),)


def _write(name: str, text: str = "") -> Callable[[Desk], None]:
    def write(desk: Desk) -> None:
        path = desk.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    return write


def _scratch(desk: Desk) -> None:
    with (desk.out / PRIVATE_NAME / JOURNAL_NAME).open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(4096))


@pytest.mark.parametrize(
    ("spoil", "broken"),
    [
        (_write("out/Acme/PO100/a.pdf", "other"), "every file once and right"),
        (_write("out/Acme/PO100/c.pdf"), "every file once and right"),
        (_write("out/Acme/stray.pdf"), "no foreign file"),
        (_write("out/Acme/101/stray.pdf"), "no foreign file"),
        (lambda desk: (desk.out / "Acme" / "102").mkdir(), "no foreign file"),
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
def test_what_is_not_as_it_should_be_is_seen(desk: Desk, spoil: Callable[[Desk], None], broken: str) -> None:
    spoil(desk)

    assert broken in broken_properties(desk)


def test_a_second_folder_of_an_order_is_seen(desk: Desk) -> None:
    (folder,) = (desk.out / read(desk).folders[0].path,)
    second = desk.out / "Other" / "100"
    second.mkdir(parents=True)
    for path in folder.iterdir():
        (second / path.name).write_bytes(path.read_bytes())

    assert broken_properties(desk) == {"one folder for each order"}


def test_a_lock_that_is_held_is_seen(desk: Desk) -> None:
    lock = FileLock(desk.folder / "profiles" / "demo" / "base.lock")
    assert lock.take()
    try:
        assert broken_properties(desk) == {"nothing is left"}
    finally:
        lock.drop()

    assert broken_properties(desk) == set()


def test_a_process_that_lives_on_is_seen(desk: Desk) -> None:
    with _idle_process({**os.environ, DESK_MARK: str(desk.folder)}):  # noqa: TID251 - as a child inherits it
        assert broken_properties(desk) == {"nothing is left"}


@contextmanager
def _idle_process(environment: dict[str, str]) -> Generator[None]:
    command = [sys.executable, "-c", "print('up', flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline()
            yield
        finally:
            process.kill()


def test_the_base_is_read_by_content(desk: Desk) -> None:
    assert set(read_base(desk)) == {"Cookies"}
