"""``poolwright profile list``, ``show`` and ``verify``: what profiles there are and how they stand. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import typer
from rich.table import Table
from rich.text import Text

from poolwright.cli import profile_words
from poolwright.cli.check_lines import tell
from poolwright.cli.checks import Level
from poolwright.cli.console import console
from poolwright.cli.exits import Exit
from poolwright.cli.options import AsJson, ProfileName, SettingsCommand
from poolwright.cli.profile_checks import examine
from poolwright.profile.backups import latest_backup
from poolwright.profile.cookie_db import count_by_site
from poolwright.profile.inspection import ProfileHealth, ProfileInspection, inspect_profile
from poolwright.profile.repository import ProfileRepository
from poolwright.settings import Settings

LIST_HELP = (
    "List the profiles: portal, address, when sealed, cookies, and whether a run can use them.\n\n"
    "Fit: a run can start. Empty: nobody has logged in yet. In use: by a browser or another command. Marked: a run "
    "ended because of damage, and you have to accept or restore it. Damaged: broken, or changed since it was sealed."
)
LIST_EXAMPLES = ("poolwright profile list", "poolwright profile list --json")
SHOW_HELP = "Show one profile: its portal, its seal and good copy, and its cookies for each site.\n\nChanges nothing."
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


@SettingsCommand.taking("profiles_dir")
def list_profiles(settings: Settings, *, as_json: AsJson = False) -> None:
    """One row for each profile, and below them what is wrong with those that no run can use."""
    home = ProfileRepository(settings.profiles_dir)
    sights = [inspect_profile(home.find(name)) for name in home.names()]
    screen = console()
    if as_json:
        for sight in sights:
            screen.out(json.dumps(_told(sight), ensure_ascii=False), highlight=False)
        return
    if not sights:
        screen.print(f"There is no profile in {home.root} yet. Make one with `poolwright profile login NAME`.")
        return
    screen.print(_table(sights), soft_wrap=True)
    for sight in sights:
        if sight.why:
            screen.print(Text.assemble((sight.profile.name, "bold"), f": {sight.why}"), soft_wrap=True)


@SettingsCommand.taking("profiles_dir")
def show(settings: Settings, *, name: ProfileName, as_json: AsJson = False) -> None:
    """All facts of one profile."""
    sight = inspect_profile(ProfileRepository(settings.profiles_dir).find(name))
    screen = console()
    if as_json:
        screen.out(json.dumps(_told(sight) | {"cookies": _cookies(sight)}, ensure_ascii=False), highlight=False)
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    for title, text in _facts(sight):
        table.add_row(title, text)
    screen.print(table, soft_wrap=True)


@SettingsCommand.taking("profiles_dir")
def verify(settings: Settings, *, name: ProfileName, as_json: AsJson = False) -> None:
    """Tell every check; the exit code says whether a run can use the profile."""
    is_fit = True
    for check in examine(ProfileRepository(settings.profiles_dir).find(name)):
        tell(check, as_json=as_json)
        is_fit = is_fit and check.level is not Level.FAIL
    raise typer.Exit(Exit.DONE if is_fit else Exit.PROFILE)


def _table(sights: list[ProfileInspection]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for title in ("name", "portal", "address", "sealed"):
        table.add_column(title, no_wrap=True)
    table.add_column("cookies", justify="right")
    table.add_column("state", no_wrap=True)
    for sight in sights:
        table.add_row(
            Text(sight.profile.name, "bold"),
            Text(sight.content.pack if sight.content else "?"),
            Text(sight.content.base_url if sight.content else "?"),
            Text(f"{sight.sealed_at:%d %b %Y %H:%M}" if sight.sealed_at else "never"),
            Text(f"{sight.facts.cookies_count:,}" if sight.facts else "-"),
            Text(sight.standing.value, _STYLES[sight.standing]),
        )
    return table


def _facts(sight: ProfileInspection) -> Iterator[tuple[str, Text]]:
    yield "profile", Text(sight.profile.name, "bold")
    if sight.content:
        title = f" ({sight.content.title})" if sight.content.title else ""
        yield "portal", Text(f"{sight.content.pack} at {sight.content.base_url}{title}")
    yield "folder", Text(str(sight.profile.path))
    yield "state", Text(sight.standing.value, _STYLES[sight.standing])
    if sight.why:
        yield "", Text(sight.why, "yellow")
    browser = sight.facts.seal.browser_version if sight.facts and sight.facts.seal else None
    yield "sealed", Text(profile_words.moment(sight.sealed_at) + (f", written by browser {browser}" if browser else ""))
    good = latest_backup(sight.profile.base_path)
    yield "good copy", Text(str(good) if good else "none")
    if sight.facts:
        yield "size", Text(f"{profile_words.contents(sight.facts.files_count, sight.facts.size_bytes)} for each clone")
    by_site = _cookies(sight)
    if by_site:
        yield "cookies", Text(profile_words.cookies(by_site))
        width = max(map(len, by_site))
        for site, count in by_site.items():
            yield "", Text(f"{site:<{width}}  {count:>4}")


def _cookies(sight: ProfileInspection) -> dict[str, int]:
    """Cookies by site, the most first; none of a profile that no run can use."""
    found = count_by_site(sight.facts.cookies_path) if sight.facts else dict[str, int]()
    return dict(sorted(found.items(), key=lambda entry: (-entry[1], entry[0])))


def _told(sight: ProfileInspection) -> dict[str, object]:
    return {
        "type": "profile",
        "name": sight.profile.name,
        "portal": sight.content.pack if sight.content else None,
        "base_url": sight.content.base_url if sight.content else None,
        "folder": str(sight.profile.path),
        "sealed_at": sight.sealed_at.isoformat() if sight.sealed_at else None,
        "cookies_count": sight.facts.cookies_count if sight.facts else None,
        "state": sight.standing.value,
        "why": sight.why,
    }
