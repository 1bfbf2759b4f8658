"""Tries a pack on orders that a person names: examines their pages, then brings their files as a run does.

Both use the parts of a worker: the examination of `portal probe`, and a pool of one worker on a clone of the profile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import anyio

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.domain.events import Event, TaskEnded
from poolwright.domain.ports import EventSink
from poolwright.domain.tasks import Report
from poolwright.intake.orders import ReadOptions, orders_from_numbers
from poolwright.portal.examination.order_proof import OrderProof
from poolwright.portal.numbers import OrderNumber, parse_number
from poolwright.service.batch import BatchJob, RedoPolicy
from poolwright.service.batch_run import run_batch
from poolwright.service.examination.examination_run import ExaminationRun, ExaminedPage
from poolwright.service.output_folder import JOURNAL_NAME
from poolwright.service.pool_config import WorkerConfig, pool_options
from poolwright.service.portals.portal_config import PortalConfig, portal_account, resolve_order_folder
from poolwright.settings import Settings

_REPORT_STEM = "proof"
#: Folder of the examined pages, below the private folder.
_PAGES_NAME = "pages"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRun:
    """A pack, a profile that is logged in, and the folder for the files."""

    #: With the profile, and with ``out``: the folder for the files. It exists.
    settings: Settings
    site: PortalConfig
    workers: WorkerConfig
    #: The base of the profile.
    base: Path
    #: Receives every event.
    observe: EventSink

    async def run(self, numbers: tuple[str, ...]) -> tuple[OrderProof, ...]:
        """Examine the orders and bring their files.

        Raises:
            LoginRequiredError: The portal asks for a login, and no login step succeeded.
            ProfileError: The profile cannot be used.
            SetupError: The browser does not start, the portal does not answer, or the folder cannot be written.
        """
        proofs: dict[str, OrderProof] = {}
        orders: dict[str, OrderNumber] = {}
        for text in numbers:
            number = parse_number(text, self.site.pack.numbers, is_one=True)
            if isinstance(number, OrderNumber):
                first = orders.setdefault(number.portal_number, number)
                proofs[first.po_number] = OrderProof(number=first.po_number)
            else:
                proofs[text] = OrderProof(number=text, problem=number.detail)
        if orders:
            pages = await self._examine(tuple(orders.values()))
            reports, problem = await self._bring(tuple(orders.values()))
            known = [number.po_number for number in orders.values()]
            proofs |= {number: _proof(pages[number], reports.get(number), problem) for number in known}
        return tuple(proofs.values())

    async def _examine(self, orders: tuple[OrderNumber, ...]) -> dict[str, ExaminedPage]:
        pages: dict[str, ExaminedPage] = {}

        def on_page(page: ExaminedPage) -> None:
            pages[page.number] = page

        run = ExaminationRun(
            workers=self.workers,
            base=self.base,
            runs_root=self.settings.runs_dir,
            observe=self.observe,
            on_page=on_page,
        )
        await run.examine(orders, (self.settings.out / PRIVATE_NAME / _PAGES_NAME).absolute())
        return pages

    async def _bring(self, orders: tuple[OrderNumber, ...]) -> tuple[dict[str, Report], str]:
        """Run the orders; return the report of each that was processed, and why others were not."""
        reports: dict[str, Report] = {}

        def observe(event: Event) -> None:
            if isinstance(event, TaskEnded):
                reports[event.task.po_number] = event.report
            self.observe(event)

        pack = self.site.pack
        reading = ReadOptions(portal_name=pack.name, rules=pack.numbers)
        job = BatchJob(
            orders=orders_from_numbers([number.po_number for number in orders], reading),
            pool=pool_options(self.settings, self.workers, self.base, 1),
            out=self.settings.out,
            template=resolve_order_folder(self.settings, pack).template,
            journal_path=self.settings.out / PRIVATE_NAME / JOURNAL_NAME,
            report_stem=_REPORT_STEM,
            redo=RedoPolicy.ALL,
            account=portal_account(self.settings, self.site),
        )
        summary = await run_batch(job, observe=observe, stop=anyio.Event(), stop_now=anyio.Event())
        return reports, summary.detail


def _proof(page: ExaminedPage, report: Report | None, problem: str) -> OrderProof:
    proof = OrderProof(
        number=page.number,
        examination=page.saved.examination if page.saved else None,
        report=report,
        problem=page.problem,
    )
    return replace(proof, problem=problem) if report is None and not page.problem else proof
