"""The command `poolwright submit`: send a list of orders to the daemon, and wait for it on request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from poolwright.cli.options import ORDERS, OUTPUT, RUNNING, AsJson, SettingsCommand
from poolwright.cli.order_input import MIXED_SOURCES_MESSAGE, STDIN, is_list_file, read_standard_input
from poolwright.cli.process_exit import DONE_OUTCOMES, ExitCode
from poolwright.cli.remote.client import DaemonClient, daemon_client
from poolwright.cli.terminal import console, format_count
from poolwright.domain.errors import OptionsError, SetupError
from poolwright.domain.events import Notice, TaskEnded
from poolwright.domain.states import open_count
from poolwright.intake.errors import InputRefusedError
from poolwright.service.batch import RedoPolicy, check_refresh
from poolwright.settings import Settings

HELP = (
    "Send a list of orders to the running daemon.\n\n"
    "The list may be a file, - for standard input, or order numbers. With --wait the command returns when all orders "
    "are finished, with the same exit code as `poolwright run`."
)
EXAMPLES = (
    "poolwright submit orders.xlsx",
    "poolwright submit PO4500012345 --wait",
    "poolwright submit orders.xlsx --refresh",
)
_LISTS = "/api/v1/lists"

SourceNames = Annotated[
    list[str], typer.Argument(metavar="SOURCE", help="A list file, - for standard input, or order numbers.")
]
Column = Annotated[
    str | None, typer.Option(metavar="NAME", help="Column of the order numbers.", rich_help_panel=ORDERS)
]
Sheet = Annotated[str | None, typer.Option(metavar="NAME", help="Sheet of an Excel file.", rich_help_panel=ORDERS)]
RedoChoice = Annotated[
    RedoPolicy,
    typer.Option(metavar="CHOICE", help="As with run: nothing, retryable, unfinished, all.", rich_help_panel=RUNNING),
]
Refresh = Annotated[
    bool,
    typer.Option(
        "--refresh",
        help="Look at finished orders again, as with run: file what is new or changed.",
        rich_help_panel=RUNNING,
    ),
]
GroupBy = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column of the groups of orders, for a list file. Default: that of the daemon.",
        rich_help_panel=ORDERS,
    ),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until all orders are finished.", rich_help_panel=OUTPUT)]


@SettingsCommand.with_settings("out")
def submit(  # noqa: PLR0913 - the parameters are the command's own options
    settings: Settings,
    *,
    sources: SourceNames,
    column: Column = None,
    sheet: Sheet = None,
    group_by: GroupBy = None,
    redo: RedoChoice = RedoPolicy.RETRYABLE,
    refresh: Refresh = False,
    wait: Wait = False,
    as_json: AsJson = False,
) -> None:
    """Submit the list, print the result, and wait if requested."""
    if refresh:
        check_refresh(redo)
    with daemon_client(settings) as client:
        given = {"column": column, "sheet": sheet, "group_by": group_by, "redo": redo.value}
        given["refresh"] = "true" if refresh else None
        accepted = _send(client, sources, {name: value for name, value in given.items() if value})
        _print_accepted(accepted, is_refresh=refresh, as_json=as_json)
        code = _wait(client, accepted, as_json=as_json) if wait else ExitCode.DONE
    raise typer.Exit(code)


def _send(client: DaemonClient, sources: list[str], given: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    match sources:
        case [name] if name == STDIN:
            return client.upload(f"{_LISTS}/upload", "standard input", read_standard_input(), given)
        case [name] if is_list_file(name):
            path = Path(name)
            try:
                return client.upload(f"{_LISTS}/upload", path.name, path.read_bytes(), given)
            except OSError as error:
                raise InputRefusedError(f"{name} cannot be read ({error.strerror}).") from error
        case names if any(name == STDIN or is_list_file(name) for name in names):
            raise OptionsError(MIXED_SOURCES_MESSAGE)
        case numbers:
            if "group_by" in given:
                raise OptionsError(
                    "Order numbers have no columns, so --group-by is for a list. Name a file, or leave it."
                )
            body = {"numbers": numbers, "name": "command line", "redo": given["redo"], "refresh": "refresh" in given}
            return client.post(_LISTS, body)


def _print_accepted(accepted: Any, *, is_refresh: bool, as_json: bool) -> None:  # noqa: ANN401 - JSON
    if as_json:
        console().out(json.dumps({"type": "taken", **accepted}, ensure_ascii=False), highlight=False)
        return
    parts = [f"{format_count(accepted['new_count'], 'new order')}"]
    if accepted["waiting_count"] > accepted["new_count"]:
        parts.append(f"{accepted['waiting_count'] - accepted['new_count']:,} already waiting")
    if accepted["done_count"]:
        parts.append(f"{accepted['done_count']:,} already done")
    console().print(f"Accepted as list {accepted['list_id']}: {', '.join(parts)}.", soft_wrap=True)
    if accepted.get("is_checking"):
        text = "The files of finished orders are being verified; incomplete ones are downloaded again"
        text += ", the others are looked at again." if is_refresh else "."
        console().print(text, soft_wrap=True)
    for text in accepted["notices"]:
        console().print(text, soft_wrap=True)


def _wait(client: DaemonClient, accepted: Any, *, as_json: bool) -> ExitCode:  # noqa: ANN401 - JSON
    """Wait until the list is finished, and check it whenever an order or a file check ends."""
    path = f"{_LISTS}/{accepted['list_id']}"
    with client.events() as events:
        while not _is_finished(view := client.get(path)):
            if not any(isinstance(event, TaskEnded | Notice) for event in events):
                raise SetupError("The daemon ended before the list was finished; restart it to continue.")
    if view["refresh"] and not as_json:
        console().print(view["refresh"]["sentence"], soft_wrap=True)
    done = {outcome.value for outcome in DONE_OUTCOMES}
    is_undone = accepted["invalid"] or any(outcome not in done for outcome in view["outcomes"])
    return ExitCode.NOT_ALL_DONE if is_undone else ExitCode.DONE


def _is_finished(view: Any) -> bool:  # noqa: ANN401 - JSON
    return not open_count(view["counts"]) and not view.get("checking")
