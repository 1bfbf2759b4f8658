"""The command line `poolwright`: its table of commands, their help, and the mapping of errors to exit codes.

The module of a command is imported when the command is called, so that ``health``, which a container engine calls
every half minute, does not load the libraries of ``run`` and ``serve``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typer.main import get_command

from poolwright import interpreter
from poolwright.cli.process_exit import EXIT_CODE_MEANINGS, ExitCode, exit_code_of_error
from poolwright.cli.streams import secure_streams, stream_loss
from poolwright.cli.terminal import console
from poolwright.domain.errors import PoolError, SetupError
from poolwright.version import __version__

#: Panel of options that have no panel of their own.
OTHER_PANEL = "Options"


def make_epilog(examples: Iterable[str], exit_codes: Iterable[ExitCode] = ()) -> str:
    """Return the end of a command's help: examples that can be typed, and the meaning of its exit codes."""
    meanings = (f"{code.value}  {EXIT_CODE_MEANINGS[code]}" for code in exit_codes)
    return "\n\n".join(filter(None, (_block("Examples", examples), _block("Exit codes", meanings))))


def _block(title: str, lines: Iterable[str]) -> str:
    """Return a title with lines below it that are not wrapped."""
    indented = [f"  {line}" for line in lines]
    return "\n".join(("\b", f"{title}:", *indented)) if indented else ""


class PanelCommand(TyperCommand):
    """A command whose help groups options by their panel."""

    def format_options(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - the library does not export these types
        """Write the arguments, then the panels in the order of their first options, then options without a panel."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for heading, line in self._lines(ctx):
            groups.setdefault(heading, []).append(line)
        for heading in sorted(groups, key=lambda name: name == OTHER_PANEL):
            with formatter.section(heading):
                formatter.write_dl(groups[heading])

    def _lines(self, context: Any) -> Iterator[tuple[str, tuple[str, str]]]:  # noqa: ANN401 - as above
        for parameter in self.get_params(context):
            if isinstance(parameter, TyperArgument):
                yield "Arguments", (parameter.metavar or parameter.name.upper(), parameter.help or "")
                continue
            panel = parameter.rich_help_panel if isinstance(parameter, TyperOption) else None
            line = parameter.get_help_record(context)
            if line is not None:
                yield panel or OTHER_PANEL, line


#: Maximum width of help texts in columns.
HELP_WIDTH = 100

#: Errors at the import of a library that is missing or has a wrong version.
_IMPORT_ERRORS = (ImportError, AttributeError, SyntaxError, SystemError)
#: Name of the program in its help.
PROGRAM_NAME = "poolwright"
#: Commands whose purpose is not their output, so that lost output does not change their exit code.
_WORK_COMMANDS = frozenset({"run", "serve", "demo", "submit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandEntry:
    """Where a command is defined."""

    #: Module below ``poolwright.cli``.
    module: str
    function: str
    #: Prefix of the names ``HELP`` and ``EXAMPLES`` if a module has several commands.
    prefix: str = ""
    #: Whether its help explains the exit codes.
    shows_exit_codes: bool = False

    def load(self, name: str) -> Any:  # noqa: ANN401 - the library does not export this type
        """Import the module of the command and return the command."""
        module = _import_module(f"poolwright.cli.{self.module}")
        interpreter.finish_imports()
        help_text: str = getattr(module, f"{self.prefix}HELP")
        group = _group()
        group.command(
            name,
            cls=PanelCommand,
            help=help_text,
            short_help=help_text.partition("\n\n")[0],
            epilog=make_epilog(
                getattr(module, f"{self.prefix}EXAMPLES", ()), tuple(ExitCode) if self.shows_exit_codes else ()
            ),
        )(getattr(module, self.function))
        return get_command(group)


def _import_module(name: str) -> ModuleType:
    """Import a module of Poolwright with the libraries that it needs.

    Raises:
        SetupError: A library is missing or has a wrong version.
    """
    try:
        return import_module(name)
    except _IMPORT_ERRORS as error:
        python_path = os.environ.get("PYTHONPATH")  # noqa: TID251 - a variable of Python, not a setting
        step = f"Start it without PYTHONPATH={python_path}, which takes precedence."
        step = step if python_path else "Reinstall Poolwright."
        cause = f"{type(error).__name__}: {error}"
        raise SetupError(
            f"A library that Poolwright needs is missing or has a wrong version ({cause}). {step}"
        ) from error


#: Every command by its full name.
COMMANDS = {
    "run": CommandEntry(module="run", function="run", shows_exit_codes=True),
    "serve": CommandEntry(module="serve", function="serve"),
    "submit": CommandEntry(module="remote.submit", function="submit"),
    "status": CommandEntry(module="remote.status", function="status", prefix="STATUS_"),
    "watch": CommandEntry(module="remote.status", function="watch", prefix="WATCH_"),
    "health": CommandEntry(module="remote.health", function="health"),
    "pause": CommandEntry(module="remote.control", function="pause", prefix="PAUSE_"),
    "resume": CommandEntry(module="remote.control", function="resume", prefix="RESUME_"),
    "resume-group": CommandEntry(module="remote.control", function="resume_group", prefix="GROUP_"),
    "cancel": CommandEntry(module="remote.control", function="cancel", prefix="CANCEL_"),
    "retry": CommandEntry(module="remote.control", function="retry", prefix="RETRY_"),
    "report": CommandEntry(module="remote.control", function="report", prefix="REPORT_"),
    "verify": CommandEntry(module="verify", function="verify"),
    "retry-list": CommandEntry(module="retry_list", function="retry_list"),
    "demo": CommandEntry(module="demo", function="demo"),
    "doctor": CommandEntry(module="doctor", function="doctor"),
    "profile create": CommandEntry(module="profile_admin", function="create", prefix="CREATE_"),
    "profile clone-check": CommandEntry(module="profile_admin", function="clone_check", prefix="CHECK_"),
    "profile login": CommandEntry(module="login", function="login", prefix="LOGIN_"),
    "profile import-state": CommandEntry(module="login", function="import_state", prefix="IMPORT_"),
    "profile promote": CommandEntry(module="login", function="promote", prefix="PROMOTE_"),
    "profile list": CommandEntry(module="profile_inspect", function="list_profiles", prefix="LIST_"),
    "profile show": CommandEntry(module="profile_inspect", function="show", prefix="SHOW_"),
    "profile verify": CommandEntry(module="profile_inspect", function="verify", prefix="VERIFY_"),
    "profile seal": CommandEntry(module="profile_admin", function="seal", prefix="SEAL_"),
    "profile accept": CommandEntry(module="profile_admin", function="accept", prefix="ACCEPT_"),
    "profile restore": CommandEntry(module="profile_admin", function="restore", prefix="RESTORE_"),
    "profile set-pack": CommandEntry(module="profile_admin", function="set_pack", prefix="SET_PACK_"),
    "profile remove": CommandEntry(module="profile_admin", function="remove", prefix="REMOVE_"),
    "journal adopt": CommandEntry(module="journal", function="adopt", prefix="ADOPT_"),
    "journal compact": CommandEntry(module="journal", function="compact", prefix="COMPACT_"),
    "portal lint": CommandEntry(module="portal", function="lint", prefix="LINT_"),
    "portal learn": CommandEntry(module="portal_learn", function="learn_portal", prefix="LEARN_"),
    "portal list": CommandEntry(module="portal", function="list_packs", prefix="LIST_"),
    "portal new": CommandEntry(module="portal", function="new", prefix="NEW_"),
    "portal schema": CommandEntry(module="portal", function="schema", prefix="SCHEMA_"),
    "portal show": CommandEntry(module="portal", function="show", prefix="SHOW_"),
    "portal probe": CommandEntry(module="portal_tools.probe", function="probe"),
    "portal record": CommandEntry(module="portal_tools.record", function="record"),
    "portal replay": CommandEntry(module="portal_tools.replay", function="replay"),
    "schedule list": CommandEntry(module="schedule_list", function="list_schedules", prefix="LIST_"),
    "schedule run": CommandEntry(module="remote.control", function="run_schedule", prefix="RUN_"),
    "schedule next": CommandEntry(module="schedule_list", function="next_fires", prefix="NEXT_"),
}


class CommandGroup(TyperGroup):
    """Loads commands of the table on demand, and turns their errors into messages and exit codes."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - the library does not export this type
        """Return the names of the commands in this group in the order of the table, then its subgroups."""
        return [*_commands_in(ctx), *self.commands]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - as above
        """Return the command or group of this name, or ``None``."""
        entry = _commands_in(ctx).get(cmd_name)
        return entry.load(cmd_name) if entry else super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - as above
        """Return the command of the arguments; for an unknown name, suggest similar ones."""
        names = self.list_commands(ctx)
        if args and args[0] not in names:
            similar = " or ".join(f"'{name}'" for name in get_close_matches(args[0], names))
            ctx.fail(f"No such command '{args[0]}'." + (f" Did you mean {similar}?" if similar else ""))
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - as above
        """Run the command; print its error and exit with the code of the error."""
        try:
            return super().invoke(ctx)
        except PoolError as error:
            console(sys.stderr).print(f"poolwright: {error}", style="red", soft_wrap=True)
            raise typer.Exit(exit_code_of_error(error)) from error
        except OSError as error:
            console(sys.stderr).print(f"poolwright: {_os_error_message(error)}", style="red", soft_wrap=True)
            raise typer.Exit(ExitCode.RESOURCES) from error
        except KeyboardInterrupt as error:
            console(sys.stderr).print("poolwright: stopped.", style="red")
            raise typer.Exit(ExitCode.STOPPED) from error


def _os_error_message(error: OSError) -> str:
    """Return the message for an error of the operating system that no command handles."""
    cause = error.strerror or str(error) or type(error).__name__
    if isinstance(error.filename, str | bytes):
        return f"'{os.fsdecode(error.filename)}' cannot be used: {cause}. Fix this and start it again."
    if not _has_current_folder():
        return "The current folder no longer exists. Change to another one and start it again."
    return f"The operating system reported an error: {cause}. Fix this and start it again."


def _has_current_folder() -> bool:
    """Return whether the current folder exists."""
    try:
        return bool(os.getcwd())  # noqa: PTH109 - Path.cwd does the same with more steps
    except OSError:
        return False


def _commands_in(context: Any) -> dict[str, CommandEntry]:  # noqa: ANN401 - as above
    """Return the commands in the group of a context, by their last word."""
    group = f"{context.info_name} " if context.parent else ""
    members = {name.removeprefix(group): entry for name, entry in COMMANDS.items() if name.startswith(group)}
    return {name: entry for name, entry in members.items() if " " not in name}


def _group(**given: Any) -> typer.Typer:  # noqa: ANN401 - passed on
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"max_content_width": HELP_WIDTH},
        **given,
    )


app = _group(cls=CommandGroup)
for _name, _help in (
    ("profile", "Create, inspect and repair browser profiles."),
    ("journal", "Maintain the journal, the database of all orders."),
    ("portal", "Write, learn, list, check, try out and test portal packs."),
    ("schedule", "Show and run the configured schedules."),
):
    app.add_typer(_group(cls=CommandGroup, help=_help), name=_name)


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
    """Run the program and exit with its exit code."""
    secure_streams()
    try:
        app(prog_name=PROGRAM_NAME)
    except SystemExit as end:
        is_query = not _WORK_COMMANDS.intersection(sys.argv[1:2])
        if is_query and not end.code and (cause := stream_loss(sys.stdout)):
            console(sys.stderr).print(f"poolwright: the output could not be written: {cause}.", style="red")
            raise SystemExit(ExitCode.RESOURCES) from None
        raise
