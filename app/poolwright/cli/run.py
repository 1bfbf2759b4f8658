"""The command `poolwright run`: process a list of orders."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Annotated

import anyio
import typer

from poolwright.archive.folder_template import list_columns
from poolwright.cli import options
from poolwright.cli.batch_session import Display, info_notices, run_batch_session, sandbox_notices, sandbox_warnings
from poolwright.cli.batch_views import OutputMode
from poolwright.cli.options import SettingsCommand
from poolwright.cli.order_input import (
    OrderSources,
    copy_notice,
    grouped_orders,
    list_workbook,
    make_job,
    order_folders,
    print_orders,
    read_orders,
)
from poolwright.cli.order_sample import sampled_orders
from poolwright.cli.process_exit import exit_code_of_summary
from poolwright.domain.events import Level, Notice
from poolwright.service.batch import RedoPolicy, check_refresh
from poolwright.service.capacity import resolve_worker_count
from poolwright.service.keyring import fill_from_keyring
from poolwright.service.output_folder import open_output_folder
from poolwright.service.pool_config import resolve_worker_config
from poolwright.service.portals.portal_config import (
    find_profile,
    portal_account,
    resolve_order_folder,
    resolve_portal_config,
)
from poolwright.settings import Settings

SourceNames = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="A list file (.xlsx, .xls, .xlsb, .ods, .csv, .txt), or - for a list on standard input, or order numbers.",
        show_default=False,
    ),
]
Column = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Column of the order numbers: its name, or '#3' for the third. Default: detected.",
        rich_help_panel=options.ORDERS,
        show_default=False,
    ),
]
Sheet = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Sheet of an Excel file. Default: PO_Data, or else the first sheet with content.",
        rich_help_panel=options.ORDERS,
        show_default=False,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Show how the list is read and the folders of its orders, and exit.",
        rich_help_panel=options.ORDERS,
    ),
]
RedoChoice = Annotated[
    RedoPolicy,
    typer.Option(
        metavar="CHOICE",
        help="Which finished orders to run again: nothing; retryable, failures that may succeed on retry; "
        "unfinished, also those not found, forbidden or quarantined; all. Default: retryable.",
        rich_help_panel=options.RUNNING,
        show_default=False,
    ),
]
Refresh = Annotated[
    bool,
    typer.Option(
        "--refresh",
        help="Look at finished orders again: file what is new or changed, keep all other files as they are, and say "
        "what differs. An order that cannot be looked at keeps its result.",
        rich_help_panel=options.RUNNING,
    ),
]

ResumedGroups = Annotated[
    list[str] | None,
    typer.Option(
        "--resume-group",
        metavar="GROUP",
        help="Process a group again that an earlier run set aside; may be given several times.",
        rich_help_panel=options.RUNNING,
        show_default=False,
    ),
]

Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="N",
        min=1,
        help="Process the first N orders of the list only, to try it out.",
        rich_help_panel=options.ORDERS,
        show_default=False,
    ),
]
Sample = Annotated[
    int | None,
    typer.Option(
        "--sample",
        metavar="N",
        min=1,
        help="Process N orders of the list only, drawn at random; each run draws others.",
        rich_help_panel=options.ORDERS,
        show_default=False,
    ),
]

HELP = (
    "Download every attachment of a list of orders.\n\n"
    "Files go to one folder per order below --out, next to a report. Run the same list again to continue an "
    "interrupted run; finished orders are skipped. Ctrl+C once finishes the orders in progress, twice stops at "
    "once."
)
EXAMPLES = (
    "poolwright run orders.xlsx",
    "poolwright run orders.xlsx --refresh",
    'poolwright run orders.csv --column "Order No." --dry-run',
    "poolwright run PO4500012345 PO4500012346 --profile coupa --headed",
    "cut -d, -f2 export.csv | poolwright run - --workers 4 --json",
)


@SettingsCommand.with_settings(*options.RUN_SETTINGS)
def run(  # noqa: PLR0913 - the parameters are the command's own options
    settings: Settings,
    *,
    sources: SourceNames,
    column: Column = None,
    sheet: Sheet = None,
    limit: Limit = None,
    sample: Sample = None,
    dry_run: DryRun = False,
    redo: RedoChoice = RedoPolicy.RETRYABLE,
    refresh: Refresh = False,
    resume_group: ResumedGroups = None,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
    verbose: options.Verbose = False,
) -> None:
    """Read the list, resolve the configuration, and run the batch.

    Raises:
        OptionsError: ``--refresh`` contradicts ``--redo``, or ``--limit`` contradicts ``--sample``.
    """
    if refresh:
        check_refresh(redo)
    site = resolve_portal_config(settings)
    named = OrderSources(names=tuple(sources), column=column, sheet=sheet)
    listed = sampled_orders(read_orders(named, site.pack), draw=random.sample, first_count=limit, random_count=sample)
    groups = grouped_orders(settings, listed)
    orders = groups.orders
    folder = resolve_order_folder(settings, site.pack, list_columns(orders, site.pack.fields))
    portal_notices = (*site.notices, *filter(None, (folder.notice,)))
    folders = order_folders(folder.template, site.pack, orders)
    if dry_run:
        notices = (*site.warnings, *portal_notices, *orders.notices, *groups.notices)
        print_orders(replace(orders, notices=notices), folders, is_json=as_json)
        return
    base = find_profile(settings).base_path
    settings, no_password = fill_from_keyring(settings, site.pack)
    workers = resolve_worker_config(settings, site, base)
    choice = resolve_worker_count(settings)
    told_orders = replace(orders, notices=(*site.warnings, *orders.notices))  # they are in the report too
    job = replace(
        make_job(settings, told_orders, workers, base, redo, worker_count=choice.worker_count),
        account=portal_account(settings, site),
        template=folder.template,
        is_refresh=refresh,
        book=list_workbook(named, orders),
        resumed_groups=tuple(resume_group or ()),
    )
    list_notices = (*orders.notices, *groups.notices, *folders.notices, *filter(None, (copy_notice(named, orders),)))
    texts = (*portal_notices, *list_notices, *sandbox_warnings(workers), *filter(None, (no_password,)))
    warnings = tuple(Notice(level=Level.WARNING, text=text) for text in site.warnings)
    display = Display(
        mode=OutputMode(is_json=as_json, is_quiet=quiet, is_verbose=verbose),
        settings=settings,
        log_file=open_output_folder(settings),
        notices=(*warnings, *info_notices(texts), *choice.notices),
        repeated=warnings,
        recorded=sandbox_notices(workers),
    )
    raise typer.Exit(exit_code_of_summary(anyio.run(run_batch_session, job, display)))
