"""The commands `poolwright status` and `watch`: show the state of the daemon once, or follow its events."""

from __future__ import annotations

import json
from collections.abc import Iterator
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
from poolwright.cli.terminal import FittingTable, console
from poolwright.concurrency import SystemClock
from poolwright.domain import states
from poolwright.settings import Settings

STATUS_HELP = "Show the status of the running daemon: workers, queue, lists, and why no order starts."
STATUS_EXAMPLES = ("poolwright status", "poolwright status --lists 1000", "poolwright status --json")
WATCH_HELP = "Show the progress of the running daemon, in the same view as `run`, until Ctrl+C."
WATCH_EXAMPLES = ("poolwright watch", "poolwright watch --json | jq .type")
LISTS_SHOWN = 8
#: Maximum count of lists that the daemon returns at once.
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
    """Print the status once; the exit code shows whether the daemon is ready."""
    count = lists if lists is not None else PAGE_SIZE if as_json else LISTS_SHOWN
    with daemon_client(settings) as client:
        daemon_status, latest = client.get("/api/v1/status"), _latest_lists(client, count + 1)
    lists_shown, has_more = latest[:count], len(latest) > count
    if as_json:
        whole = {**daemon_status, "lists": lists_shown, "has_more_lists": has_more}
        console().out(json.dumps(whole, ensure_ascii=False), highlight=False)
    else:
        _print_status(daemon_status, lists_shown, has_more=has_more)
    raise typer.Exit(ExitCode.DONE if daemon_status["is_ready"] else ExitCode.RESOURCES)


@SettingsCommand.with_settings("out")
def watch(settings: Settings, *, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Show events until the daemon ends or Ctrl+C."""
    clock = SystemClock()
    with daemon_client(settings) as client:
        daemon_status = client.get("/api/v1/status")
        progress = Progress.start(
            total_count=daemon_status["pool"]["open_count"],
            worker_count=len(daemon_status["workers"]),
            tabs_per_worker=daemon_status["tabs_per_worker"],
            now_s=clock.monotonic(),
        )
        mode = OutputMode(is_json=as_json, is_verbose=verbose)
        with make_view(mode, progress, "the daemon", console(), clock) as view, client.events() as events:
            for event in events:
                view(event)
    raise typer.Exit(ExitCode.DONE)


def _latest_lists(client: DaemonClient, count: int) -> list[Any]:
    """Return up to ``count`` lists, the latest first."""
    lists: list[Any] = []
    while len(lists) < count:
        limit = min(PAGE_SIZE, count - len(lists))
        page = client.get("/api/v1/lists", limit=limit, offset=len(lists))
        lists += page
        if len(page) < limit:
            break
    return lists


def _print_status(daemon_status: Any, lists: Any, *, has_more: bool) -> None:  # noqa: ANN401 - JSON
    screen = console()
    state = Text("ready", "green") if daemon_status["is_ready"] else Text("not ready", "bold red")
    head = f"Poolwright {daemon_status['version']}, pool {daemon_status['pool']['status'].lower().replace('_', ' ')}, "
    screen.print(Text(head) + state)
    for reason in daemon_status["reasons"]:
        screen.print(Text(f"  {reason}", "yellow"), soft_wrap=True)
    if slow_down := daemon_status["pool"].get("slow_down"):
        screen.print(Text(f"  {slow_down}", "yellow"), soft_wrap=True)
    open_count = daemon_status["pool"]["open_count"]
    eta = (
        f", about {terminal.format_clock(daemon_status['eta_s'])} left" if daemon_status["eta_s"] and open_count else ""
    )
    orders = f"{terminal.format_count(open_count, 'order')} open, {states.ended_count(daemon_status['counts']):,} ended"
    screen.print(f"{orders}; {daemon_status['rate_per_min']:g}/min{eta}")
    screen.print(FittingTable(_workers(daemon_status)), soft_wrap=True)
    for text in _group_lines(daemon_status):
        screen.print(Text(text, "yellow"), soft_wrap=True)
    if lists:
        screen.print(FittingTable(_lists(lists)), soft_wrap=True)
    if has_more:
        more = f"There are more lists; `poolwright status --lists {max(PAGE_SIZE, 2 * len(lists))}` shows more of them."
        screen.print(Text(more, "dim"), soft_wrap=True)


def _workers(daemon_status: Any) -> Table:  # noqa: ANN401 - JSON
    numbers = (Column("done", justify="right"), Column("memory", justify="right"))
    table = Table("worker", "state", *numbers, "orders", box=None)
    for worker in daemon_status["workers"]:
        orders = ", ".join(order["number"] for order in worker["orders"])
        memory = terminal.format_size(worker["memory_bytes"]) if worker["memory_bytes"] else ""
        state = worker["status"].lower()
        table.add_row(f"worker-{worker['slot']}", state, f"{worker['processed_count']:,}", memory, orders)
    return table


def _group_lines(daemon_status: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yield two lines for each group that is set aside: why, and the command that resumes it."""
    for group in daemon_status["groups"]:
        orders = terminal.format_count(group["order_count"], "order")
        verb = "is" if group["order_count"] == 1 else "are"
        yield f"{group['cause']} {orders} of it {verb} not processed. When the access is there:"
        yield f"  {group['resume_command']}"


def _lists(lists: Any) -> Table:  # noqa: ANN401 - JSON
    table = Table("list", "from", Column("open", justify="right"), "outcomes", box=None)
    for item in lists:
        outcomes = ", ".join(f"{number:,} {outcome.lower()}" for outcome, number in item["outcomes"].items())
        progress = _checking_text(item) + outcomes + _refresh_text(item)
        table.add_row(item["list_id"], item["source"], f"{states.open_count(item['counts']):,}", progress)
    return table


def _refresh_text(item: Any) -> str:  # noqa: ANN401 - JSON
    """Return what came of looking at the orders of a list again; empty if none was."""
    refresh = item["refresh"]
    if not refresh:
        return ""
    counts = {"changed": refresh["changed_count"], "without success": refresh["failed_count"]}
    parts = (f", {count:,} {words}" for words, count in counts.items() if count)
    return f"; {refresh['order_count']:,} looked at again{''.join(parts)}"


def _checking_text(item: Any) -> str:  # noqa: ANN401 - JSON
    """Return the progress of the file check of a list; empty without one."""
    checking = item.get("checking")
    if not checking:
        return ""
    if not checking["total_count"]:
        return "waiting to verify earlier files; "
    return f"verifying earlier files: {checking['looked_count']:,} of {checking['total_count']:,}; "
