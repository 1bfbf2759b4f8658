"""The commands `poolwright portal list` and `lint`: list the shipped portal packs, and validate a pack."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import FittingTable, console
from poolwright.portal import pack as packs
from poolwright.portal.errors import PackError

LIST_HELP = "List the portal packs that are shipped with Poolwright."
LINT_HELP = (
    "Validate a portal pack, and report every problem with its location in the file.\n\n"
    "Exit code 0 if it is valid, 2 if not."
)
LINT_EXAMPLES = ("poolwright portal lint coupa", "poolwright portal lint ./our-portal.toml")

PackName = Annotated[
    str,
    typer.Argument(
        metavar="PACK", help="A name of `poolwright portal list`, or the path of a .toml file.", show_default=False
    ),
]


def list_packs() -> None:
    """Print name and title of every shipped pack."""
    table = Table("name", "portal", "order numbers", box=None, header_style="dim")
    for name in packs.shipped_names():
        pack = packs.load(name)
        table.add_row(Text(name), Text(pack.title), Text(pack.numbers.describe))
    console().print(FittingTable(table), soft_wrap=True)


def lint(pack: PackName) -> None:
    """Validate a pack and print each problem."""
    screen = console()
    try:
        portal_pack = packs.load(pack)
    except PackError as error:
        for problem in error.problems:
            screen.print(Text.assemble((pack, "bold"), f": {problem}"), soft_wrap=True)
        raise typer.Exit(ExitCode.USAGE) from error
    summary = (
        f"order pages {portal_pack.site.order}; numbers like {portal_pack.numbers.example}; "
        f"login by {', '.join(step.value for step in portal_pack.login.ladder)}; "
        f"fields {', '.join(portal_pack.fields) or 'none'}"
    )
    screen.print(
        Text.assemble((pack, "bold"), ": ", ("valid", "green"), f" ({portal_pack.title}: {summary})"), soft_wrap=True
    )
    for notice in portal_pack.notices:
        screen.print(Text.assemble((pack, "bold"), ": ", ("note", "yellow"), f": {notice}"), soft_wrap=True)
