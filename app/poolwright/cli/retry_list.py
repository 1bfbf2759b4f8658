"""The command `poolwright retry-list`: lists of the orders of a report that can be tried again, ready for `run`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from poolwright.archive.retry_lists import CLASSES, ReportUnreadableError, RetryList, RetryLists
from poolwright.cli import options, terminal
from poolwright.cli.options import SettingsCommand
from poolwright.cli.terminal import console
from poolwright.domain.errors import OptionsError
from poolwright.files.names import well_formed
from poolwright.intake.errors import InputRefusedError
from poolwright.settings import Settings

HELP = (
    "Write the orders of a report that can be tried again to lists, one for each class of outcome.\n\n"
    "Each list is a CSV beside the report with your own columns and rows, unchanged, and can be given to `run` as it "
    f"is. The classes are {', '.join(CLASSES)}. A list of an earlier report of that name is replaced. Rows that name "
    "no valid order are in none of them: correct them in your list first."
)
EXAMPLES = (
    "poolwright retry-list downloads/reports/orders-report.json",
    "poolwright retry-list downloads/reports/orders-report.json --class not-found --class forbidden",
    "poolwright run downloads/reports/orders-failed.csv",
)

ReportName = Annotated[
    Path, typer.Argument(metavar="REPORT", help="A report as JSON, in reports/ of the output folder.")
]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--class",
        metavar="NAME",
        help="Write the list of this class only; may be given more than once. Default: all of them.",
        rich_help_panel=options.ORDERS,
        show_default=False,
    ),
]
Folder = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="FOLDER",
        help="Where to write the lists. Default: beside the report.",
        rich_help_panel=options.ORDERS,
        show_default=False,
    ),
]


@SettingsCommand.with_settings()
def retry_list(
    _: Settings, *, report: ReportName, classes: Classes = None, folder: Folder = None, as_json: options.AsJson = False
) -> None:
    """Write the lists and print one line for each.

    Raises:
        OptionsError: There is no such class.
        InputRefusedError: The file is no report as JSON.
    """
    wanted = frozenset(classes or CLASSES)
    if unknown := sorted(wanted - CLASSES.keys()):
        raise OptionsError(f"There is no class {unknown[0]!r}; the classes are {', '.join(CLASSES)}.")
    if not report.is_file():
        raise InputRefusedError(f"There is no report '{report}'. Reports are in the folder reports of --out.")
    try:
        written = RetryLists(report, folder).write(wanted)
    except ReportUnreadableError as error:
        raise InputRefusedError(f"{error} Name the .json of a report, or run the list again to write it.") from error
    for entry in written:
        _print(entry, as_json=as_json)
    if not written and not as_json:
        console().print("No order of this report is to be tried again.")


def _print(entry: RetryList, *, as_json: bool) -> None:
    if as_json:
        fields = {"type": "retry_list", "class": entry.name, "path": str(entry.path), "row_count": entry.row_count}
        console().out(well_formed(json.dumps(fields, ensure_ascii=False)), highlight=False)
        return
    rows = terminal.format_count(entry.row_count, "row")
    console().out(f"{entry.name:<12} {rows}: {entry.path}", highlight=False)
