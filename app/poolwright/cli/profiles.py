"""``poolwright profile``: make a profile, and prove that clones can be made of it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import anyio
from rich.text import Text

from poolwright.cli import profile_words, words
from poolwright.cli.console import console
from poolwright.cli.login import is_login_given, log_in, tell_sandbox
from poolwright.cli.options import ProfileName, SettingsCommand
from poolwright.profile.base import check_base
from poolwright.profile.clone import CloneReport, clone_profile, is_copied, remove_clone
from poolwright.profile.locks import read_locked
from poolwright.profile.profile import prepare_for_launch
from poolwright.profile.repository import NamedProfile
from poolwright.profile.run_folder import RunFolder
from poolwright.profile.seal import refuse_differences
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
LEFT_OUT_SHOWN = 4


@SettingsCommand.taking("portal", "base_url", "profiles_dir", "headless", "browser_path", "sandbox", "runs_dir")
def create(settings: Settings, *, name: ProfileName) -> None:
    """Make the folder, have a browser open it, log in where a login is given."""
    settings = settings.model_copy(update={"profile": name})
    site, content = resolve_new_portal_config(settings)
    settings, _ = fill_from_keyring(settings, site.pack)
    crew = resolve_worker_config(settings, site)
    tell_sandbox(crew)
    profile = anyio.run(log_in, settings, content, crew, None)
    console().print(_made(profile, settings), soft_wrap=True)


def _made(profile: NamedProfile, settings: Settings) -> Text:
    made = Text.assemble("Profile ", (profile.name, "bold"), f" is made in {profile.path}")
    if is_login_given(settings):
        done = f", logged in as {settings.user}, and sealed: {profile_words.cookies_in(profile.base_path)}."
        return made.append(f"{done}\nNext: poolwright run LIST --profile {profile.name}")
    login = f"{variable_name('user')} and {variable_name('password')}"
    return made.append(f"; nobody is logged in yet.\nNext: set {login} (environment or .env); workers log in then.")


@SettingsCommand.taking("profiles_dir", "runs_dir")
def clone_check(settings: Settings, *, name: ProfileName) -> None:
    """Clone, prepare for a launch, remove; tell each."""
    base = find_profile(settings.model_copy(update={"profile": name})).base_path
    with RunFolder.create(settings.runs_dir) as run:
        report = clone_once(base, run.worker_folder(1).profile_path)
    screen = console()
    copied = f"{words.count(report.files_count, 'file')}, {words.size(report.size_bytes)}"
    took = f"{report.duration_s * 1000:.0f} ms"
    screen.print(
        Text.assemble((name, "bold"), f": cloned {copied} in {took}; ", ("whole", "green"), ", and removed again")
    )
    left_out = left_out_of(base)
    if left_out:
        largest = ", ".join(f"{entry} {words.size(size)}" for entry, size in left_out.most_common(LEFT_OUT_SHOWN))
        screen.print(Text(f"left out: {words.size(left_out.total())} ({largest})", "dim"), soft_wrap=True)


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


def left_out_of(base: Path) -> Counter[str]:
    """Bytes of what clones do without, by its path below the base. Links are passed over."""
    sizes: Counter[str] = Counter()
    for folder, folders, files in os.walk(base):
        parts = Path(folder).relative_to(base).parts
        unwanted = [name for name in folders if not is_copied((*parts, name), is_folder=True)]
        for name in unwanted:
            sizes["/".join((*parts, name))] = _size(Path(folder, name))
        folders[:] = [name for name in folders if name not in unwanted]
        for name in files:
            if not is_copied((*parts, name), is_folder=False):
                sizes["/".join((*parts, name))] = Path(folder, name).lstat().st_size
    return sizes


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())
