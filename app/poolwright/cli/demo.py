"""The command `poolwright demo`: process made-up orders, and compare the results with those that the portal expects.

The portal is a real server in a separate process; browsers, profile, journal and files are as real as in a run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import anyio
import anyio.to_thread
import typer
from pydantic import SecretStr
from rich.text import Text

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli import terminal
from poolwright.cli.batch_session import Display, info_notices, run_batch_session, sandbox_notices, sandbox_warnings
from poolwright.cli.batch_views import OutputMode
from poolwright.cli.demo_check import (
    FoundOrder,
    find_differences,
    inspect_files,
    prepare_folder,
    write_order_list,
)
from poolwright.cli.login import create_profile
from poolwright.cli.options import SettingsCommand, Verbose
from poolwright.cli.order_input import OrderSources, make_job, read_orders
from poolwright.cli.process_exit import ExitCode, exit_code_of_summary
from poolwright.cli.signals import run_cancellable
from poolwright.cli.terminal import console
from poolwright.demo.catalogue.truth import OrderTruth
from poolwright.demo.portal_client import PortalClient, PortalError, running_portal
from poolwright.domain.errors import SetupError
from poolwright.domain.events import Event, TaskEnded
from poolwright.service.batch import BatchEnding, BatchSummary, RedoPolicy
from poolwright.service.capacity import resolve_worker_count
from poolwright.service.output_folder import DEMO_LIST_NAME, open_output_folder
from poolwright.service.pool_config import resolve_worker_config
from poolwright.service.portals.portal_config import portal_account, resolve_new_portal_config
from poolwright.settings import Settings

#: Name of the pack and of the profile of the demo.
DEMO_NAME = "demo"
#: The portal would need minutes to generate more orders.
ORDERS_MAX = 2000
#: Maximum count of printed differences.
DIFFERENCES_SHOWN = 20

HELP = (
    "Process made-up orders from a built-in portal, and verify every file.\n\n"
    "Starts a procurement portal on this machine, logs a fresh browser profile in to it, runs a list of orders with "
    "real browsers, and compares outcomes and files (by SHA-256) with what the portal knows. Needs no network and no "
    "account. The next demo empties the output folder; a folder that no demo created is never touched."
)
EXAMPLES = (
    "poolwright demo",
    "poolwright demo --orders 200 --workers 4 --tabs 4",
    "poolwright demo --headed --keep-portal",
)
NEXT_STEPS = """
To run your own list, log in to your portal once:
  poolwright profile login mine --portal coupa --url https://yours.coupahost.com
  poolwright run orders.xlsx --profile mine"""

OrderCount = Annotated[
    int,
    typer.Option(
        "--orders", metavar="N", min=1, max=ORDERS_MAX, help="Number of orders. Default: 40.", show_default=False
    ),
]
Out = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FOLDER", help="Output folder. Default: demo-output.", show_default=False),
]
KeepPortal = Annotated[bool, typer.Option("--keep-portal", help="Keep the portal running at the end, to explore it.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRequest:
    """The options of a demo."""

    order_count: int
    out: Path
    is_portal_kept: bool
    mode: OutputMode


@SettingsCommand.with_settings("workers", "tabs_per_worker", "headless", "browser", "browser_path", "sandbox")
def demo(
    settings: Settings,
    *,
    order_count: OrderCount = 40,
    out: Out = Path("demo-output"),
    keep_portal: KeepPortal = False,
    verbose: Verbose = False,
) -> None:
    """Run the demo."""
    mode = OutputMode(is_verbose=verbose)
    request = DemoRequest(order_count=order_count, out=out, is_portal_kept=keep_portal, mode=mode)
    try:
        code = anyio.run(_run_demo, settings, request)
    except PortalError as error:
        raise SetupError(str(error)) from error
    raise typer.Exit(code)


async def _run_demo(settings: Settings, request: DemoRequest) -> ExitCode:
    await anyio.to_thread.run_sync(prepare_folder, request.out)
    console().print(Text("Starting the demo portal and logging a fresh profile in to it ...", "dim"))
    async with running_portal(order_count=request.order_count) as portal:
        settings = demo_settings(settings, portal, request.out)
        listed = await portal.orders(request.order_count)
        await anyio.to_thread.run_sync(write_order_list, request.out / DEMO_LIST_NAME, listed)
        summary, ended = await _run_orders(settings, request)
        if summary.ending is not BatchEnding.FINISHED:
            return exit_code_of_summary(summary)
        truths = await portal.truth(*(order.number for order in listed))
        found_orders = await anyio.to_thread.run_sync(inspect_files, request.out, ended)
        code = print_differences(truths, found_orders)
        if request.is_portal_kept:
            await _keep_portal(portal)
    console().print(Text(NEXT_STEPS, "dim"))
    return code


def demo_settings(settings: Settings, portal: PortalClient, out: Path) -> Settings:
    """Return the user's settings for this machine, with those of the demo for portal, profile and output."""
    changes: dict[str, object] = {
        "out": out,
        "profiles_dir": out / PRIVATE_NAME / "profiles",
        "profile": DEMO_NAME,
        "portal": DEMO_NAME,
        "packs_dir": None,
        "base_url": portal.url,
        "user": portal.user,
        "password": SecretStr(portal.password),
        "folder_template": Settings.model_fields["folder_template"].default,
        "log_file": None,
    }
    return settings.model_copy(update=changes)


async def _run_orders(settings: Settings, request: DemoRequest) -> tuple[BatchSummary, dict[str, TaskEnded]]:
    """Create a profile and run the orders as ``poolwright run`` does; return the summary and the finished tasks."""
    site, content = resolve_new_portal_config(settings)
    workers = resolve_worker_config(settings, site)
    choice = resolve_worker_count(settings)
    log_file = open_output_folder(settings)
    profile = await create_profile(settings, content, workers, log_file)
    workers = await anyio.to_thread.run_sync(resolve_worker_config, settings, site, profile.base_path)
    sources = OrderSources(names=(str(request.out / DEMO_LIST_NAME),))
    orders = await anyio.to_thread.run_sync(read_orders, sources, site.pack)
    job = make_job(settings, orders, workers, profile.base_path, RedoPolicy.RETRYABLE, worker_count=choice.worker_count)
    job = replace(job, account=portal_account(settings, site))
    notices = (*info_notices((*orders.notices, *sandbox_warnings(workers))), *choice.notices)
    display = Display(
        mode=request.mode,
        settings=settings,
        log_file=log_file,
        notices=notices,
        recorded=sandbox_notices(workers),
    )
    ended: dict[str, TaskEnded] = {}

    def collect(event: Event) -> None:
        if isinstance(event, TaskEnded):
            ended[event.task.portal_number] = event

    return await run_batch_session(job, display, collect), ended


def print_differences(truths: Mapping[str, OrderTruth], found: Mapping[str, FoundOrder]) -> ExitCode:
    """Print whether all orders are as expected, and the differences."""
    screen = console()
    differences = find_differences(truths, found)
    for number, sentences in list(differences.items())[:DIFFERENCES_SHOWN]:
        screen.print(Text(f"{number} {'; '.join(sentences)}", "red"), soft_wrap=True)
    verdict = f"{len(truths) - len(differences.keys() & truths.keys())} of {len(truths)} orders as expected"
    files = terminal.format_count(sum(len(order.digests) for order in found.values()), "file")
    explanation = f" (some are made to fail; {files} compared by SHA-256 with the portal's own)"
    screen.print(
        Text.assemble((verdict, "bold red" if differences else "bold green"), (explanation, "dim")), soft_wrap=True
    )
    return ExitCode.NOT_ALL_DONE if differences else ExitCode.DONE


async def _keep_portal(portal: PortalClient) -> None:
    screen = console()
    screen.print(
        f"The portal keeps running at {portal.url} (user {portal.user}, password {portal.password}) until Ctrl+C."
    )
    with contextlib.suppress(KeyboardInterrupt):
        await run_cancellable(anyio.sleep_forever)
