"""A whole output folder and its profile, as a Poolwright of the first layout left them, are taken up by this one.

The packed folder in ``tests/data`` was written by the code of 23 November 2026: a journal of version 1, the folders and
manifests of three orders (one of them PARTIAL), the entries of two filings that a kill cut off (that of order 4 before
the rename of its folder, that of order 5 after it), what was staged, and a sealed profile with its backup.
"""

from __future__ import annotations

import json
import tarfile
from functools import partial
from pathlib import Path

import anyio
import pytest

from poolwright.archive.output_tree import OutputTree
from poolwright.concurrency import SystemClock
from poolwright.domain.account import Account
from poolwright.domain.options import BrowserOptions, PoolOptions, WorkerOptions
from poolwright.domain.outcomes import Outcome
from poolwright.journal.schema import SCHEMA_VERSION
from poolwright.journal.sqlite_journal import SqliteJournal
from poolwright.profile.backups import restore_base
from poolwright.profile.inspection import ProfileHealth, inspect_profile
from poolwright.profile.repository import NamedProfile, ProfileRepository
from poolwright.service.batch import BatchEnding, BatchJob
from poolwright.service.batch_run import run_batch
from poolwright.supervisor.pool_context import PoolPorts
from tests.support.journal_audit import check_laws, query
from tests.support.paths import ROOT
from tests.support.scripted_pool import SCRIPTED
from tests.support.tasks import orders, task_id

pytestmark = pytest.mark.timeout(120)

FOLDER = "tests/data/output-of-the-first-layout.tar.xz"
#: Files of the orders that are not done again.
DONE = {"Acme/PO1/Order.pdf": b"%PDF-1.7 one", "Acme/PO1/Prices.xlsx": b"prices of one"}
#: Files of the orders that are, which the portal does not have any more.
WITHDRAWN = {"PO3": b"%PDF-1.7 three", "PO5": b"%PDF-1.7 five, cut off behind its rename"}


@pytest.fixture
def earlier(tmp_path: Path) -> NamedProfile:
    """The profile of the folder, which is unpacked beside it."""
    with tarfile.open(ROOT / FOLDER) as packed:
        packed.extractall(tmp_path, filter="data")
    return ProfileRepository(tmp_path / "profiles").find("work")


def job_of(root: Path, profile: NamedProfile, *numbers: int) -> BatchJob:
    out = root / "out"
    return BatchJob(
        orders=orders(*numbers),
        pool=PoolOptions(
            worker=WorkerOptions(browser=BrowserOptions()),
            worker_count=1,
            base_profile_path=profile.base_path,
            runs_root=root / "runs",
            staging_path=out / ".poolwright" / "staging",
        ),
        out=out,
        template="{supplier}/{number}",
        journal_path=out / ".poolwright" / "journal.db",
        report_stem="orders-report",
        account=Account.at("https://portal.example", portal="demo", profile="work"),
    )


def files_of(out: Path) -> dict[str, bytes]:
    """The attachments in the visible tree."""
    paths = (path for path in out.rglob("PO*/*") if path.is_file() and path.name != "manifest.json")
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}


async def test_a_run_goes_on_where_a_killed_run_of_an_earlier_layout_stopped(
    tmp_path: Path, earlier: NamedProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPTED_WORKER", json.dumps({"*": {"tasks": ["finish"]}}))
    monkeypatch.setattr("poolwright.service.batch_run.PoolPorts", partial(PoolPorts, module=SCRIPTED))
    job = job_of(tmp_path, earlier, 1, 2, 3, 4, 5, 6, 7)
    assert query(job.journal_path, "PRAGMA user_version") == [(1,)]

    summary = await run_batch(job, observe=lambda _: None, stop=anyio.Event(), stop_now=anyio.Event())

    assert (summary.ending, summary.left_count) == (BatchEnding.FINISHED, 0)
    assert (summary.accepted.done_count, summary.done_now_count) == (3, 5)
    assert summary.outcomes == {Outcome.COMPLETED: 6, Outcome.NO_ATTACHMENTS: 1}
    assert files_of(job.out) == DONE | {f"Acme/PO{number}/a.txt": f"PO{number}".encode() for number in (3, 4, 5, 6, 7)}
    for name, content in WITHDRAWN.items():
        (kept,) = (job.out / "Acme" / name).rglob("superseded/**/Order.pdf")
        assert kept.read_bytes() == content
    tree = OutputTree(job.out, job.template, clock=SystemClock())
    for number in (1, 3, 4, 5, 6, 7):
        assert tree.verify(f"Acme/PO{number}", task_id(number)) == []
    private = job.out / ".poolwright"
    assert not list((private / "filing").iterdir())
    assert not [path for path in (private / "staging").rglob("*") if path.is_file()]
    assert query(job.journal_path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    check_laws(job.journal_path)


async def test_a_second_run_in_it_does_no_order_again(
    tmp_path: Path, earlier: NamedProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRIPTED_WORKER", json.dumps({"*": {"tasks": ["finish"]}}))
    monkeypatch.setattr("poolwright.service.batch_run.PoolPorts", partial(PoolPorts, module=SCRIPTED))
    job = job_of(tmp_path, earlier, 1, 2, 3, 4, 5, 6)

    counts = [
        (await run_batch(job, observe=lambda _: None, stop=anyio.Event(), stop_now=anyio.Event())).done_now_count
        for _ in range(2)
    ]

    assert counts == [4, 0]
    async with SqliteJournal(job.journal_path, SystemClock()) as journal:
        records = await journal.records(job.orders.batch_id)
    assert [record.attempt_count for record in records] == [1, 1, 1, 2, 2, 1]  # order 3 was reopened


def test_its_profile_is_fit_and_its_backup_can_be_restored(earlier: NamedProfile) -> None:
    base = earlier.base_path
    fit = inspect_profile(earlier)
    (base / "Default" / "Preferences").write_bytes(b"?")
    changed = inspect_profile(earlier)
    restore_base(base, now=SystemClock().now())

    assert (fit.health, fit.why) == (ProfileHealth.FIT, "")
    assert fit.facts is not None
    assert fit.facts.cookies_count == 2
    assert changed.health is ProfileHealth.DAMAGED
    assert inspect_profile(earlier).health is ProfileHealth.FIT
