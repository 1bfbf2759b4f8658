"""The commands `poolwright profile create`, `clone-check`, `seal`, `accept`, `restore` and `remove`."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Annotated

import anyio
import typer
from rich.text import Text

from poolwright.cli import profile_inspect, terminal
from poolwright.cli.login import create_profile, has_credentials, warn_about_sandbox
from poolwright.cli.options import ProfileName, SettingsCommand
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import console
from poolwright.concurrency import SystemClock
from poolwright.profile import backups
from poolwright.profile.base import check_base
from poolwright.profile.clone import CloneReport, clone_profile, is_copied, remove_clone
from poolwright.profile.damage import read_damage_mark
from poolwright.profile.in_use import read_locked
from poolwright.profile.inspection import inspect_profile
from poolwright.profile.profile import prepare_for_launch
from poolwright.profile.repository import NamedProfile, ProfileRepository
from poolwright.profile.run_folder import RunFolder
from poolwright.profile.seal import Seal, read_seal, refuse_differences
from poolwright.service.keyring import fill_from_keyring
from poolwright.service.pool_config import find_profile, resolve_new_portal_config, resolve_worker_config
from poolwright.settings import Settings, variable_name

CREATE_HELP = (
    "Create a profile: the browser folder that workers clone.\n\n"
    "Opens a browser on a new folder, and logs in through the portal's form if user and password are set "
    f"({variable_name('user')} and {variable_name('password')}, best in .env). Your everyday browser is never touched."
)
CREATE_EXAMPLES = ("poolwright profile create coupa --portal coupa --base-url https://example.coupahost.com",)
CHECK_HELP = (
    "Clone a profile as for a worker, check the clone, and remove it.\n\n"
    "Shows what was copied, how long it took, and what was excluded. The profile itself is only read."
)
CHECK_EXAMPLES = ("poolwright profile clone-check coupa",)
#: The largest of what was left out.
EXCLUDED_SHOWN = 4


@SettingsCommand.with_settings("portal", "base_url", "profiles_dir", "headless", "browser_path", "sandbox", "runs_dir")
def create(settings: Settings, *, name: ProfileName) -> None:
    """Make the folder, have a browser open it, log in where a login is given."""
    settings = settings.model_copy(update={"profile": name})
    site, content = resolve_new_portal_config(settings)
    settings, _ = fill_from_keyring(settings, site.pack)
    crew = resolve_worker_config(settings, site)
    warn_about_sandbox(crew)
    profile = anyio.run(create_profile, settings, content, crew, None)
    console().print(_created_text(profile, settings), soft_wrap=True)


def _created_text(profile: NamedProfile, settings: Settings) -> Text:
    made = Text.assemble("Profile ", (profile.name, "bold"), f" is made in {profile.path}")
    if has_credentials(settings):
        done = f", logged in as {settings.user}, and sealed: {profile_inspect.describe_cookies(profile.base_path)}."
        return made.append(f"{done}\nNext: poolwright run LIST --profile {profile.name}")
    login = f"{variable_name('user')} and {variable_name('password')}"
    return made.append(f"; nobody is logged in yet.\nNext: set {login} (environment or .env); workers log in then.")


@SettingsCommand.with_settings("profiles_dir", "runs_dir")
def clone_check(settings: Settings, *, name: ProfileName) -> None:
    """Clone, prepare for a launch, remove; tell each."""
    base = find_profile(settings.model_copy(update={"profile": name})).base_path
    with RunFolder.create(settings.runs_dir) as run:
        report = clone_once(base, run.worker_folder(1).profile_path)
    screen = console()
    copied = f"{terminal.format_count(report.files_count, 'file')}, {terminal.format_size(report.size_bytes)}"
    took = f"{report.duration_s * 1000:.0f} ms"
    screen.print(
        Text.assemble((name, "bold"), f": cloned {copied} in {took}; ", ("whole", "green"), ", and removed again")
    )
    left_out = excluded_bytes(base)
    if left_out:
        largest = ", ".join(
            f"{entry} {terminal.format_size(size)}" for entry, size in left_out.most_common(EXCLUDED_SHOWN)
        )
        screen.print(Text(f"left out: {terminal.format_size(left_out.total())} ({largest})", "dim"), soft_wrap=True)


def clone_once(base: Path, target: Path) -> CloneReport:
    """Make a clone, make it ready for a launch, and remove it. Unlike a run it marks no damage: it decides nothing.

    Raises:
        ProfileError: The base or the clone is not fit.
        SetupError: The clone cannot be written.
    """
    with read_locked(base):
        facts = check_base(base)
        report = clone_profile(base, target)
    if facts.seal is not None:
        refuse_differences(base, facts.seal, report.files)
    prepare_for_launch(target)
    remove_clone(target)
    return report


def excluded_bytes(base: Path) -> Counter[str]:
    """Bytes of what clones do without, by its path below the base. Links are passed over."""
    sizes: Counter[str] = Counter()
    for folder, folders, files in os.walk(base):
        parts = Path(folder).relative_to(base).parts
        unwanted = [name for name in folders if not is_copied((*parts, name), is_folder=True)]
        for name in unwanted:
            sizes["/".join((*parts, name))] = _folder_bytes(Path(folder, name))
        folders[:] = [name for name in folders if name not in unwanted]
        for name in files:
            if not is_copied((*parts, name), is_folder=False):
                sizes["/".join((*parts, name))] = Path(folder, name).lstat().st_size
    return sizes


def _folder_bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


SEAL_HELP = (
    "Seal the current state of a profile, and back it up.\n\n"
    "From then on every byte is checked before each run. `profile login` seals by itself; use this command after you "
    "changed a profile on purpose."
)
SEAL_EXAMPLES = ("poolwright profile seal coupa",)
ACCEPT_HELP = (
    "Accept the current state of a profile that a run found damaged or changed.\n\n"
    "Seals it again and removes the damage mark. Its structure must be intact: an unreadable profile can't be accepted."
)
ACCEPT_EXAMPLES = ("poolwright profile accept coupa",)
RESTORE_HELP = (
    "Restore the latest backup of a profile, and remove its damage mark.\n\n"
    "The replaced profile is kept next to it for inspection."
)
RESTORE_EXAMPLES = ("poolwright profile restore coupa",)
REMOVE_HELP = (
    "Remove a profile: its login, seal, backups and configuration file.\n\n"
    "Asks for confirmation. A profile that is open in a browser is not removed."
)
REMOVE_EXAMPLES = ("poolwright profile remove coupa", "poolwright profile remove coupa --yes")

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Remove it without asking.")]


@SettingsCommand.with_settings("profiles_dir")
def seal(settings: Settings, *, name: ProfileName) -> None:
    """Check, seal, keep a copy; tell each."""
    profile = _find(settings, name)
    made = backups.seal_base(profile.base_path, now=SystemClock().now())
    _print_sealed(profile, "is sealed", made)


@SettingsCommand.with_settings("profiles_dir")
def accept(settings: Settings, *, name: ProfileName) -> None:
    """Seal anew, take the mark away."""
    profile = _find(settings, name)
    marker = read_damage_mark(profile.base_path)
    made = backups.accept_base(profile.base_path, now=SystemClock().now())
    _print_sealed(profile, "is accepted as it is now, and sealed anew", made)
    mark = (
        f"The mark of {profile_inspect.format_moment(marker.found_at)} is removed."
        if marker
        else "It had no damage mark."
    )
    console().print(Text(f"{mark} Runs may use it again."), soft_wrap=True)


@SettingsCommand.with_settings("profiles_dir")
def restore(settings: Settings, *, name: ProfileName) -> None:
    """Put the good copy in place, tell where the old base lies."""
    profile = _find(settings, name)
    aside = backups.restore_base(profile.base_path, now=SystemClock().now())
    made = read_seal(profile.base_path)
    if made is not None:
        _print_sealed(profile, f"is restored as sealed on {profile_inspect.format_moment(made.created_at)}", made)
    console().print(
        Text(f"What was there before lies in {aside}; remove it when you no longer need it."), soft_wrap=True
    )


@SettingsCommand.with_settings("profiles_dir")
def remove(settings: Settings, *, name: ProfileName, yes: Yes = False) -> None:
    """Ask, then remove."""
    profile = _find(settings, name)
    if not (yes or typer.confirm(f"Remove {_describe(profile)}? Its login can't be brought back", default=False)):
        console().print("Nothing was removed.")
        raise typer.Exit(ExitCode.STOPPED)
    backups.delete_profile(profile)
    console().print(Text.assemble("Profile ", (name, "bold"), " is removed."))


def _find(settings: Settings, name: str) -> NamedProfile:
    return ProfileRepository(settings.profiles_dir).find(name)


def _describe(profile: NamedProfile) -> str:
    sight = inspect_profile(profile)
    portal = f" for {sight.content.pack} at {sight.content.base_url}" if sight.content else ""
    cookies = f", {sight.facts.cookies_count} cookies" if sight.facts else ""
    return f"profile {profile.name}{portal} ({sight.health.value}{cookies})"


def _print_sealed(profile: NamedProfile, what: str, made: Seal) -> None:
    size_bytes = sum(file.size_bytes for file in made.files.values())
    contents = profile_inspect.format_contents(len(made.files), size_bytes)
    held = f"{contents}, {profile_inspect.describe_cookies(profile.base_path)}"
    console().print(Text.assemble("Profile ", (profile.name, "bold"), f" {what}: {held}."), soft_wrap=True)
    good = backups.latest_backup(profile.base_path)
    if good is not None:
        console().print(Text(f"A backup of it is in {good}.", "dim"), soft_wrap=True)
