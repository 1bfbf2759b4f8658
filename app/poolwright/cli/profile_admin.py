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
from poolwright.cli.login import create_profile, has_credentials, print_portal_notices, warn_about_sandbox
from poolwright.cli.options import ProfileName, SettingsCommand
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import console
from poolwright.concurrency import SystemClock
from poolwright.domain.account import Account
from poolwright.portal.login_schema import SecretName
from poolwright.portal.pack import Pack
from poolwright.profile import backups
from poolwright.profile.base import check_base
from poolwright.profile.clone import CloneReport, clone_profile, is_copied, remove_clone
from poolwright.profile.damage import describe_damage_mark
from poolwright.profile.in_use import read_locked
from poolwright.profile.inspection import inspect_profile
from poolwright.profile.profile import prepare_for_launch
from poolwright.profile.repository import NamedProfile, ProfileFile, ProfileRepository
from poolwright.profile.run_folder import RunFolder
from poolwright.profile.seal import Seal, read_seal, refuse_differences
from poolwright.service.keyring import fill_from_keyring
from poolwright.service.pool_config import resolve_worker_config
from poolwright.service.portals.portal_config import find_profile, resolve_new_portal_config, set_profile_pack
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
#: Count of excluded entries to show, the largest first.
EXCLUDED_SHOWN = 4
_ASKED_PORTAL = ("portal", "packs_dir", "base_url", "profiles_dir")


@SettingsCommand.with_settings(*_ASKED_PORTAL, "headless", "browser", "browser_path", "sandbox", "runs_dir")
def create(settings: Settings, *, name: ProfileName) -> None:
    """Create the profile, and log in if user and password are set."""
    settings = settings.model_copy(update={"profile": name})
    site, pack = resolve_new_portal_config(settings)
    settings, _ = fill_from_keyring(settings, site.pack)
    workers = resolve_worker_config(settings, site)
    print_portal_notices(site)
    warn_about_sandbox(workers)
    profile = anyio.run(create_profile, settings, pack, workers, None)
    console().print(_created_text(profile, settings, site.pack), soft_wrap=True)


def _created_text(profile: NamedProfile, settings: Settings, pack: Pack) -> Text:
    text = Text.assemble("Profile ", (profile.name, "bold"), f" was created in {profile.path}")
    if has_credentials(settings, pack):
        visitor = f" as {settings.user}" if settings.user else ""
        login_text = f", logged in{visitor}, and sealed: {profile_inspect.describe_cookies(profile.base_path)}."
        return text.append(f"{login_text}\nNext: poolwright run LIST --profile {profile.name}")
    is_token = SecretName.TOKEN in pack.login.secrets
    login = variable_name("login_token") if is_token else f"{variable_name('user')} and {variable_name('password')}"
    return text.append(
        f"; it is not logged in yet.\nNext: set {login} (environment or .env); then workers log in themselves."
    )


@SettingsCommand.with_settings("profiles_dir", "runs_dir")
def clone_check(settings: Settings, *, name: ProfileName) -> None:
    """Clone the profile, prepare and remove the clone, and print the result."""
    base = find_profile(settings.model_copy(update={"profile": name})).base_path
    with RunFolder.create(settings.runs_dir) as run:
        report = clone_once(base, run.worker_folder(1).profile_path)
    screen = console()
    copied = f"{terminal.format_count(report.files_count, 'file')}, {terminal.format_size(report.size_bytes)}"
    duration = f"{report.duration_s * 1000:.0f} ms"
    screen.print(
        Text.assemble((name, "bold"), f": cloned {copied} in {duration}; ", ("intact", "green"), ", and removed again")
    )
    excluded = excluded_bytes(base)
    if excluded:
        largest = ", ".join(
            f"{entry} {terminal.format_size(size)}" for entry, size in excluded.most_common(EXCLUDED_SHOWN)
        )
        screen.print(Text(f"excluded: {terminal.format_size(excluded.total())} ({largest})", "dim"), soft_wrap=True)


def clone_once(base: Path, target: Path) -> CloneReport:
    """Clone a base, prepare the clone for a launch, and remove it. Unlike a run, this writes no damage mark.

    Raises:
        ProfileError: The base or the clone is not valid.
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
    """Return the sizes of what is not cloned, by path below the base. Symbolic links to folders are not followed."""
    sizes: Counter[str] = Counter()
    for folder, folders, files in os.walk(base):
        parts = Path(folder).relative_to(base).parts
        excluded_names = [name for name in folders if not is_copied((*parts, name), is_folder=True)]
        for name in excluded_names:
            sizes["/".join((*parts, name))] = _folder_bytes(Path(folder, name))
        folders[:] = [name for name in folders if name not in excluded_names]
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
    "Seals it again and removes the damage mark. Its structure must be intact: an unreadable one cannot be accepted."
)
ACCEPT_EXAMPLES = ("poolwright profile accept coupa",)
RESTORE_HELP = (
    "Restore the latest backup of a profile, and remove its damage mark.\n\n"
    "The replaced profile is kept next to it for inspection."
)
RESTORE_EXAMPLES = ("poolwright profile restore coupa",)
SET_PACK_HELP = (
    "Give a profile another portal pack or address, or confirm that its pack changed.\n\n"
    "With --portal, the profile takes that pack; it keeps a copy of a file. Without it, the pack that the profile has "
    "is taken as it is now, and a change is no longer pointed out. With --base-url, it takes that address. The login "
    "stays; the pack must be valid."
)
SET_PACK_EXAMPLES = (
    "poolwright profile set-pack acme --portal ./acme.toml",
    "poolwright profile set-pack acme",
    "poolwright profile set-pack acme --base-url https://new.acme.example",
)
REMOVE_HELP = (
    "Remove a profile: its login, seal, backups and configuration file.\n\n"
    "Asks for confirmation. A profile that is open in a browser is not removed."
)
REMOVE_EXAMPLES = ("poolwright profile remove coupa", "poolwright profile remove coupa --yes")

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Remove it without confirmation.")]


@SettingsCommand.with_settings("profiles_dir")
def seal(settings: Settings, *, name: ProfileName) -> None:
    """Check, seal and back up the profile, and print the result."""
    profile = _find(settings, name)
    new_seal = backups.seal_base(profile.base_path, now=SystemClock().now())
    _print_sealed(profile, "is sealed", new_seal)


@SettingsCommand.with_settings("profiles_dir")
def accept(settings: Settings, *, name: ProfileName) -> None:
    """Seal the profile again and remove its damage mark."""
    profile = _find(settings, name)
    marked = describe_damage_mark(profile.base_path)
    new_seal = backups.accept_base(profile.base_path, now=SystemClock().now())
    _print_sealed(profile, "is accepted in its current state, and sealed again", new_seal)
    text = f"The damage mark {marked} is removed." if marked else "It had no damage mark."
    console().print(Text(f"{text} Runs can use it again."), soft_wrap=True)


@SettingsCommand.with_settings("profiles_dir")
def restore(settings: Settings, *, name: ProfileName) -> None:
    """Restore the latest backup, and print where the replaced base is."""
    profile = _find(settings, name)
    replaced = backups.restore_base(profile.base_path, now=SystemClock().now())
    restored_seal = read_seal(profile.base_path)
    if restored_seal is not None:
        _print_sealed(
            profile,
            f"is restored as sealed on {profile_inspect.format_moment(restored_seal.created_at)}",
            restored_seal,
        )
    console().print(
        Text(f"The replaced profile is in {replaced}; remove it when you no longer need it."), soft_wrap=True
    )


@SettingsCommand.with_settings(*_ASKED_PORTAL)
def set_pack(settings: Settings, *, name: ProfileName) -> None:
    """Set or confirm the pack of the profile, and print the result."""
    settings = settings.model_copy(update={"profile": name})
    earlier = find_profile(settings).read()
    loaded = set_profile_pack(settings)
    now = find_profile(settings).read()
    text = f" is for {now.base_url} now, with the pack {loaded.pack.name} of {loaded.entry.place}; runs need neither "
    console().print(Text.assemble("Profile ", (name, "bold"), text, "--portal nor --base-url."), soft_wrap=True)
    if _account(earlier, name) != _account(now, name):
        note = (
            f"It was for {earlier.pack} at {earlier.base_url}: output folders that it used refuse it until "
            "`poolwright journal adopt`."
        )
        console().print(Text(note), soft_wrap=True)


@SettingsCommand.with_settings("profiles_dir")
def remove(settings: Settings, *, name: ProfileName, yes: Yes = False) -> None:
    """Ask for confirmation, then remove the profile."""
    profile = _find(settings, name)
    if not (yes or typer.confirm(f"Remove {_describe(profile)}? Its login cannot be recovered", default=False)):
        console().print("Nothing was removed.")
        raise typer.Exit(ExitCode.STOPPED)
    backups.delete_profile(profile)
    console().print(Text.assemble("Profile ", (name, "bold"), " is removed."))


def _account(content: ProfileFile, name: str) -> Account:
    return Account.at(content.base_url, portal=content.pack, profile=name)


def _find(settings: Settings, name: str) -> NamedProfile:
    return ProfileRepository(settings.profiles_dir).find(name)


def _describe(profile: NamedProfile) -> str:
    inspection = inspect_profile(profile)
    portal = f" for {inspection.content.pack} at {inspection.content.base_url}" if inspection.content else ""
    cookies = f", {inspection.facts.cookies_count} cookies" if inspection.facts else ""
    return f"profile {profile.name}{portal} ({inspection.health.value}{cookies})"


def _print_sealed(profile: NamedProfile, result: str, seal_record: Seal) -> None:
    size_bytes = sum(file.size_bytes for file in seal_record.files.values())
    contents = profile_inspect.format_contents(len(seal_record.files), size_bytes)
    content_text = f"{contents}, {profile_inspect.describe_cookies(profile.base_path)}"
    console().print(Text.assemble("Profile ", (profile.name, "bold"), f" {result}: {content_text}."), soft_wrap=True)
    backup = backups.latest_backup(profile.base_path)
    if backup is not None:
        console().print(Text(f"A backup of it is in {backup}.", "dim"), soft_wrap=True)
