"""``poolwright profile seal``, ``accept``, ``restore`` and ``remove``: what a person decides about a profile."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from poolwright.cli import profile_words
from poolwright.cli.console import console
from poolwright.cli.exits import Exit
from poolwright.cli.options import ProfileName, SettingsCommand
from poolwright.profile import keeping
from poolwright.profile.home import NamedProfile, ProfileHome
from poolwright.profile.marker import read_marker
from poolwright.profile.seal import Seal, read_seal
from poolwright.profile.standing import look_at
from poolwright.service.clock import SystemClock
from poolwright.settings import Settings

SEAL_HELP = (
    "Seal a profile as it is now, and keep a good copy of it.\n\n"
    "From then on every byte is checked before each run. `profile login` seals by itself; give this command after you "
    "changed a profile on purpose."
)
SEAL_EXAMPLES = ("poolwright profile seal coupa",)
ACCEPT_HELP = (
    "Accept a profile as it is now, although a run found it damaged or changed.\n\n"
    "Seals it anew and takes the mark away. Its structure must be whole: what no browser could read can't be accepted."
)
ACCEPT_EXAMPLES = ("poolwright profile accept coupa",)
RESTORE_HELP = (
    "Put the last good copy of a profile in its place, and take the mark of a damage away.\n\n"
    "What was there is kept beside it, for you to look at."
)
RESTORE_EXAMPLES = ("poolwright profile restore coupa",)
REMOVE_HELP = (
    "Remove a profile: its login, its seal, its good copies and its file.\n\n"
    "Asks before. A profile that a browser has open is left alone."
)
REMOVE_EXAMPLES = ("poolwright profile remove coupa", "poolwright profile remove coupa --yes")

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Remove it without asking.")]


@SettingsCommand.taking("profiles_dir")
def seal(settings: Settings, *, name: ProfileName) -> None:
    """Check, seal, keep a copy; tell each."""
    profile = _find(settings, name)
    made = keeping.seal_base(profile.base_path, now=SystemClock().now())
    _tell(profile, "is sealed", made)


@SettingsCommand.taking("profiles_dir")
def accept(settings: Settings, *, name: ProfileName) -> None:
    """Seal anew, take the mark away."""
    profile = _find(settings, name)
    marker = read_marker(profile.base_path)
    made = keeping.accept(profile.base_path, now=SystemClock().now())
    _tell(profile, "is accepted as it is now, and sealed anew", made)
    mark = f"The mark of {profile_words.moment(marker.found_at)} is taken away." if marker else "It carried no mark."
    console().print(Text(f"{mark} Runs may use it again."), soft_wrap=True)


@SettingsCommand.taking("profiles_dir")
def restore(settings: Settings, *, name: ProfileName) -> None:
    """Put the good copy in place, tell where the old base lies."""
    profile = _find(settings, name)
    aside = keeping.restore(profile.base_path, now=SystemClock().now())
    made = read_seal(profile.base_path)
    if made is not None:
        _tell(profile, f"is back as it was sealed on {profile_words.moment(made.created_at)}", made)
    console().print(Text(f"What was there before lies in {aside}; remove it when you need it no more."), soft_wrap=True)


@SettingsCommand.taking("profiles_dir")
def remove(settings: Settings, *, name: ProfileName, yes: Yes = False) -> None:
    """Ask, then remove."""
    profile = _find(settings, name)
    if not (yes or typer.confirm(f"Remove {_described(profile)}? Its login can't be brought back", default=False)):
        console().print("Nothing was removed.")
        raise typer.Exit(Exit.STOPPED)
    keeping.discard(profile)
    console().print(Text.assemble("Profile ", (name, "bold"), " is removed."))


def _find(settings: Settings, name: str) -> NamedProfile:
    return ProfileHome(settings.profiles_dir).find(name)


def _described(profile: NamedProfile) -> str:
    sight = look_at(profile)
    portal = f" for {sight.content.pack} at {sight.content.base_url}" if sight.content else ""
    cookies = f", {sight.facts.cookies_count} cookies" if sight.facts else ""
    return f"profile {profile.name}{portal} ({sight.standing.value}{cookies})"


def _tell(profile: NamedProfile, what: str, made: Seal) -> None:
    size_bytes = sum(file.size_bytes for file in made.files.values())
    held = f"{profile_words.contents(len(made.files), size_bytes)}, {profile_words.cookies_in(profile.base_path)}"
    console().print(Text.assemble("Profile ", (profile.name, "bold"), f" {what}: {held}."), soft_wrap=True)
    good = keeping.find_good(profile.base_path)
    if good is not None:
        console().print(Text(f"A good copy of it lies in {good}.", "dim"), soft_wrap=True)
