"""A folder where one order came home, by the program's own journal, archive and report."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from poolwright.archive.output_tree import PRIVATE_NAME, OutputTree
from poolwright.demo.portal_client import PortalClient
from poolwright.domain.ids import BatchId, WorkerRef
from poolwright.domain.tasks import OrderList, OrderRow
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.service.batch import RedoPolicy
from poolwright.service.batch_run import REPORTS_NAME
from poolwright.service.output_folder import JOURNAL_NAME
from tests.support.archive_orders import StoppedClock, report_for, stage, task_for
from tests.support.program import ProgramFolder
from tests.support.storm.faultless_scenario import file_truth, order_truth
from tests.support.storm.properties import breaches
from tests.support.storm.scenario import Scenario, read_scenario, temp_folder
from tests.support.storm.session import Session

FILES = {"a.pdf": b"a.pdf", "b.pdf": b"b.pdf"}
TRUTHS = {"100": order_truth("100", "COMPLETED", *(file_truth(name) for name in FILES))}


@pytest.fixture
async def program(tmp_path: Path) -> ProgramFolder:
    """Where one order came home, by the program's own journal, archive and report."""
    portal = PortalClient(url="", admin_token="", user="", password="", pid=0)
    program = ProgramFolder(folder=tmp_path, portal=portal, environment={})
    base = tmp_path / "profiles" / "demo" / "base"
    base.mkdir(parents=True)
    (base / "Cookies").write_text("a cookie")
    temp_folder(program).mkdir()
    await _come_home(program.out)
    return program


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


def read(program: ProgramFolder) -> Scenario:
    sessions = (Session(number=1, redo=RedoPolicy.RETRYABLE, code=0),)
    base = {"Cookies": hashlib.sha256(b"a cookie").hexdigest()}
    return read_scenario(program, TRUTHS, sessions, base, list_name="orders.xlsx", is_calm=True)


def broken_properties(program: ProgramFolder) -> set[str]:
    return {told.split(":")[0] for told in breaches(read(program))}
