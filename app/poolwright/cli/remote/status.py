"""The commands `poolwright status` and `watch`: show the state of the daemon once, or follow its events."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer
from rich.table import Column, Table
from rich.text import Text

from poolwright.cli import terminal
from poolwright.cli.batch_views import OutputMode, make_view
from poolwright.cli.options import OUTPUT, AsJson, SettingsCommand, Verbose
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.progress import Progress
from poolwright.cli.remote.client import DaemonClient, daemon_client
from poolwright.cli.terminal import console
from poolwright.concurrency import SystemClock
from poolwright.settings import Settings

STATUS_HELP = "Show the status of the running daemon: workers, queue, lists, and why no order starts."
STATUS_EXAMPLES = ("poolwright status", "poolwright status --lists 1000", "poolwright status --json")
WATCH_HELP = "Show the progress of the running daemon, in the same view as `run`, until Ctrl+C."
WATCH_EXAMPLES = ("poolwright watch", "poolwright watch --json | jq .type")
LISTS_SHOWN = 8
#: The daemon tells so many at once.
PAGE_SIZE = 200

ListCount = Annotated[
    int | None,
    typer.Option(
        "--lists",
        min=0,
        metavar="COUNT",
        help=f"Number of lists to show, latest first. Default: {LISTS_SHOWN}, or {PAGE_SIZE} with --json.",
        rich_help_panel=OUTPUT,
    ),
]


@SettingsCommand.with_settings("out")
def status(settings: Settings, *, lists: ListCount = None, as_json: AsJson = False) -> None:
    """One look; the exit code says whether it is ready."""
    count = lists if lists is not None else PAGE_SIZE if as_json else LISTS_SHOWN
    with daemon_client(settings) as line:
        told, found = line.get("/api/v1/status"), _latest_lists(line, count + 1)
    shown, has_more = found[:count], len(found) > count
    if as_json:
        whole = {**told, "lists": shown, "has_more_lists": has_more}
        console().out(json.dumps(whole, ensure_ascii=False), highlight=False)
    else:
        _print_status(told, shown, has_more=has_more)
    raise typer.Exit(ExitCode.DONE if told["is_ready"] else ExitCode.RESOURCES)


@SettingsCommand.with_settings("out")
def watch(settings: Settings, *, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Follow events until the daemon ends or the person has seen enough."""
    clock = SystemClock()
    with daemon_client(settings) as line:
        told = line.get("/api/v1/status")
        progress = Progress.start(
            total_count=told["pool"]["open_count"],
            worker_count=len(told["workers"]),
            tabs_per_worker=told["tabs_per_worker"],
            now_s=clock.monotonic(),
        )
        manner = OutputMode(is_json=as_json, is_verbose=verbose)
        with make_view(manner, progress, "the daemon", console(), clock) as view, line.events() as happening:
            for event in happening:
                view(event)
    raise typer.Exit(ExitCode.DONE)


def _latest_lists(line: DaemonClient, count: int) -> list[Any]:
    """So many lists, the latest first, page by page; fewer where there are fewer."""
    found: list[Any] = []
    while len(found) < count:
        limit = min(PAGE_SIZE, count - len(found))
        page = line.get("/api/v1/lists", limit=limit, offset=len(found))
        found += page
        if len(page) < limit:
            break
    return found


def _print_status(told: Any, lists: Any, *, has_more: bool) -> None:  # noqa: ANN401 - JSON
    screen = console()
    counts = told["counts"]
    state = Text("ready", "green") if told["is_ready"] else Text("not ready", "bold red")
    head = f"Poolwright {told['version']}, pool {told['pool']['status'].lower().replace('_', ' ')}, "
    screen.print(Text(head) + state)
    for reason in told["reasons"]:
        screen.print(Text(f"  {reason}", "yellow"), soft_wrap=True)
    open_count = told["pool"]["open_count"]
    eta = f", about {terminal.format_clock(told['eta_s'])} left" if told["eta_s"] and open_count else ""
    open_orders = terminal.format_count(open_count, "order")
    screen.print(f"{open_orders} open, {counts['DONE']:,} ended; {told['rate_per_min']:g}/min{eta}")
    screen.print(_workers(told))
    if lists:
        screen.print(_lists(lists))
    if has_more:
        more = f"There are more lists; `poolwright status --lists {max(PAGE_SIZE, 2 * len(lists))}` shows more of them."
        screen.print(Text(more, "dim"), soft_wrap=True)


def _workers(told: Any) -> Table:  # noqa: ANN401 - JSON
    numbers = (Column("done", justify="right"), Column("memory", justify="right"))
    table = Table("worker", "state", *numbers, "orders", box=None)
    for one in told["workers"]:
        orders = ", ".join(order["number"] for order in one["orders"])
        memory = terminal.format_size(one["memory_bytes"]) if one["memory_bytes"] else ""
        state = one["status"].lower()
        table.add_row(f"worker-{one['slot']}", state, f"{one['processed_count']:,}", memory, orders)
    return table


def _lists(lists: Any) -> Table:  # noqa: ANN401 - JSON
    table = Table("list", "from", Column("open", justify="right"), "outcomes", box=None)
    for one in lists:
        open_count = sum(one["counts"][state] for state in ("QUEUED", "ASSIGNED", "RUNNING"))
        outcomes = ", ".join(f"{number:,} {outcome.lower()}" for outcome, number in one["outcomes"].items())
        table.add_row(one["list_id"], one["source"], f"{open_count:,}", _checking_text(one) + outcomes)
    return table


def _checking_text(one: Any) -> str:  # noqa: ANN401 - JSON
    """How far the look at a list's earlier files is; empty when it waits for none."""
    checking = one.get("checking")
    if not checking:
        return ""
    if not checking["total_count"]:
        return "waiting to verify earlier files; "
    return f"verifying earlier files: {checking['looked_count']:,} of {checking['total_count']:,}; "
