"""Runs in an output folder of another account are refused; one of an earlier Poolwright is taken up as it is."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import anyio
import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.domain.account import Account
from poolwright.domain.options import BrowserOptions, PoolOptions, WorkerOptions
from poolwright.domain.outcomes import Outcome
from poolwright.domain.tasks import FetchedFile
from poolwright.files.names import STAGED_FILES
from poolwright.journal.errors import JournalAccountError
from poolwright.service.batch import BatchEnding, BatchJob, BatchSummary
from poolwright.service.batch_run import run_batch
from poolwright.service.daemon.lifecycle import DaemonConfig, open_daemon
from tests.support.earlier_journals import EARLIER, build
from tests.support.manual_clock import ManualClock
from tests.support.tasks import orders, po_task, report

PDF = b"%PDF-1.7 what the portal gave"


def a_job(root: Path, *numbers: int, address: str = "https://portal.example", profile: str = "work") -> BatchJob:
    """A list of orders that are all done: nothing of it needs a browser."""
    return BatchJob(
        orders=orders(*numbers),
        pool=PoolOptions(
            worker=WorkerOptions(browser=BrowserOptions()),
            base_profile_path=root / "base",
            runs_root=root / "runs",
            staging_path=root / "out" / ".poolwright" / "staging",
        ),
        out=root / "out",
        template="{supplier}/{number}",
        journal_path=root / "out" / ".poolwright" / "journal.db",
        report_stem="orders-report",
        account=Account.at(address, portal="demo", profile=profile),
    )


async def run(job: BatchJob) -> BatchSummary:
    return await run_batch(job, observe=lambda _: None, stop=anyio.Event(), stop_now=anyio.Event())


def old_folder(root: Path, schema: Path) -> None:
    """What an earlier Poolwright left: its journal, and the folder of one order that is done."""
    out = root / "out"
    file = FetchedFile(
        name="a.pdf",
        label="a",
        size_bytes=len(PDF),
        sha256=hashlib.sha256(PDF).hexdigest(),
        media_type="application/pdf",
        source_url="",
    )
    staged = out / ".poolwright" / "staging" / "1"
    (staged / STAGED_FILES).mkdir(parents=True)
    (staged / STAGED_FILES / "a.pdf").write_bytes(PDF)
    tree = OutputTree(out, "{supplier}/{number}", clock=ManualClock())
    filed = tree.file(po_task(1), replace(report(), files=(file,), fields={"supplier": "Acme"}), staged)
    build(out / ".poolwright" / "journal.db", schema)
    with closing(sqlite3.connect(out / ".poolwright" / "journal.db")) as connection, connection:
        connection.execute("UPDATE reports SET folder = ? WHERE task_id = 'demo:1'", (filed.folder,))


@pytest.mark.parametrize("schema", EARLIER, ids=lambda file: file.stem)
async def test_an_output_folder_of_an_earlier_poolwright_is_recognised_as_done(tmp_path: Path, schema: Path) -> None:
    old_folder(tmp_path, schema)

    summary = await run(a_job(tmp_path, 1))

    assert (summary.ending, summary.accepted.done_count, summary.done_now_count) == (BatchEnding.FINISHED, 1, 0)
    assert summary.outcomes == {Outcome.COMPLETED: 1}
    assert summary.report_json is not None
    (row,) = json.loads(summary.report_json.read_text(encoding="utf-8"))["rows"]
    assert (row["outcome"], row["folder"]) == ("COMPLETED", "Acme/PO1")


@pytest.mark.parametrize("changes", [{"address": "https://other.example"}, {"profile": "guest"}])
async def test_another_account_never_gets_the_outcomes_that_are_there(tmp_path: Path, changes: dict[str, str]) -> None:
    old_folder(tmp_path, EARLIER[-1])
    await run(a_job(tmp_path, 1))

    with pytest.raises(JournalAccountError, match="Choose another --out"):
        await run(a_job(tmp_path, 1, **changes))


@pytest.mark.parametrize("changes", [{"address": "https://other.example"}, {"profile": "guest"}])
async def test_a_daemon_of_another_account_does_not_start_there(tmp_path: Path, changes: dict[str, str]) -> None:
    old_folder(tmp_path, EARLIER[-1])
    await run(a_job(tmp_path, 1))
    job = a_job(tmp_path, **changes)
    config = DaemonConfig(
        pool=job.pool,
        out=job.out,
        template=job.template,
        known_fields=frozenset({"supplier"}),
        journal_path=job.journal_path,
        account=cast("Account", job.account),
    )

    with pytest.raises(JournalAccountError, match="Choose another --out"):
        async with open_daemon(config, ManualClock(), lambda _: None):
            pytest.fail("it has started")
