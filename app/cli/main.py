"""The program ``poolwright``: its commands, and the border where errors become one sentence and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from app import __version__
from app.cli import (
    demo,
    doctor,
    journal,
    onboarding,
    portal,
    profile_care,
    profile_views,
    profiles,
    run,
    schedule,
    serve,
)
from app.cli.client import status, steering, submit
from app.cli.console import console
from app.cli.exits import Exit, exit_of_error
from app.cli.help import HelpfulCommand, epilog_of
from app.domain.failures import PoolError

#: Columns of a help text, where the terminal has as many.
HELP_WIDTH = 100

#: As it is typed.
NAME = "poolwright"


class Commands(TyperGroup):
    """All commands; what they raise for a person ends here."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - the library keeps its context's type to itself
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except PoolError as error:
            console(sys.stderr).print(f"poolwright: {error}", style="red", soft_wrap=True)
            raise typer.Exit(exit_of_error(error)) from error
        except KeyboardInterrupt as error:
            console(sys.stderr).print("poolwright: stopped.", style="red")
            raise typer.Exit(Exit.STOPPED) from error


def _group(**given: Any) -> typer.Typer:  # noqa: ANN401 - handed on
    return typer.Typer(
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"max_content_width": HELP_WIDTH},
        **given,
    )


def _add(
    group: typer.Typer,
    name: str,
    command: Callable[..., None],
    help_text: str,
    examples: Iterable[str] = (),
    exit_codes: Iterable[Exit] = (),
) -> None:
    group.command(
        name,
        cls=HelpfulCommand,
        help=help_text,
        short_help=help_text.partition("\n\n")[0],
        epilog=epilog_of(examples, exit_codes),
    )(command)


app = _group(cls=Commands)
profile_app = _group(help="Make browser profiles, look at them, and decide about them.")
journal_app = _group(help="Look after the journal, the memory of all orders.")
portal_app = _group(help="See and check portal packs.")
schedule_app = _group(help="See when lists are fetched by themselves.")


def _version(*, value: bool) -> None:
    if value:
        console().print(f"poolwright {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and end.")
    ] = False,
) -> None:
    """Bring back every attachment of a list of purchase orders, through your own logged-in browser profile."""


_add(app, "run", run.run, run.HELP, run.EXAMPLES, Exit)
_add(app, "serve", serve.serve, serve.HELP, serve.EXAMPLES, Exit)
_add(app, "submit", submit.submit, submit.HELP, submit.EXAMPLES)
_add(app, "status", status.status, status.STATUS_HELP, status.STATUS_EXAMPLES)
_add(app, "watch", status.watch, status.WATCH_HELP, status.WATCH_EXAMPLES)
_add(app, "pause", steering.pause, steering.PAUSE_HELP)
_add(app, "resume", steering.resume, steering.RESUME_HELP)
_add(app, "cancel", steering.cancel, steering.CANCEL_HELP, steering.CANCEL_EXAMPLES)
_add(app, "retry", steering.retry, steering.RETRY_HELP, steering.RETRY_EXAMPLES)
_add(app, "report", steering.report, steering.REPORT_HELP, steering.REPORT_EXAMPLES)
_add(app, "demo", demo.demo, demo.HELP, demo.EXAMPLES)
_add(app, "doctor", doctor.doctor, doctor.HELP, doctor.EXAMPLES)
_add(profile_app, "create", profiles.create, profiles.CREATE_HELP, profiles.CREATE_EXAMPLES)
_add(profile_app, "clone-check", profiles.clone_check, profiles.CHECK_HELP, profiles.CHECK_EXAMPLES)
_add(profile_app, "login", onboarding.login, onboarding.LOGIN_HELP, onboarding.LOGIN_EXAMPLES)
_add(profile_app, "import-state", onboarding.import_state, onboarding.IMPORT_HELP, onboarding.IMPORT_EXAMPLES)
_add(profile_app, "promote", onboarding.promote, onboarding.PROMOTE_HELP, onboarding.PROMOTE_EXAMPLES)
_add(profile_app, "list", profile_views.list_profiles, profile_views.LIST_HELP, profile_views.LIST_EXAMPLES)
_add(profile_app, "show", profile_views.show, profile_views.SHOW_HELP, profile_views.SHOW_EXAMPLES)
_add(profile_app, "verify", profile_views.verify, profile_views.VERIFY_HELP, profile_views.VERIFY_EXAMPLES)
_add(profile_app, "seal", profile_care.seal, profile_care.SEAL_HELP, profile_care.SEAL_EXAMPLES)
_add(profile_app, "accept", profile_care.accept, profile_care.ACCEPT_HELP, profile_care.ACCEPT_EXAMPLES)
_add(profile_app, "restore", profile_care.restore, profile_care.RESTORE_HELP, profile_care.RESTORE_EXAMPLES)
_add(profile_app, "remove", profile_care.remove, profile_care.REMOVE_HELP, profile_care.REMOVE_EXAMPLES)
_add(journal_app, "compact", journal.compact, journal.COMPACT_HELP, journal.COMPACT_EXAMPLES)
_add(portal_app, "lint", portal.lint, portal.LINT_HELP, portal.LINT_EXAMPLES)
_add(portal_app, "list", portal.list_packs, portal.LIST_HELP)
_add(schedule_app, "list", schedule.list_schedules, schedule.LIST_HELP, schedule.LIST_EXAMPLES)
_add(schedule_app, "run", steering.run_schedule, steering.RUN_HELP, steering.RUN_EXAMPLES)
_add(schedule_app, "next", schedule.next_fires, schedule.NEXT_HELP, schedule.NEXT_EXAMPLES)
app.add_typer(profile_app, name="profile")
app.add_typer(journal_app, name="journal")
app.add_typer(portal_app, name="portal")
app.add_typer(schedule_app, name="schedule")


def main() -> None:
    """Run the program; its exit code says how it went."""
    app(prog_name=NAME)
