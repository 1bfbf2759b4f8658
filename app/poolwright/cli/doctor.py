"""The command `poolwright doctor`: check whether this machine is ready for a run."""

from __future__ import annotations

import locale
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Annotated
from urllib.request import getproxies

import anyio
import typer

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.cli import check_result, machine_checks
from poolwright.cli.check_result import CheckLevel, CheckResult, print_check
from poolwright.cli.machine_checks import (
    Encodings,
    check_browser,
    check_certificates,
    check_clock,
    check_fonts,
    check_locale,
    check_memory,
    check_open_files,
    check_proxies,
    check_sandbox,
    check_session_cookies,
    check_shared_memory,
    check_start,
)
from poolwright.cli.options import BROWSERS, AsJson, SettingsCommand
from poolwright.cli.process_exit import ExitCode
from poolwright.concurrency import SystemClock
from poolwright.domain.errors import PoolError
from poolwright.profile.base import LOCAL_STATE, check_base
from poolwright.profile.in_use import read_locked
from poolwright.profile.integrity import PREFERENCES_FILE
from poolwright.profile.repository import BASE_NAME, FILE_NAME, ProfileRepository
from poolwright.profile.session_cookies import count_session_cookies
from poolwright.service.browser_check import check_browser_start
from poolwright.service.capacity import pick_worker_count
from poolwright.service.certificates import find_certificates
from poolwright.service.log_setup import LogOptions, configure_logging
from poolwright.service.output_folder import JOURNAL_NAME, LOG_NAME
from poolwright.service.pool_config import resolve_browser, resolve_worker_config
from poolwright.service.portals.portal_config import find_profile, resolve_portal_config
from poolwright.settings import Settings
from poolwright.system.browsers import read_version
from poolwright.system.container import find_container
from poolwright.system.folder_access import latest_change, probe_folder, probe_readable, probe_temporary_folder
from poolwright.system.hardware import find_fonts, inspect_hardware, nearest_existing_folder
from poolwright.system.open_files import open_file_limit
from poolwright.system.sandbox import resolve_sandbox
from poolwright.version import __version__

HELP = (
    "Check whether this machine is ready for a run, and report what is missing.\n\n"
    "Changes nothing; starts the browser once, with a temporary profile. Exit code 0 if a run can work, "
    "1 if something is missing."
)
EXAMPLES = (
    "poolwright doctor",
    "poolwright doctor --no-start",
    "poolwright doctor --workers 8 --tabs 4 --out /srv/orders",
    "poolwright doctor --json",
)

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - only inspected
_ASKED_PORTAL = ("profile", "profiles_dir", "portal", "packs_dir", "base_url")
_ASKED_MACHINE = ("workers", "tabs_per_worker", "browser", "browser_path", "sandbox", "out", "runs_dir")


Start = Annotated[
    bool,
    typer.Option("--start/--no-start", help="Start the browser once; takes some seconds.", rich_help_panel=BROWSERS),
]


@SettingsCommand.with_settings(*_ASKED_PORTAL, *_ASKED_MACHINE)
def doctor(settings: Settings, *, start: Start = True, as_json: AsJson = False) -> None:
    """Run all checks and print each result."""
    worst = CheckLevel.OK
    for check in run_checks(settings, is_to_start=start):
        print_check(check, as_json=as_json)
        worst = CheckLevel.FAIL if CheckLevel.FAIL in {check.level, worst} else worst
    raise typer.Exit(ExitCode.NOT_ALL_DONE if worst is CheckLevel.FAIL else ExitCode.DONE)


def run_checks(settings: Settings, *, is_to_start: bool) -> Iterator[CheckResult]:
    """Run every check, in the order in which a person would fix the problems."""
    yield _versions()
    yield from _browser(settings, is_to_start=is_to_start)
    machine = inspect_hardware(settings.runs_dir, settings.memory_threshold)
    count = pick_worker_count(settings.workers, settings.tabs_per_worker, machine)
    container = find_container()
    yield check_memory(machine, count, settings.tabs_per_worker, container)
    has_shared_memory = _SHARED_MEMORY.is_dir()
    yield check_shared_memory(shutil.disk_usage(_SHARED_MEMORY).total if has_shared_memory else None)
    home = _home()
    if sys.platform.startswith("linux"):
        yield check_fonts(find_fonts(Path("/"), home), container)
    yield check_clock(SystemClock().now(), latest_change(_written_files(settings)))
    yield check_locale(find_encodings())
    yield check_open_files(open_file_limit())
    yield check_proxies(settings.proxy, settings.proxy_bypass, getproxies())
    yield _certificates(settings)
    yield machine_checks.check_output(
        probe_folder(settings.out), shutil.disk_usage(nearest_existing_folder(settings.out)).free
    )
    yield machine_checks.check_runs_dir(machine, count, settings.tabs_per_worker, probe_folder(settings.runs_dir))
    yield machine_checks.check_temporary(probe_temporary_folder())
    yield machine_checks.check_home(probe_folder(home) if home else None)
    yield machine_checks.check_profiles_dir(probe_folder(settings.profiles_dir))
    yield _profile(settings)
    yield from _session_cookies(settings)


def find_encodings() -> Encodings:
    """Return the encodings of this process. On Windows, file names are UTF-8 whatever the locale is."""
    names = sys.getfilesystemencoding()
    return Encodings(names=names, system=names if sys.platform == "win32" else locale.getencoding())


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # a user id without an account, and no HOME
        return None


def _written_files(settings: Settings) -> tuple[Path, ...]:
    """Return files that runs and browsers write, to compare their times with the clock."""
    profile = settings.profiles_dir / settings.profile
    private = settings.out / PRIVATE_NAME
    base = profile / BASE_NAME
    return (
        private / JOURNAL_NAME,
        private / LOG_NAME,
        profile / FILE_NAME,
        base / LOCAL_STATE,
        base / PREFERENCES_FILE,
    )


def _versions() -> CheckResult:
    system = f"{platform.system()} {platform.machine()}"
    found = f"Poolwright {__version__}, Python {platform.python_version()}, Playwright {metadata.version('playwright')}"
    return check_result.ok("program", f"{found}, {system}")


def _browser(settings: Settings, *, is_to_start: bool) -> Iterator[CheckResult]:
    """Check the browser of a run with this profile, or of one that makes it."""
    base = settings.profiles_dir / settings.profile / BASE_NAME
    try:
        choice = resolve_browser(settings, base, presents_certificate=settings.client_cert is not None)
        yield check_browser(choice, read_version(choice.browser))
    except PoolError as error:
        yield check_result.fail("browser", str(error), "")
        return
    yield check_sandbox(resolve_sandbox(settings.sandbox, choice.browser.path))
    if is_to_start:
        yield _start(settings, base)


def _start(settings: Settings, base: Path | None) -> CheckResult:
    try:
        worker = resolve_worker_config(settings, None, base).worker
    except PoolError as error:
        return check_result.fail("start", str(error), "")
    with configure_logging(LogOptions(level="warning")):  # the problem includes the output of the worker process
        return check_start(anyio.run(check_browser_start, worker, SystemClock().monotonic))


def _certificates(settings: Settings) -> CheckResult:
    try:
        certificates = find_certificates(settings)
    except PoolError as error:
        return check_result.fail("certificates", str(error), "")
    return check_certificates(certificates, SystemClock().now(), sys.platform)


def _profile(settings: Settings) -> CheckResult:
    folder = settings.profiles_dir / settings.profile
    files = (
        folder / FILE_NAME,
        folder / BASE_NAME,
        folder / BASE_NAME / LOCAL_STATE,
        folder / BASE_NAME / PREFERENCES_FILE,
    )
    unreadable = machine_checks.check_profile_rights(probe_readable(settings.profiles_dir, (folder, *files)))
    if unreadable is not None:
        return unreadable
    names = ProfileRepository(settings.profiles_dir).names()
    if settings.profile not in names:
        others = f"; existing profiles: {', '.join(names)}" if names else ""
        advice = f"Create it with `poolwright profile login {settings.profile}`, or choose another one with --profile."
        return check_result.warn("profile", f"there is no profile {settings.profile}{others}", advice)
    try:
        profile = find_profile(settings)
        site = resolve_portal_config(settings)
        with read_locked(profile.base_path):
            facts = check_base(profile.base_path)
    except PoolError as error:
        return check_result.fail("profile", str(error), "")
    found = f"{profile.name} for {site.pack.title} at {site.base_url}, {facts.cookies_count} cookies"
    notices = (*site.all_notices, *facts.notices)
    return check_result.warn("profile", found, " ".join(notices)) if notices else check_result.ok("profile", found)


def _session_cookies(settings: Settings) -> Iterator[CheckResult]:
    """Check what of the login a headless shell has, if the profile has cookies without an expiry."""
    base = settings.profiles_dir / settings.profile / BASE_NAME
    cookies = count_session_cookies(base, SystemClock().now())
    if cookies.count:
        try:
            is_shell = resolve_browser(settings, base).browser.is_shell
        except PoolError:  # reported by the check of the browser
            return
        yield check_session_cookies(cookies, settings.profile, is_shell=is_shell)
