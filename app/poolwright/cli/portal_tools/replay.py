"""The command `poolwright portal replay`: judge saved pages by a pack, without the portal."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import typer
from rich.table import Table
from rich.text import Text

from poolwright.cli.batch_session import log_options
from poolwright.cli.batch_views import OutputMode
from poolwright.cli.options import SettingsCommand
from poolwright.cli.portal import PackName
from poolwright.cli.portal_tools.examination_view import title_of, verdict_text
from poolwright.cli.portal_tools.probe import print_warning, warn_about_sandbox
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.signals import run_cancellable
from poolwright.cli.terminal import FittingTable, console, format_count
from poolwright.domain.options import PortalOptions
from poolwright.portal import pack as packs
from poolwright.portal.examination.saved_page import (
    ExpectedPage,
    differences,
    find_saved_pages,
    read_expected,
    read_saved_page,
)
from poolwright.service.examination.examination_run import ExaminationRun, ExaminedPage
from poolwright.service.log_setup import configure_logging
from poolwright.service.pool_config import WorkerConfig, resolve_worker_config
from poolwright.settings import Settings

HELP = (
    "Judge saved pages by a pack, and compare with what is expected: the regression test of a pack.\n\n"
    "FOLDER is what `poolwright portal record` writes. The pages are shown in a browser without windows, with an empty "
    "profile; it asks neither the portal nor any other host."
    "\n\nExit code 0 if every page is judged as expected, 1 if not."
)
EXAMPLES = ("poolwright portal replay ./our-portal.toml pages",)

SavedPages = Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder with saved pages.", show_default=False)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayedPage:
    """A saved page, what must be found on it, and what was found."""

    number: str
    expected: ExpectedPage
    found: ExaminedPage

    @property
    def problems(self) -> tuple[str, ...]:
        """Return all differences, each as a sentence; empty if there is none."""
        if self.found.saved is None:
            return (self.found.problem,)
        return differences(self.expected, self.found.saved.examination)


@SettingsCommand.with_settings("browser", "browser_path", "sandbox", "runs_dir")
def replay(settings: Settings, *, pack: PackName, folder: SavedPages) -> None:
    """Judge the pages, print a table and each difference."""
    portal_pack = packs.load(pack)
    folders = find_saved_pages(folder.absolute())
    saved = [read_saved_page(path) for path in folders]
    expected = [read_expected(path) for path in folders]
    workers = _without_network(
        resolve_worker_config(settings, None),
        PortalOptions(pack_json=portal_pack.to_json(), base_url=saved[0].base_url, page_s=portal_pack.limits.page_s),
    )
    warn_about_sandbox(workers)
    found: list[ExaminedPage] = []
    with tempfile.TemporaryDirectory(prefix="poolwright-", ignore_cleanup_errors=True) as results:
        run = ExaminationRun(
            workers=workers, base=None, runs_root=settings.runs_dir, observe=print_warning, on_page=found.append
        )
        with configure_logging(log_options(OutputMode(), None, settings, None)):
            anyio.run(run_cancellable, partial(run.replay, folders, Path(results).absolute()))
    pages = [
        ReplayedPage(number=one.number, expected=wanted, found=result)
        for one, wanted, result in zip(saved, expected, found, strict=True)
    ]
    _print(pages)
    raise typer.Exit(ExitCode.NOT_ALL_DONE if any(page.problems for page in pages) else ExitCode.DONE)


def _without_network(workers: WorkerConfig, portal: PortalOptions) -> WorkerConfig:
    """Return the configuration of a browser that needs no window, no login and no proxy."""
    browser = replace(workers.worker.browser, headless_mode=True, proxy=None)
    return replace(workers, worker=replace(workers.worker, browser=browser, portal=portal))


def _print(pages: list[ReplayedPage]) -> None:
    screen = console()
    table = Table("page", "expected", "found", "files", "result", box=None, header_style="dim")
    for page in pages:
        examination = page.found.saved.examination if page.found.saved else None
        count = f"{len(examination.links)} of {len(page.expected.files)}" if examination else "-"
        table.add_row(
            Text(title_of(page.number)),
            Text(page.expected.verdict.value),
            verdict_text(examination) if examination else Text("-"),
            Text(count),
            Text("different", "bold red") if page.problems else Text("as expected", "green"),
        )
    screen.print(FittingTable(table), soft_wrap=True)
    for page in pages:
        for problem in page.problems:
            screen.print(Text.assemble((title_of(page.number), "bold"), f": {problem}"), soft_wrap=True)
    different_count = sum(bool(page.problems) for page in pages)
    screen.print(
        f"{format_count(len(pages), 'page')}, {different_count} different."
        if different_count
        else f"{format_count(len(pages), 'page')}, all as expected.",
        soft_wrap=True,
    )
