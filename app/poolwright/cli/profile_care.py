"""``poolwright profile seal``, ``accept``, ``restore`` and ``remove``: what a person decides about a profile."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from poolwright.cli import profile_words
from poolwright.cli.console import console
from poolwright.cli.exits import Exit
from poolwright.cli.options import ProfileName, SettingsCommand
from poolwright.concurrency import SystemClock
from poolwright.profile import backups
from poolwright.profile.damage import read_damage_mark
from poolwright.profile.inspection import inspect_profile
from poolwright.profile.repository import NamedProfile, ProfileRepository
from poolwright.profile.seal import Seal, read_seal
from poolwright.settings import Settings

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


@SettingsCommand.taking("profiles_dir")
def seal(settings: Settings, *, name: ProfileName) -> None:
    """Check, seal, keep a copy; tell each."""
    profile = _find(settings, name)
    made = backups.seal_base(profile.base_path, now=SystemClock().now())
    _tell(profile, "is sealed", made)


@SettingsCommand.taking("profiles_dir")
def accept(settings: Settings, *, name: ProfileName) -> None:
    """Seal anew, take the mark away."""
    profile = _find(settings, name)
    marker = read_damage_mark(profile.base_path)
    made = backups.accept_base(profile.base_path, now=SystemClock().now())
    _tell(profile, "is accepted as it is now, and sealed anew", made)
    mark = f"The mark of {profile_words.moment(marker.found_at)} is removed." if marker else "It had no damage mark."
    console().print(Text(f"{mark} Runs may use it again."), soft_wrap=True)


@SettingsCommand.taking("profiles_dir")
def restore(settings: Settings, *, name: ProfileName) -> None:
    """Put the good copy in place, tell where the old base lies."""
    profile = _find(settings, name)
    aside = backups.restore_base(profile.base_path, now=SystemClock().now())
    made = read_seal(profile.base_path)
    if made is not None:
        _tell(profile, f"is restored as sealed on {profile_words.moment(made.created_at)}", made)
    console().print(
        Text(f"What was there before lies in {aside}; remove it when you no longer need it."), soft_wrap=True
    )


@SettingsCommand.taking("profiles_dir")
def remove(settings: Settings, *, name: ProfileName, yes: Yes = False) -> None:
    """Ask, then remove."""
    profile = _find(settings, name)
    if not (yes or typer.confirm(f"Remove {_described(profile)}? Its login can't be brought back", default=False)):
        console().print("Nothing was removed.")
        raise typer.Exit(Exit.STOPPED)
    backups.delete_profile(profile)
    console().print(Text.assemble("Profile ", (name, "bold"), " is removed."))


def _find(settings: Settings, name: str) -> NamedProfile:
    return ProfileRepository(settings.profiles_dir).find(name)


def _described(profile: NamedProfile) -> str:
    sight = inspect_profile(profile)
    portal = f" for {sight.content.pack} at {sight.content.base_url}" if sight.content else ""
    cookies = f", {sight.facts.cookies_count} cookies" if sight.facts else ""
    return f"profile {profile.name}{portal} ({sight.standing.value}{cookies})"


def _tell(profile: NamedProfile, what: str, made: Seal) -> None:
    size_bytes = sum(file.size_bytes for file in made.files.values())
    held = f"{profile_words.contents(len(made.files), size_bytes)}, {profile_words.cookies_in(profile.base_path)}"
    console().print(Text.assemble("Profile ", (profile.name, "bold"), f" {what}: {held}."), soft_wrap=True)
    good = backups.latest_backup(profile.base_path)
    if good is not None:
        console().print(Text(f"A backup of it is in {good}.", "dim"), soft_wrap=True)
