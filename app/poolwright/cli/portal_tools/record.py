"""The command `poolwright portal record`: save pages of orders as the regression test of a pack."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from poolwright.cli.options import OUTPUT, SettingsCommand
from poolwright.cli.portal import PackName
from poolwright.cli.portal_tools.examination_view import title_of, verdict_text
from poolwright.cli.portal_tools.probe import PORTAL_SETTINGS, examine
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import FittingTable, console
from poolwright.portal.examination.saved_page import EXPECTED_NAME, ExpectedPage, write_expected
from poolwright.portal.triage import DEMANDS
from poolwright.service.examination.examination_run import ExaminedPage
from poolwright.settings import Settings

HELP = (
    "Save the pages of orders, and of the login check, as a regression test of the pack.\n\n"
    "Each page gets a folder with its HTML (frames and open shadow roots included), a screenshot, what was found "
    f"(page.json) and what a pack must find ({EXPECTED_NAME}). The latter is written from what was found: read it, "
    "and correct it where the page shows something else. One that exists already is kept. Cookies, passwords, hidden "
    "form values, scripts and keys in addresses are left out; texts of the orders are not. Take an order with "
    "attachments, one without, and a number that does not exist."
    "\n\nExit code 0 if all pages were saved, 1 if not, 4 if the portal requires a login."
)
EXAMPLES = ("poolwright portal record ./our-portal.toml 4500012345 4500012399 --to pages --profile ours",)

Numbers = Annotated[list[str], typer.Argument(metavar="NUMBER...", help="Order numbers.", show_default=False)]
SavedTo = Annotated[
    Path,
    typer.Option("--to", metavar="FOLDER", help="Folder for the pages.", show_default=False, rich_help_panel=OUTPUT),
]


@SettingsCommand.with_settings(*(name for name in PORTAL_SETTINGS if name != "headless"))
def record(settings: Settings, *, pack: PackName, numbers: Numbers, to: SavedTo) -> None:
    """Examine the orders, save their pages, and print what was found."""
    pages: list[ExaminedPage] = []
    hidden = settings.model_copy(update={"portal": pack, "headless": True})
    examine(hidden, tuple(dict.fromkeys(numbers)), to, pages.append)
    table = Table("page", "found", "files", "", box=None, header_style="dim")
    for page in pages:
        table.add_row(*_row(page))
    screen = console()
    screen.print(FittingTable(table), soft_wrap=True)
    next_step = f"Check {EXPECTED_NAME} in each folder of {to}. Next: poolwright portal replay {pack} {to}"
    screen.print(next_step, soft_wrap=True)
    orders = [page for page in pages if page.number]
    if any(page.saved is not None and page.saved.examination.verdict in DEMANDS for page in orders):
        raise typer.Exit(ExitCode.LOGIN)
    raise typer.Exit(ExitCode.NOT_ALL_DONE if any(page.saved is None for page in pages) else ExitCode.DONE)


def _row(page: ExaminedPage) -> tuple[Text, Text, Text, Text]:
    """Write what a pack must find on a page, unless a person may have corrected it, and return its row."""
    if page.saved is None:
        return Text(title_of(page.number)), Text("not saved", "red"), Text(""), Text(page.problem)
    examination = page.saved.examination
    note = examination.doubt
    if (page.folder / EXPECTED_NAME).exists():
        note = " ".join(filter(None, (f"{EXPECTED_NAME} was kept.", note)))
    else:
        write_expected(page.folder, ExpectedPage.from_examination(examination))
    return Text(title_of(page.number)), verdict_text(examination), Text(str(len(examination.links))), Text(note)
