"""Orders that a pack is tried on: examined once each, brought by a run of one worker, and put side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from poolwright.domain.events import TaskEnded
from poolwright.domain.options import BrowserOptions, Sandbox, Secret, WorkerOptions
from poolwright.domain.outcomes import Reason
from poolwright.domain.ports import Accepted, EventSink
from poolwright.domain.tasks import Report
from poolwright.portal.examination.order_proof import OrderProof
from poolwright.portal.examination.saved_page import SavedPage
from poolwright.portal.numbers import OrderNumber
from poolwright.service.batch import BatchEnding, BatchJob, BatchSummary, RedoPolicy
from poolwright.service.examination.examination_run import ExaminationRun, ExaminedPage
from poolwright.service.examination.proof_run import ProofRun
from poolwright.service.pool_config import WorkerConfig
from poolwright.service.portals.portal_config import PortalConfig
from poolwright.settings import Settings
from poolwright.system.sandbox import SandboxChoice
from tests.unit.portal_examination.packs import BASE, examination_of, tiny_pack


@dataclass(kw_only=True)
class Portal:
    """What the browser would find, and what a run would bring."""

    unread: str = ""
    detail: str = ""
    unprocessed: tuple[str, ...] = ()
    examined: list[str] = field(default_factory=list[str])
    folders: list[Path] = field(default_factory=list[Path])
    jobs: list[BatchJob] = field(default_factory=list[BatchJob])

    def page(self, run: ExaminationRun, number: OrderNumber, folder: Path) -> ExaminedPage:
        self.examined.append(number.portal_number)
        saved = SavedPage(
            pack="tiny",
            base_url=BASE,
            number=number.po_number,
            portal_number=number.portal_number,
            url=BASE,
            examination=examination_of("a.pdf"),
        )
        if self.unread:
            return ExaminedPage(number=number.po_number, folder=folder, saved=None, problem=self.unread)
        return ExaminedPage(number=number.po_number, folder=folder, saved=saved)

    def bring(self, job: BatchJob, observe: EventSink) -> BatchSummary:
        self.jobs.append(job)
        for task in job.orders.tasks:
            if task.po_number not in self.unprocessed:
                report = Report(reason=Reason.ALL_SAVED, detail=task.po_number)
                observe(TaskEnded(task=task, report=report, folder="", worker=None))
        accepted = Accepted(new_count=1, waiting_count=0, done_count=0)
        return BatchSummary(ending=BatchEnding.FINISHED, accepted=accepted, detail=self.detail)


@pytest.fixture(name="portal")
def _portal(monkeypatch: pytest.MonkeyPatch) -> Portal:
    portal = Portal()

    async def examine(run: ExaminationRun, numbers: Sequence[OrderNumber], folder: Path) -> None:
        portal.folders.append(folder)
        run.on_page(ExaminedPage(number="", folder=folder, saved=None))
        for number in numbers:
            run.on_page(portal.page(run, number, folder))

    async def bring(job: BatchJob, *, observe: EventSink, stop: anyio.Event, stop_now: anyio.Event) -> BatchSummary:
        assert not stop.is_set()
        assert not stop_now.is_set()
        return portal.bring(job, observe)

    monkeypatch.setattr(ExaminationRun, "examine", examine)
    monkeypatch.setattr("poolwright.service.examination.proof_run.run_batch", bring)
    return portal


async def prove(folder: Path, *numbers: str) -> tuple[OrderProof, ...]:
    settings = Settings().model_copy(update={"out": folder, "profile": "acme"})
    workers = WorkerConfig(
        worker=WorkerOptions(browser=BrowserOptions()),
        sandbox=SandboxChoice(mode=Sandbox.ON, why=""),
        totp_secret=Secret(text=""),
        renews_early=False,
    )
    pack = tiny_pack()
    rules = pack.numbers.model_copy(update={"prefixes": ("PO",)})
    site = PortalConfig(pack=pack.model_copy(update={"numbers": rules}), base_url=BASE)
    run = ProofRun(settings=settings, site=site, workers=workers, base=folder / "base", observe=lambda _: None)
    return await run.run(numbers)


async def test_each_order_is_examined_and_brought_once(tmp_path: Path, portal: Portal) -> None:
    proofs = await prove(tmp_path, "1000", "PO1000", "2000")

    assert portal.examined == ["1000", "2000"]
    assert [proof.number for proof in proofs][-1] == "2000"
    assert len(proofs) == 2
    assert all(proof.report is not None and proof.report.detail == proof.number for proof in proofs)
    assert all(proof.examination is not None and proof.problem == "" for proof in proofs)
    (job,) = portal.jobs
    assert (job.pool.worker_count, job.redo, job.out) == (1, RedoPolicy.ALL, tmp_path)
    assert job.account is not None
    assert portal.folders == [tmp_path / ".poolwright" / "pages"]


async def test_what_is_no_number_opens_nothing(tmp_path: Path, portal: Portal) -> None:
    (proof,) = await prove(tmp_path, "abc")

    assert "is not an order number" in proof.problem
    assert (portal.examined, portal.jobs) == ([], [])


async def test_an_order_that_was_not_processed_has_the_reason_of_the_run(tmp_path: Path, portal: Portal) -> None:
    portal.unprocessed, portal.detail = ("2000",), "The login ended."

    first, second = await prove(tmp_path, "1000", "2000")

    assert (first.problem, second.problem) == ("", "The login ended.")
    assert second.report is None


async def test_a_page_that_cannot_be_read_has_its_own_reason(tmp_path: Path, portal: Portal) -> None:
    portal.unread, portal.unprocessed, portal.detail = "The page hangs.", ("1000",), "The login ended."

    first, second = await prove(tmp_path, "1000", "2000")

    assert (first.problem, second.problem) == ("The page hangs.", "The page hangs.")
    assert (first.examination, first.report) == (None, None)
    assert second.report is not None
