"""The command `poolwright portal probe`: open one order and show all that the pack finds on its page."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import typer

from poolwright.cli.batch_session import log_options, sandbox_warnings
from poolwright.cli.batch_views import OutputMode
from poolwright.cli.options import OUTPUT, AsJson, SettingsCommand
from poolwright.cli.portal import PackName
from poolwright.cli.portal_tools.examination_view import show_page
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.signals import run_cancellable, run_stoppable
from poolwright.cli.terminal import console
from poolwright.domain.events import Event, Level, Notice
from poolwright.intake.errors import InputRefusedError
from poolwright.portal.numbers import InvalidNumber, NumberRules, OrderNumber, parse_number
from poolwright.portal.triage import DEMANDS
from poolwright.profile.repository import ProfileRepository
from poolwright.service.examination.examination_run import ExaminationRun, ExaminedPage, create_folder
from poolwright.service.keyring import fill_from_keyring
from poolwright.service.log_setup import configure_logging
from poolwright.service.pool_config import WorkerConfig, resolve_worker_config
from poolwright.service.portals.portal_config import resolve_portal_config
from poolwright.settings import Settings
from poolwright.supervisor.processes.one_shot import LoginWindow
from poolwright.system.hardware import require_display

HELP = (
    "Open one order in a real browser, and show what the pack finds on its page.\n\n"
    "Shows the addresses, the verdict and why, what every selector of the pack matches, the files with their names, "
    "the signs of a complete list, and blocked requests, for the login check and for the order. Downloads nothing; "
    "the browser has a clone of the profile and may only read, as in a run. Names are those of the page: a name in "
    "the header of a file comes first if the pack says so. HTML and a screenshot are saved in a folder, without "
    "cookies and keys. With --headed the window stays open."
    "\n\nExit code 0 if a run would get this order, 1 if not, 4 if the portal requires a login."
)
EXAMPLES = (
    "poolwright portal probe ./our-portal.toml 4500012345 --profile ours",
    "poolwright portal probe ./our-portal.toml 4500012345 --base-url https://portal.example --headed",
)
#: Called with each page that was examined.
OnPage = Callable[[ExaminedPage], None]
#: Settings of every command that opens pages of a portal.
PORTAL_SETTINGS = ("profile", "profiles_dir", "base_url", "headless", "browser", "browser_path", "sandbox", "runs_dir")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="An order number.", show_default=False)]
ToFolder = Annotated[
    Path, typer.Option("--to", metavar="FOLDER", help="Folder for the saved pages.", rich_help_panel=OUTPUT)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedPages:
    """The pages of one command, in their order."""

    pages: list[ExaminedPage] = field(default_factory=list[ExaminedPage])

    @property
    def exit_code(self) -> ExitCode:
        """Return the exit code by the pages of orders."""
        orders = [page for page in self.pages if page.number]
        if any(page.saved is not None and page.saved.examination.verdict in DEMANDS for page in orders):
            return ExitCode.LOGIN
        is_good = bool(orders) and all(page.saved is not None and page.saved.examination.is_good for page in orders)
        return ExitCode.DONE if is_good else ExitCode.NOT_ALL_DONE


@SettingsCommand.with_settings(*PORTAL_SETTINGS)
def probe(
    settings: Settings, *, pack: PackName, number: Number, to: ToFolder = Path("probe"), as_json: AsJson = False
) -> None:
    """Examine the order and print what was found."""
    examined, screen = ExaminedPages(), console()

    def on_page(page: ExaminedPage) -> None:
        examined.pages.append(page)
        if as_json:
            screen.out(page_json(page), highlight=False)
        else:
            show_page(screen, page)

    examine(settings.model_copy(update={"portal": pack}), (number,), to, on_page)
    raise typer.Exit(examined.exit_code)


def page_json(page: ExaminedPage) -> str:
    """Return what was found on a page as one line of JSON."""
    found = page.saved.examination.model_dump(mode="json") if page.saved else None
    content = {
        "type": "page",
        "number": page.number or None,
        "folder": str(page.folder),
        "problem": page.problem,
        "found": found,
    }
    return json.dumps(content, ensure_ascii=False)


def examine(settings: Settings, numbers: tuple[str, ...], folder: Path, on_page: OnPage) -> None:
    """Examine orders of the portal that the settings name.

    Args:
        settings: Portal, profile and browser.
        numbers: The orders as the person wrote them.
        folder: For the saved pages.
        on_page: Called for each page.

    Raises:
        InputRefusedError: A number is not valid.
        PoolError: A precondition is not met: pack, profile, browser, login or portal.
    """
    site = resolve_portal_config(settings)
    orders = tuple(_order_number(number, site.pack.numbers) for number in numbers)
    settings, _ = fill_from_keyring(settings, site.pack)
    base = _base_of(settings, site.pack.name)
    workers = resolve_worker_config(settings, site, base)
    is_headed = not settings.headless
    if is_headed:
        require_display(settings.profile)
    warn_about_sandbox(workers)
    folder = create_folder(folder)
    run = partial(
        ExaminationRun,
        workers=workers,
        base=base,
        runs_root=settings.runs_dir,
        observe=print_warning,
        on_page=on_page,
    )
    with configure_logging(log_options(OutputMode(), None, settings, None)):
        if is_headed:
            anyio.run(_examine_in_window, run, orders, folder)
        else:
            anyio.run(run_cancellable, partial(run().examine, orders, folder))


def warn_about_sandbox(workers: WorkerConfig) -> None:
    """Warn that the browser runs without its sandbox or may not start with it."""
    for text in sandbox_warnings(workers):
        print_warning(Notice(level=Level.WARNING, text=text))


def print_warning(event: Event) -> None:
    """Print a notice on standard error, where it stands in no program's way; none of level INFO."""
    if isinstance(event, Notice) and event.level is not Level.INFO:
        console(sys.stderr).print(event.text, style="yellow", soft_wrap=True)


async def _examine_in_window(run: partial[ExaminationRun], orders: tuple[OrderNumber, ...], folder: Path) -> None:
    screen = console()

    def opened() -> None:
        screen.print("The window stays open. Close its tab when you have seen enough (or press Ctrl+C here).")

    async def work(enough: anyio.Event) -> None:
        await run(window=LoginWindow(opened=opened, enough=enough)).examine(orders, folder)

    await run_stoppable(work, partial(screen.print, "Closing the window; press Ctrl+C again to stop at once."))


def _order_number(text: str, rules: NumberRules) -> OrderNumber:
    number = parse_number(text, rules, is_one=True)
    if isinstance(number, InvalidNumber):
        raise InputRefusedError(number.detail)
    return number


def _base_of(settings: Settings, pack: str) -> Path | None:
    """Return the base of the profile; ``None`` if no profile is named and the default one is for another portal.

    Raises:
        ProfileError: There is no such profile.
    """
    repository = ProfileRepository(settings.profiles_dir)
    is_named = settings.profile != Settings.model_fields["profile"].default
    if not is_named and (
        settings.profile not in repository.names() or repository.find(settings.profile).read().pack != pack
    ):
        return None
    return repository.find(settings.profile).base_path
