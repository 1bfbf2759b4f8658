"""The commands `poolwright profile login`, `import-state` and `promote`: create a profile and put a login into it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import anyio
import anyio.to_thread
import typer
from rich.text import Text

from poolwright.cli import profile_inspect
from poolwright.cli.batch_session import log_options, sandbox_warnings
from poolwright.cli.batch_views import OutputMode
from poolwright.cli.options import PORTAL, ProfileName, SettingsCommand
from poolwright.cli.signals import run_cancellable, run_stoppable
from poolwright.cli.terminal import console
from poolwright.concurrency import SystemClock
from poolwright.domain.errors import LoginRequiredError, OptionsError
from poolwright.domain.events import Event, Level, Notice
from poolwright.portal.login_schema import SecretName
from poolwright.portal.pack import Pack
from poolwright.profile.backups import login_backup_path, seal_base
from poolwright.profile.repository import NamedProfile, ProfileRepository
from poolwright.profile.seal import Seal
from poolwright.profile.session_cookies import count_session_cookies
from poolwright.profile.storage_state import read_storage_state
from poolwright.service import login_methods
from poolwright.service.batch_run import make_base_profile
from poolwright.service.keyring import fill_from_keyring
from poolwright.service.log_setup import configure_logging
from poolwright.service.login_methods import ProfileLogin
from poolwright.service.pool_config import WorkerConfig, resolve_worker_config
from poolwright.service.portals.portal_config import (
    PortalConfig,
    find_profile,
    resolve_new_portal_config,
    resolve_portal_config,
)
from poolwright.service.portals.profile_pack import ProfilePack
from poolwright.settings import Settings, variable_name
from poolwright.system.hardware import require_display


async def create_profile(
    settings: Settings, pack: ProfilePack, workers: WorkerConfig, log_file: Path | None
) -> NamedProfile:
    """Create the profile that the settings name; if that fails, remove it again.

    Raises:
        ProfileError: A profile of this name exists, or the name is not valid.
        LoginRequiredError: The login failed.
        SetupError: The browser does not start, the portal does not answer, or the folder cannot be written.
        KeyboardInterrupt: A signal stopped it.
    """
    repository = ProfileRepository(settings.profiles_dir)
    profile = repository.create(settings.profile, pack.content, pack.copy)
    is_made, logs_in = False, has_credentials(settings, pack.pack)

    async def make() -> None:
        await make_base_profile(
            workers=workers,
            base=profile.base_path,
            runs_root=settings.runs_dir,
            observe=print_notice,
            cookies_path=login_backup_path(profile.base_path) if logs_in else None,
        )

    try:
        with configure_logging(log_options(OutputMode(), None, settings, log_file)):
            await run_cancellable(make)
        if logs_in:
            await anyio.to_thread.run_sync(partial(seal_base, profile.base_path, now=SystemClock().now()))
        is_made = True
    finally:
        if not is_made:
            repository.discard(profile)
    return profile


def has_credentials(settings: Settings, pack: Pack) -> bool:
    """Return whether all is set that a login without a person needs."""
    given = {
        name
        for name, value in (
            (SecretName.USER, settings.user),
            (SecretName.PASSWORD, settings.password.get_secret_value()),
            (SecretName.TOKEN, settings.login_token.get_secret_value()),
        )
        if value
    }
    if settings.http_user and not pack.login.actions:  # HTTP authentication uses these
        given |= {SecretName.USER, SecretName.PASSWORD}
    return {SecretName.USER, SecretName.PASSWORD} <= given or pack.login.is_possible(given)


def warn_about_sandbox(workers: WorkerConfig) -> None:
    """Warn that the browser runs without its sandbox or may not start with it."""
    for text in sandbox_warnings(workers):
        print_notice(Notice(level=Level.WARNING, text=text))


def print_portal_notices(site: PortalConfig) -> None:
    """Print what the user should know about the portal pack."""
    for text in site.all_notices:
        console().print(text, style="yellow", soft_wrap=True)


def print_notice(event: Event) -> None:
    """Print a notice, unless its level is INFO."""
    if isinstance(event, Notice) and event.level is not Level.INFO:
        console().print(event.text, style="yellow", soft_wrap=True)


LOGIN_HELP = (
    "Log in to a portal and save the login in a profile, which is created if it does not exist.\n\n"
    "Opens a browser window on the portal. Log in there as usual (including single sign-on and codes), then "
    "close the window. The login is then verified in a new browser, sealed, and backed up. Your everyday "
    "browser is never touched. With --form, no window opens and the portal's login form is filled in with "
    f"{variable_name('user')} and {variable_name('password')}, or the password that the system's "
    "keyring has under poolwright."
)
LOGIN_EXAMPLES = (
    "poolwright profile login coupa --portal coupa --url https://example.coupahost.com",
    "poolwright profile login coupa",
    "poolwright profile login coupa --form",
)
IMPORT_HELP = (
    "Import a login from another machine into a profile, which is created if it does not exist.\n\n"
    "FILE is what Playwright's `context.storage_state(path=..., indexed_db=True)` writes: cookies, localStorage and "
    "IndexedDB. It replaces the login of the profile. Whoever has that file is logged in: delete it "
    "afterwards."
)
IMPORT_EXAMPLES = (
    "poolwright profile import-state coupa state.json",
    "poolwright profile import-state coupa state.json --portal coupa --url https://example.coupahost.com",
)

PROMOTE_HELP = (
    "Save a login that a run renewed to its profile.\n\n"
    "A run that logs in again does not change the profile. This verifies that login in a new browser, and if the "
    "portal accepts it, saves it to the profile and seals it. The previous profile is kept next to it."
)
PROMOTE_EXAMPLES = ("poolwright profile promote coupa",)

Form = Annotated[
    bool, typer.Option("--form", help="Fill in the portal's login form; opens no window.", rich_help_panel=PORTAL)
]
StateFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="A storage state that Playwright wrote.", show_default=False)
]
_ASKED = ("portal", "packs_dir", "base_url", "profiles_dir", "browser", "browser_path", "sandbox", "runs_dir")

Work = Callable[[ProfileLogin], Awaitable[Seal]]


@SettingsCommand.with_settings(*_ASKED)
def login(settings: Settings, *, name: ProfileName, form: Form = False) -> None:
    """Log in by hand in a window, or by form."""
    settings = settings.model_copy(update={"profile": name})
    if form:
        _set_up(settings, _by_form, needs_login=True)
    else:
        require_display(name)
        _set_up(settings, _by_hand, is_kept_unproven=True)


@SettingsCommand.with_settings(*_ASKED)
def import_state(settings: Settings, *, name: ProfileName, file: StateFile) -> None:
    """Read the file and import its login."""
    state = read_storage_state(file)

    async def work(job: ProfileLogin) -> Seal:
        return await run_cancellable(partial(login_methods.import_state, job, state))

    _set_up(settings.model_copy(update={"profile": name}), work)


@SettingsCommand.with_settings(*_ASKED)
def promote(settings: Settings, *, name: ProfileName) -> None:
    """Verify the renewed login on a clone, then replace the base with the clone."""
    settings = settings.model_copy(update={"profile": name})
    site = resolve_portal_config(settings)
    job = _job(settings, find_profile(settings), resolve_worker_config(settings, site))
    print_portal_notices(site)
    warn_about_sandbox(job.workers)
    with configure_logging(log_options(OutputMode(), None, settings, None)):
        previous, seal = anyio.run(run_cancellable, partial(login_methods.promote, job))
    console().print(_result_text(job.profile, seal), soft_wrap=True)
    console().print(
        Text(f"The previous profile is in {previous}; remove it when you no longer need it."), soft_wrap=True
    )


async def _by_form(job: ProfileLogin) -> Seal:
    return await run_cancellable(partial(login_methods.log_in_by_form, job))


async def _by_hand(job: ProfileLogin) -> Seal:
    screen = console()

    def opened() -> None:
        text = "A browser window is open. Log in there, then close it (or press Ctrl+C here)."
        screen.print(Text(text, "bold"), soft_wrap=True)

    def closing() -> None:
        screen.print("Closing the window; press Ctrl+C again to stop at once.")

    async def work(enough: anyio.Event) -> Seal:
        return await login_methods.log_in_by_hand(job, opened=opened, enough=enough)

    return await run_stoppable(work, closing)


def _set_up(settings: Settings, work: Work, *, is_kept_unproven: bool = False, needs_login: bool = False) -> None:
    """Find or create the profile, do the work, and print the result."""
    profile, seal = log_in_profile(settings, work, is_kept_unproven=is_kept_unproven, needs_login=needs_login)
    print_login(profile, seal)


def log_in_profile(
    settings: Settings, work: Work, *, is_kept_unproven: bool = False, needs_login: bool = False
) -> tuple[NamedProfile, Seal]:
    """Find or create the profile that the settings name, and do the work that puts a login into it.

    A new profile is removed if the work fails, except after a login by hand that could not be verified
    (``is_kept_unproven``).

    Raises:
        PoolError: A precondition is not met: pack, browser, login or portal.
    """
    repository = ProfileRepository(settings.profiles_dir)
    is_new = settings.profile not in repository.names()
    site, pack = resolve_new_portal_config(settings) if is_new else (resolve_portal_config(settings), None)
    if needs_login:
        settings = _with_credentials(settings, site)
    workers = resolve_worker_config(settings, site)
    if pack is None:
        profile = repository.find(settings.profile)
        profile.ensure_base()
    else:
        profile = repository.create(settings.profile, pack.content, pack.copy)
    job = _job(settings, profile, workers)
    print_portal_notices(site)
    warn_about_sandbox(workers)
    is_kept = not is_new
    try:
        with configure_logging(log_options(OutputMode(), None, settings, None)):
            seal = anyio.run(work, job)
        is_kept = True
    except LoginRequiredError:
        is_kept = is_kept or is_kept_unproven
        raise
    finally:
        if not is_kept:
            repository.discard(profile)
    return profile, seal


def print_login(profile: NamedProfile, seal: Seal) -> None:
    """Print what a profile has after a login, and the next command."""
    console().print(_result_text(profile, seal), soft_wrap=True)


def _job(settings: Settings, profile: NamedProfile, workers: WorkerConfig) -> ProfileLogin:
    return ProfileLogin(
        profile=profile, workers=workers, runs_root=settings.runs_dir, observe=print_notice, clock=SystemClock()
    )


def _result_text(profile: NamedProfile, seal: Seal) -> Text:
    cookies = profile_inspect.describe_cookies(profile.base_path)
    session = count_session_cookies(profile.base_path, SystemClock().now())
    told = f"{profile_inspect.describe_session_cookies(session)}.\n" if session.count else ""
    return Text.assemble(
        "Profile ",
        (profile.name, "bold"),
        f": {cookies}, ",
        ("login probe passed", "green"),
        f"; sealed on {profile_inspect.format_moment(seal.created_at)}, and backed up.\n",
        told,
        f"Next: poolwright run LIST --profile {profile.name}",
    )


def _with_credentials(settings: Settings, site: PortalConfig) -> Settings:
    login = site.pack.login
    if not login.is_automatic:
        raise OptionsError(
            f"{site.pack.title} has no login form that Poolwright knows; log in manually: `poolwright profile login "
            f"{settings.profile}`."
        )
    needs_user = SecretName.USER in login.secrets and not (settings.http_user and not login.actions)
    if needs_user and not settings.user:
        raise LoginRequiredError(
            f"The form needs a user and a password: set {variable_name('user')} and {variable_name('password')} "
            "(environment or .env), then run the command again."
        )
    settings, no_password = fill_from_keyring(settings, site.pack)
    if no_password:
        raise LoginRequiredError(f"{no_password} Set one, then run the command again.")
    return settings
