"""``poolwright status`` and ``watch``: how the daemon stands, at a glance and as it goes on."""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.table import Column, Table
from rich.text import Text

from app.cli import words
from app.cli.client.line import line_to
from app.cli.console import console
from app.cli.exits import Exit
from app.cli.manner import Manner, make_view
from app.cli.options import AsJson, SettingsCommand, Verbose
from app.cli.progress import Progress
from app.service.clock import SystemClock
from app.settings import Settings

STATUS_HELP = "Say how the running daemon stands: workers, queue, lists, and why no order starts."
STATUS_EXAMPLES = ("poolwright status", "poolwright status --json")
WATCH_HELP = "Show the running daemon at work, as `run` shows itself, until Ctrl+C."
WATCH_EXAMPLES = ("poolwright watch", "poolwright watch --json | jq .type")
LISTS_SHOWN = 8


@SettingsCommand.taking("out")
def status(settings: Settings, *, as_json: AsJson = False) -> None:
    """One look; the exit code says whether it is ready."""
    with line_to(settings) as line:
        told, lists = line.get("/api/v1/status"), line.get("/api/v1/lists")
    if as_json:
        console().out(json.dumps({**told, "lists": lists}, ensure_ascii=False), highlight=False)
    else:
        _show(told, lists)
    raise typer.Exit(Exit.DONE if told["is_ready"] else Exit.RESOURCES)


@SettingsCommand.taking("out")
def watch(settings: Settings, *, as_json: AsJson = False, verbose: Verbose = False) -> None:
    """Follow events until the daemon ends or the person has seen enough."""
    clock = SystemClock()
    with line_to(settings) as line:
        told = line.get("/api/v1/status")
        progress = Progress.begin(
            total_count=told["pool"]["open_count"],
            worker_count=len(told["workers"]),
            tabs_per_worker=told["tabs_per_worker"],
            now_s=clock.monotonic(),
        )
        manner = Manner(is_json=as_json, is_verbose=verbose)
        with make_view(manner, progress, "the daemon", console(), clock) as view, line.events() as happening:
            for event in happening:
                view(event)
    raise typer.Exit(Exit.DONE)


def _show(told: Any, lists: Any) -> None:  # noqa: ANN401 - JSON
    screen = console()
    counts = told["counts"]
    state = Text("ready", "green") if told["is_ready"] else Text("not ready", "bold red")
    head = f"Poolwright {told['version']}, pool {told['pool']['status'].lower().replace('_', ' ')}, "
    screen.print(Text(head) + state)
    for reason in told["reasons"]:
        screen.print(Text(f"  {reason}", "yellow"), soft_wrap=True)
    open_count = told["pool"]["open_count"]
    eta = f", about {words.clock(told['eta_s'])} left" if told["eta_s"] and open_count else ""
    screen.print(
        f"{words.count(open_count, 'order')} open, {counts['DONE']:,} ended; {told['rate_per_min']:g}/min{eta}"
    )
    screen.print(_workers(told))
    if lists:
        screen.print(_lists(lists[:LISTS_SHOWN]))


def _workers(told: Any) -> Table:  # noqa: ANN401 - JSON
    numbers = (Column("done", justify="right"), Column("memory", justify="right"))
    table = Table("worker", "state", *numbers, "orders", box=None)
    for one in told["workers"]:
        orders = ", ".join(order["number"] for order in one["orders"])
        memory = words.size(one["memory_bytes"]) if one["memory_bytes"] else ""
        state = one["status"].lower()
        table.add_row(f"worker-{one['slot']}", state, f"{one['processed_count']:,}", memory, orders)
    return table


def _lists(lists: Any) -> Table:  # noqa: ANN401 - JSON
    table = Table("list", "from", Column("open", justify="right"), "outcomes", box=None)
    for one in lists:
        open_count = sum(one["counts"][state] for state in ("QUEUED", "ASSIGNED", "RUNNING"))
        outcomes = ", ".join(f"{number:,} {outcome.lower()}" for outcome, number in one["outcomes"].items())
        table.add_row(one["list_id"], one["source"], f"{open_count:,}", outcomes)
    return table
