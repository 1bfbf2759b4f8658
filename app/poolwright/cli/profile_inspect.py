"""The commands `poolwright profile list`, `show` and `verify`: show the profiles and check them; read-only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

import typer
from rich.table import Table
from rich.text import Text

from poolwright.cli import check_result, terminal
from poolwright.cli.check_result import CheckLevel, CheckResult, print_check
from poolwright.cli.options import AsJson, ProfileName, SettingsCommand
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import FittingTable, console
from poolwright.domain.errors import PoolError
from poolwright.profile.backups import latest_backup
from poolwright.profile.base import BaseFacts, inspect_base
from poolwright.profile.cookie_db import count_by_site, find_cookie_db
from poolwright.profile.damage import refuse_marked, remediation
from poolwright.profile.in_use import read_locked
from poolwright.profile.inspection import ProfileHealth, ProfileInspection, inspect_profile
from poolwright.profile.repository import NamedProfile, ProfileRepository
from poolwright.profile.seal import check_seal, read_seal
from poolwright.profile.session_cookies import SessionCookies
from poolwright.service.portals.portal_config import resolve_portal_config
from poolwright.settings import Settings


def format_moment(at: datetime | None) -> str:
    """Return a time for people: ``23 Nov 2026 at 12:00 UTC``, or ``never``."""
    return f"{at:%d %b %Y at %H:%M} UTC" if at else "never"


def format_cookies(by_site: Mapping[str, int]) -> str:
    """Return the count of cookies: ``12 cookies for 2 sites``."""
    return f"{terminal.format_count(sum(by_site.values()), 'cookie')} for {terminal.format_count(len(by_site), 'site')}"


def describe_cookies(base: Path) -> str:
    """Return the count of cookies of a base that is not open in a browser.

    Raises:
        ProfileDamagedError: The cookies cannot be read.
    """
    return format_cookies(count_by_site(find_cookie_db(base)))


def describe_session_cookies(cookies: SessionCookies) -> str:
    """Return what a headless shell has of the cookies without an expiry; the profile has at least one."""
    total = f"{terminal.format_count(cookies.count, 'cookie')} without an expiry"
    if not cookies.lost_count:
        return f"{total}, which a headless shell gets from the copy beside the profile"
    have = "has" if cookies.lost_count == 1 else "have"
    return f"{total}, of which {cookies.lost_count:,} {have} no copy beside the profile: a headless shell loses them"


def format_contents(files_count: int, size_bytes: int) -> str:
    """Return count and size of files: ``66 files, 4.1 MB``."""
    return f"{terminal.format_count(files_count, 'file')}, {terminal.format_size(size_bytes)}"


#: A profile that was used differs in dozens of files; the first ones suffice.
DIFFERENCES_SHOWN = 12


def check_profile(profile: NamedProfile, settings: Settings) -> Iterator[CheckResult]:
    """Run every check in the order of a run, also after one has failed."""
    yield _check_file(settings)
    yield _check_mark(profile)
    try:
        with read_locked(profile.base_path):
            facts = inspect_base(profile.base_path)
            yield _check_base(facts)
            yield _check_seal(profile)
    except PoolError as error:
        yield check_result.fail("base", str(error), "")
    yield _check_backup(profile)


def _check_file(settings: Settings) -> CheckResult:
    try:
        site = resolve_portal_config(settings)
    except PoolError as error:
        return check_result.fail("profile.toml", str(error), "")
    found = f"for {site.pack.title} at {site.base_url}"
    if site.all_notices:
        return check_result.warn("profile.toml", found, " ".join(site.all_notices))
    return check_result.ok("profile.toml", found)


def _check_mark(profile: NamedProfile) -> CheckResult:
    try:
        refuse_marked(profile.base_path)
    except PoolError as error:
        return check_result.fail("mark", str(error), "")
    return check_result.ok("mark", "none: no run has found damage")


def _check_base(facts: BaseFacts) -> CheckResult:
    contents = format_contents(facts.files_count, facts.size_bytes)
    cookies = format_cookies(count_by_site(facts.cookies_path))
    found = f"intact, and not in use: {contents}, {cookies}"
    return (
        check_result.warn("base", found, " ".join(facts.notices)) if facts.notices else check_result.ok("base", found)
    )


def _check_seal(profile: NamedProfile) -> CheckResult:
    base = profile.base_path
    try:
        seal = read_seal(base)
        differences = check_seal(base, seal) if seal else ()
    except PoolError as error:
        return check_result.fail("seal", str(error), "")
    if seal is None:
        seal_command = f"poolwright profile seal {profile.name}"
        advice = f"A run checks only its structure; seal it with `{seal_command}` to check every byte."
        return check_result.warn("seal", "none", advice)
    if not differences:
        return check_result.ok("seal", f"every file is as it was sealed on {format_moment(seal.created_at)}")
    more = len(differences) - DIFFERENCES_SHOWN
    shown = ", ".join((*differences[:DIFFERENCES_SHOWN], *([f"{more} more"] if more > 0 else [])))
    found = f"not as it was sealed on {format_moment(seal.created_at)}: {shown}"
    return check_result.fail("seal", found, remediation(base))


def _check_backup(profile: NamedProfile) -> CheckResult:
    backup = latest_backup(profile.base_path)
    if backup is None:
        return check_result.warn("backup", "none", "Sealing the profile creates one.")
    try:
        seal = read_seal(backup)
        differences = check_seal(backup, seal) if seal else ("its seal is missing",)
    except PoolError as error:
        return check_result.warn("backup", str(error), "")
    if differences or seal is None:
        shown = ", ".join(differences[:DIFFERENCES_SHOWN])
        return check_result.warn("backup", f"damaged: {shown}", "Seal the profile again while it is intact.")
    return check_result.ok("backup", f"whole, of {format_moment(seal.created_at)}")


LIST_HELP = (
    "List the profiles: portal, address, when sealed, cookies, and whether a run can use them.\n\n"
    "Fit: a run can start. Empty: nobody has logged in yet. In use: by a browser or another command. Marked: a run "
    "ended because of damage, and you have to accept or restore it. Damaged: broken, or changed since it was sealed."
)
LIST_EXAMPLES = ("poolwright profile list", "poolwright profile list --json")
SHOW_HELP = "Show one profile: its portal, its seal and backup, and its cookies for each site.\n\nChanges nothing."
SHOW_EXAMPLES = ("poolwright profile show coupa",)
VERIFY_HELP = (
    "Check a profile as a run does before cloning it, and report every problem.\n\n"
    "Exit code 0 if a run can use it, 5 if not. Changes nothing and starts no browser."
)
VERIFY_EXAMPLES = ("poolwright profile verify coupa",)

_STYLES: Mapping[ProfileHealth, str] = {
    ProfileHealth.FIT: "green",
    ProfileHealth.EMPTY: "yellow",
    ProfileHealth.IN_USE: "yellow",
    ProfileHealth.MARKED: "bold red",
    ProfileHealth.DAMAGED: "bold red",
    ProfileHealth.REFUSED: "red",
    ProfileHealth.UNREADABLE: "red",
}


@SettingsCommand.with_settings("profiles_dir")
def list_profiles(settings: Settings, *, as_json: AsJson = False) -> None:
    """Print one row for each profile, then the problems of those that no run can use."""
    repository = ProfileRepository(settings.profiles_dir)
    inspections = [inspect_profile(repository.find(name)) for name in repository.names()]
    screen = console()
    if as_json:
        for inspection in inspections:
            screen.out(json.dumps(_profile_json(inspection), ensure_ascii=False), highlight=False)
        return
    if not inspections:
        screen.print(f"There is no profile in {repository.root} yet. Create one with `poolwright profile login NAME`.")
        return
    screen.print(FittingTable(_table(inspections)), soft_wrap=True)
    for inspection in inspections:
        if inspection.why:
            screen.print(Text.assemble((inspection.profile.name, "bold"), f": {inspection.why}"), soft_wrap=True)


@SettingsCommand.with_settings("profiles_dir")
def show(settings: Settings, *, name: ProfileName, as_json: AsJson = False) -> None:
    """Print the details of one profile."""
    inspection = inspect_profile(ProfileRepository(settings.profiles_dir).find(name))
    screen = console()
    if as_json:
        screen.out(
            json.dumps(_profile_json(inspection) | {"cookies": _cookies_by_site(inspection)}, ensure_ascii=False),
            highlight=False,
        )
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for title, text in _facts(inspection):
        table.add_row(title, text)
    screen.print(table, soft_wrap=True)


@SettingsCommand.with_settings("portal", "packs_dir", "base_url", "profiles_dir")
def verify(settings: Settings, *, name: ProfileName, as_json: AsJson = False) -> None:
    """Print every check; the exit code shows whether a run can use the profile."""
    is_fit = True
    settings = settings.model_copy(update={"profile": name})
    for check in check_profile(ProfileRepository(settings.profiles_dir).find(name), settings):
        print_check(check, as_json=as_json)
        is_fit = is_fit and check.level is not CheckLevel.FAIL
    raise typer.Exit(ExitCode.DONE if is_fit else ExitCode.PROFILE)


def _table(inspections: list[ProfileInspection]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("name", "portal", "address", "sealed"):
        table.add_column(title, no_wrap=True)
    table.add_column("cookies", justify="right")
    table.add_column("state", no_wrap=True)
    for inspection in inspections:
        table.add_row(
            Text(inspection.profile.name, "bold"),
            Text(inspection.content.pack if inspection.content else "?"),
            Text(inspection.content.base_url if inspection.content else "?"),
            Text(f"{inspection.sealed_at:%d %b %Y %H:%M}" if inspection.sealed_at else "never"),
            Text(f"{inspection.facts.cookies_count:,}" if inspection.facts else "-"),
            Text(inspection.health.value, _STYLES[inspection.health]),
        )
    return table


def _facts(inspection: ProfileInspection) -> Iterator[tuple[str, Text]]:
    yield "profile", Text(inspection.profile.name, "bold")
    if inspection.content:
        title = f" ({inspection.content.title})" if inspection.content.title else ""
        yield "portal", Text(f"{inspection.content.pack} at {inspection.content.base_url}{title}")
        pack_path = inspection.profile.pack_path(inspection.content)
        if pack_path is not None:
            source = inspection.content.pack_source
            yield "pack", Text(f"{pack_path}, copied from {source}" if source else str(pack_path))
    yield "folder", Text(str(inspection.profile.path))
    yield "state", Text(inspection.health.value, _STYLES[inspection.health])
    if inspection.why:
        yield "", Text(inspection.why, "yellow")
    browser = inspection.facts.seal.browser_version if inspection.facts and inspection.facts.seal else None
    yield "sealed", Text(format_moment(inspection.sealed_at) + (f", written by browser {browser}" if browser else ""))
    backup = latest_backup(inspection.profile.base_path)
    yield "backup", Text(str(backup) if backup else "none")
    if inspection.facts:
        yield (
            "size",
            Text(f"{format_contents(inspection.facts.files_count, inspection.facts.size_bytes)} for each clone"),
        )
    by_site = _cookies_by_site(inspection)
    if by_site:
        yield "cookies", Text(format_cookies(by_site))
        width = max(map(len, by_site))
        for site, count in by_site.items():
            yield "", Text(f"{site:<{width}}  {count:>4}")


def _cookies_by_site(inspection: ProfileInspection) -> dict[str, int]:
    """Return the cookies by site, the most first; empty for a profile that no run can use."""
    counts = count_by_site(inspection.facts.cookies_path) if inspection.facts else dict[str, int]()
    return dict(sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])))


def _profile_json(inspection: ProfileInspection) -> dict[str, object]:
    return {
        "type": "profile",
        "name": inspection.profile.name,
        "portal": inspection.content.pack if inspection.content else None,
        "base_url": inspection.content.base_url if inspection.content else None,
        "folder": str(inspection.profile.path),
        "sealed_at": inspection.sealed_at.isoformat() if inspection.sealed_at else None,
        "cookies_count": inspection.facts.cookies_count if inspection.facts else None,
        "state": inspection.health.value,
        "why": inspection.why,
    }
