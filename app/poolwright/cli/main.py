"""The program ``poolwright``: its commands, and the border where errors become one sentence and an exit code.

A command's module is imported when the command is asked for: ``health``, which a container's engine asks every half
minute, need not wait for all that ``run`` and ``serve`` are made of.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from poolwright import interpreter
from poolwright.cli.console import console
from poolwright.cli.exits import Exit, exit_of_error
from poolwright.cli.help import HelpfulCommand, epilog_of
from poolwright.cli.streams import loss_of, secure
from poolwright.domain.errors import PoolError, SetupError
from poolwright.version import __version__

#: Columns of a help text, where the terminal has as many.
HELP_WIDTH = 100

#: What a library that is of no use to us makes of its import, or of that of whoever builds upon it.
_UNFIT = (ImportError, AttributeError, SyntaxError, SystemError)
#: As it is typed.
NAME = "poolwright"
#: What these are for is not what they print.
_WORKING = frozenset({"run", "serve", "demo", "submit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a command is defined."""

    #: Below ``poolwright.cli``.
    module: str
    function: str
    #: What stands before ``HELP`` and ``EXAMPLES`` in the names of its texts, where one module has several commands.
    prefix: str = ""
    #: Whether its help says what the exit codes mean.
    tells_exit_codes: bool = False

    def load(self, name: str) -> Any:  # noqa: ANN401 - the library keeps its commands' type to itself
        """The command, with its module imported."""
        module = _imported(f"poolwright.cli.{self.module}")
        interpreter.finish_imports()
        help_text: str = getattr(module, f"{self.prefix}HELP")
        group = _group()
        group.command(
            name,
            cls=HelpfulCommand,
            help=help_text,
            short_help=help_text.partition("\n\n")[0],
            epilog=epilog_of(
                getattr(module, f"{self.prefix}EXAMPLES", ()), tuple(Exit) if self.tells_exit_codes else ()
            ),
        )(getattr(module, self.function))
        return get_command(group)


def _imported(name: str) -> ModuleType:
    """A module of ours with the libraries that it needs.

    Raises:
        SetupError: One of them is missing, or is another than was installed with us.
    """
    try:
        return import_module(name)
    except _UNFIT as error:
        others = os.environ.get("PYTHONPATH")  # noqa: TID251 - Python's own word, and no setting of ours
        step = f"Start it without PYTHONPATH={others}, which takes precedence." if others else "Reinstall Poolwright."
        told = f"{type(error).__name__}: {error}"
        raise SetupError(
            f"A library that Poolwright needs is missing or has a wrong version ({told}). {step}"
        ) from error


#: Every command by its words.
PLACES = {
    "run": Place(module="run", function="run", tells_exit_codes=True),
    "serve": Place(module="serve", function="serve"),
    "submit": Place(module="client.submit", function="submit"),
    "status": Place(module="client.status", function="status", prefix="STATUS_"),
    "watch": Place(module="client.status", function="watch", prefix="WATCH_"),
    "health": Place(module="client.health", function="health"),
    "pause": Place(module="client.steering", function="pause", prefix="PAUSE_"),
    "resume": Place(module="client.steering", function="resume", prefix="RESUME_"),
    "cancel": Place(module="client.steering", function="cancel", prefix="CANCEL_"),
    "retry": Place(module="client.steering", function="retry", prefix="RETRY_"),
    "report": Place(module="client.steering", function="report", prefix="REPORT_"),
    "demo": Place(module="demo", function="demo"),
    "doctor": Place(module="doctor", function="doctor"),
    "profile create": Place(module="profiles", function="create", prefix="CREATE_"),
    "profile clone-check": Place(module="profiles", function="clone_check", prefix="CHECK_"),
    "profile login": Place(module="onboarding", function="login", prefix="LOGIN_"),
    "profile import-state": Place(module="onboarding", function="import_state", prefix="IMPORT_"),
    "profile promote": Place(module="onboarding", function="promote", prefix="PROMOTE_"),
    "profile list": Place(module="profile_views", function="list_profiles", prefix="LIST_"),
    "profile show": Place(module="profile_views", function="show", prefix="SHOW_"),
    "profile verify": Place(module="profile_views", function="verify", prefix="VERIFY_"),
    "profile seal": Place(module="profile_care", function="seal", prefix="SEAL_"),
    "profile accept": Place(module="profile_care", function="accept", prefix="ACCEPT_"),
    "profile restore": Place(module="profile_care", function="restore", prefix="RESTORE_"),
    "profile remove": Place(module="profile_care", function="remove", prefix="REMOVE_"),
    "journal adopt": Place(module="journal", function="adopt", prefix="ADOPT_"),
    "journal compact": Place(module="journal", function="compact", prefix="COMPACT_"),
    "portal lint": Place(module="portal", function="lint", prefix="LINT_"),
    "portal list": Place(module="portal", function="list_packs", prefix="LIST_"),
    "schedule list": Place(module="schedule", function="list_schedules", prefix="LIST_"),
    "schedule run": Place(module="client.steering", function="run_schedule", prefix="RUN_"),
    "schedule next": Place(module="schedule", function="next_fires", prefix="NEXT_"),
}


class Commands(TyperGroup):
    """Commands by their places; what they raise for a person ends here."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - the library keeps its context's type to itself
        """The names in this group, in the order of the table, then its groups."""
        return [*_places_in(ctx), *self.commands]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - as above
        """The command or group of this name; nothing where there is none."""
        place = _places_in(ctx).get(cmd_name)
        return place.load(cmd_name) if place else super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - as above
        """Find the command that was typed; a wrong word gets the nearest ones, also of those not imported yet."""
        known = self.list_commands(ctx)
        if args and args[0] not in known:
            near = " or ".join(f"'{name}'" for name in get_close_matches(args[0], known))
            ctx.fail(f"No such command '{args[0]}'." + (f" Did you mean {near}?" if near else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as above
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except PoolError as error:
            console(sys.stderr).print(f"poolwright: {error}", style="red", soft_wrap=True)
            raise typer.Exit(exit_of_error(error)) from error
        except OSError as error:
            console(sys.stderr).print(f"poolwright: {_refusal(error)}", style="red", soft_wrap=True)
            raise typer.Exit(Exit.RESOURCES) from error
        except KeyboardInterrupt as error:
            console(sys.stderr).print("poolwright: stopped.", style="red")
            raise typer.Exit(Exit.STOPPED) from error


def _refusal(error: OSError) -> str:
    """What the system refused, of what no command has words of its own for."""
    told = error.strerror or str(error) or type(error).__name__
    if isinstance(error.filename, str | bytes):
        return f"'{os.fsdecode(error.filename)}' cannot be used: {told}. Fix this and start it again."
    if not _is_here():
        return "The current folder no longer exists. Change to another one and start it again."
    return f"The operating system reported an error: {told}. Fix this and start it again."


def _is_here() -> bool:
    """Whether the folder is still there in which paths without a root begin."""
    try:
        return bool(os.getcwd())  # noqa: PTH109 - nothing else asks the system and no more
    except OSError:
        return False


def _places_in(context: Any) -> dict[str, Place]:  # noqa: ANN401 - as above
    """What stands in the group of a context, by its last word."""
    group = f"{context.info_name} " if context.parent else ""
    inside = {words.removeprefix(group): place for words, place in PLACES.items() if words.startswith(group)}
    return {name: place for name, place in inside.items() if " " not in name}


def _group(**given: Any) -> typer.Typer:  # noqa: ANN401 - handed on
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"max_content_width": HELP_WIDTH},
        **given,
    )


app = _group(cls=Commands)
for _name, _help in (
    ("profile", "Create, inspect and repair browser profiles."),
    ("journal", "Maintain the journal, the database of all orders."),
    ("portal", "List and validate portal packs."),
    ("schedule", "Show and run the configured schedules."),
):
    app.add_typer(_group(cls=Commands, help=_help), name=_name)


def _version(*, value: bool) -> None:
    if value:
        console().print(f"poolwright {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Download every attachment of a list of purchase orders, using your own logged-in browser profile."""


def main() -> None:
    """Run the program; its exit code says how it went."""
    secure()
    try:
        app(prog_name=NAME)
    except SystemExit as end:
        is_answer = not _WORKING.intersection(sys.argv[1:2])
        if is_answer and not end.code and (why := loss_of(sys.stdout)):
            console(sys.stderr).print(f"poolwright: the output could not be written: {why}.", style="red")
            raise SystemExit(Exit.RESOURCES) from None
        raise
