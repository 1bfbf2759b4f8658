"""The commands that control the daemon: pause, resume, cancel, retry, run a schedule; and the report of a list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from poolwright.cli.options import ORDERS, SettingsCommand
from poolwright.cli.order_input import OrderSources
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.remote.client import DaemonClient, daemon_client
from poolwright.cli.remote.workbook_copy import WorkbookCopy
from poolwright.cli.terminal import console, format_count
from poolwright.domain.errors import OptionsError
from poolwright.domain.outcomes import Outcome, Reason
from poolwright.portal.pack import Pack
from poolwright.service.portals.portal_config import pack_library, resolve_portal_config
from poolwright.settings import Settings

PAUSE_HELP = "Start no further orders; orders in progress are finished."
RESUME_HELP = "Start orders again after a pause or a manual login."
GROUP_HELP = "Process the orders of a group again that was set aside, as `status` shows it."
GROUP_EXAMPLES = ("poolwright resume-group 2000", 'poolwright resume-group "North 1"')
CANCEL_HELP = "Cancel waiting orders: by number, or all of a list."
CANCEL_EXAMPLES = ("poolwright cancel PO4500012345", "poolwright cancel --list 05595676fa3b916e4ffc")
RETRY_HELP = "Run finished orders again: by number, or all with a list, an outcome or a reason."
RETRY_EXAMPLES = ("poolwright retry --reason portal_error", "poolwright retry PO4500012345")
RUN_HELP = "Run a schedule now, in the running daemon; its overlap rule applies."
RUN_EXAMPLES = ("poolwright schedule run nightly",)
REPORT_HELP = "Download the current report of a list."
REPORT_EXAMPLES = (
    "poolwright report 05595676fa3b916e4ffc",
    "poolwright report 05595676fa3b916e4ffc --to report.csv",
    "poolwright report 05595676fa3b916e4ffc --workbook orders.xlsx",
)

Numbers = Annotated[list[str] | None, typer.Argument(metavar="NUMBER", help="Order numbers, as `status` shows them.")]
ListId = Annotated[
    str | None, typer.Option("--list", metavar="ID", help="All orders of this list.", rich_help_panel=ORDERS)
]
OfOutcome = Annotated[Outcome | None, typer.Option(help="All with this outcome.", rich_help_panel=ORDERS)]
OfReason = Annotated[Reason | None, typer.Option(help="All with this reason.", rich_help_panel=ORDERS)]
To = Annotated[
    Path | None,
    typer.Option(
        "--to",
        metavar="FILE",
        help="Path of the report (.xlsx, .csv or .json). Default: LIST-report.xlsx in the current folder; with "
        "--workbook, its name with -with-results.",
    ),
]
Workbook = Annotated[
    Path | None,
    typer.Option(
        "--workbook",
        metavar="FILE",
        help="The workbook that was submitted (.xlsx, .xlsm): write a copy of it with the results in further columns, "
        "in place of the report.",
    ),
]
Column = Annotated[str | None, typer.Option(metavar="NAME", help="As with submit, for --workbook.")]
Sheet = Annotated[str | None, typer.Option(metavar="NAME", help="As with submit, for --workbook.")]


@SettingsCommand.with_settings("out")
def pause(settings: Settings) -> None:
    """Pause the pool."""
    with daemon_client(settings) as client:
        client.post("/api/v1/pool/pause")
    console().print("Paused: orders in progress are finished, no others start.")


@SettingsCommand.with_settings("out")
def resume(settings: Settings) -> None:
    """Resume the pool."""
    with daemon_client(settings) as client:
        client.post("/api/v1/pool/resume")
    console().print("Resumed: orders start again.")


@SettingsCommand.with_settings("out")
def resume_group(
    settings: Settings,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the group, as `status` shows it.")],
) -> None:
    """Resume a group."""
    with daemon_client(settings) as client:
        count = client.post("/api/v1/groups/resume", {"group": name})["count"]
    orders = f"{format_count(count, 'order')} {'is' if count == 1 else 'are'} queued again"
    refused = "Orders that were refused before: `poolwright retry --reason no_permission`."
    console().print(f"The group {name} is resumed: {orders}. {refused}", soft_wrap=True)


@SettingsCommand.with_settings("out")
def cancel(settings: Settings, *, numbers: Numbers = None, list_id: ListId = None) -> None:
    """Cancel orders."""
    with daemon_client(settings) as client:
        selection = _selection(client, numbers, {"list_id": list_id})
        count = client.post("/api/v1/orders/cancel", selection)["count"]
    console().print(f"{format_count(count, 'order')} cancelled; orders in progress are finished.")


@SettingsCommand.with_settings("out")
def retry(
    settings: Settings,
    *,
    numbers: Numbers = None,
    list_id: ListId = None,
    outcome: OfOutcome = None,
    reason: OfReason = None,
) -> None:
    """Queue finished orders again."""
    with daemon_client(settings) as client:
        selection = _selection(client, numbers, {"list_id": list_id, "outcome": outcome, "reason": reason})
        count = client.post("/api/v1/orders/retry", selection)["count"]
    console().print(f"{format_count(count, 'order')} queued again.")


@SettingsCommand.with_settings("out")
def run_schedule(
    settings: Settings,
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the schedule, as `schedule list` shows it.")],
) -> None:
    """Run a schedule now."""
    with daemon_client(settings) as client:
        client.post(f"/api/v1/schedules/{quote(name, safe='')}/run")
    console().print(f"{name} is running; see the daemon's log for its progress.")


@SettingsCommand.with_settings("out", "profile", "profiles_dir", "portal", "packs_dir")
def report(
    settings: Settings,
    *,
    list_id: Annotated[str, typer.Argument(metavar="LIST", help="Id of the list, as `status` and `submit` show it.")],
    to: To = None,
    workbook: Workbook = None,
    column: Column = None,
    sheet: Sheet = None,
) -> None:
    """Download a report."""
    if workbook is not None:
        sources = OrderSources(names=(str(workbook),), column=column, sheet=sheet)
        copy = WorkbookCopy(sources, _pack(settings), list_id)
        with daemon_client(settings) as client:
            copied = client.download(f"/api/v1/lists/{list_id}/report", format="xlsx")
        target = to or copy.default_path
        copy.write(copied.content, target)
        console().print(f"{target}", soft_wrap=True)
        raise typer.Exit(ExitCode.DONE)
    if column is not None or sheet is not None:
        raise OptionsError("--column and --sheet are for --workbook; a report needs neither.")
    file_format = (to.suffix[1:].lower() or "xlsx") if to is not None else "xlsx"
    if file_format not in {"xlsx", "csv", "json"}:
        raise OptionsError(f"--to is '{to}'; it must end in .xlsx, .csv or .json.")
    with daemon_client(settings) as client:
        response = client.download(f"/api/v1/lists/{list_id}/report", format=file_format)
    path = to or Path(f"{list_id}-report.{file_format}")
    try:
        path.write_bytes(response.content)
    except OSError as error:
        raise OptionsError(f"{path} cannot be written ({error.strerror}); choose another path with --to.") from error
    console().print(f"{path}", soft_wrap=True)
    raise typer.Exit(ExitCode.DONE)


def _pack(settings: Settings) -> Pack:
    """Return the portal pack of the settings, or else the profile's; no address is needed.

    Raises:
        PackError: There is no such pack, or it is not valid.
        ProfileError: The settings name no portal, and there is no such profile.
    """
    if settings.portal:
        return pack_library(settings).find(settings.portal).load().pack
    return resolve_portal_config(settings).pack


def _selection(client: DaemonClient, numbers: list[str] | None, classes: dict[str, str | None]) -> dict[str, object]:
    """Return the selection of orders as a request body."""
    given = {name: value for name, value in classes.items() if value is not None}
    if bool(numbers) == bool(given):
        raise OptionsError("Name the orders: by number, or by one of the options.")
    if not numbers:
        return dict(given)
    return {"task_ids": [_find_task_id(client, number) for number in numbers]}


def _find_task_id(client: DaemonClient, number: str) -> str:
    orders = client.get("/api/v1/orders", text=number)["orders"]
    task_ids = [
        order["task_id"] for order in orders if number.upper() in {order["number"], order["number"].removeprefix("PO")}
    ]
    if not task_ids:
        raise OptionsError(f"The daemon has no order {number}; `poolwright status` shows its lists.")
    return task_ids[0]
