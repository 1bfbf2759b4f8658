"""Backups of a base profile and its login: seal, accept, restore, replace or delete a base.

Whoever makes a login into a base writes the first; workers read it where the portal's pack says so (``cookies`` on its
ladder). A run writes the second and changes nothing else of the profile: ``profile promote`` brings it into the base.
Both hold a login, so they are for their owner's eyes, and replaced in one step.

Sealing keeps such a copy beside the base (``base.good-<time>``, a few MB: it leaves out what clones leave out). Each of
these has the base alone while it works, and refuses one that a browser has open.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from poolwright.domain.errors import SetupError
from poolwright.files.disk import PRIVATE_FOLDER_MODE, remove_tree, replace_private_file
from poolwright.files.permissions import describe_error
from poolwright.profile.base import inspect_base
from poolwright.profile.clone import clone_profile, free_path, quarantine_clone, remove_clone
from poolwright.profile.damage import clear_damage_mark, refuse_marked
from poolwright.profile.errors import BACKUP_MARK, ProfileDamagedError, ProfileMissingError, repair_step
from poolwright.profile.in_use import refuse_in_use
from poolwright.profile.locks import write_locked
from poolwright.profile.repository import FILE_NAME, NamedProfile
from poolwright.profile.seal import Seal, find_differences, read_seal, remove_seal, replace_seal, seal_path, write_seal


def login_backup_path(base: Path) -> Path:
    """Where the cookies of a base's last login lie."""
    return base.with_name("cookies.json")


def refreshed_login_path(base: Path) -> Path:
    """Where the cookies of the login lie that a run renewed last."""
    return base.with_name("renewed.json")


def save_refreshed_login(base: Path, cookies: Path) -> bool:
    """Keep what a worker's session wrote down after it had logged in.

    Args:
        base: The user-data folder that the run's clones came from.
        cookies: The worker's own file.

    Returns:
        Whether it is kept. For a base that belongs to no named profile it isn't: no command could promote it.

    Raises:
        OSError: A file can't be read or written.
    """
    if not (base.parent / FILE_NAME).is_file():
        return False
    replace_private_file(refreshed_login_path(base), cookies.read_bytes())
    return True


def delete_refreshed_login(base: Path) -> None:
    """Remove a renewed login, because it is in the base now, or an older one than the base's own."""
    refreshed_login_path(base).unlink(missing_ok=True)


_BEFORE_MARK = ".before-"


def seal_base(base: Path, *, now: datetime, browser_version: str | None = None) -> Seal:
    """Check a base, seal it, and keep a good copy: after a login, or on command.

    Args:
        base: A user-data folder whose browser was closed in order.
        now: Aware UTC now.
        browser_version: Of the browser that wrote it; what the base says itself when left out.

    Raises:
        ProfileError: The base is missing, in use, refused (a marked one too) or damaged.
        SetupError: The seal or the copy can't be written.
    """
    refuse_marked(base)
    with write_locked(base):
        return seal_changed_base(base, now=now, browser_version=browser_version)


def seal_changed_base(base: Path, *, now: datetime, browser_version: str | None = None) -> Seal:
    """The same of a base that the caller changed: hold ``locks.changing`` from before the change on.

    Raises:
        ProfileError: The base is missing, in use, refused or damaged.
        SetupError: The seal or the copy can't be written.
    """
    inspect_base(base)
    try:
        seal = write_seal(base, now=now, browser_version=browser_version)
        save_backup(base, seal)
    except OSError as error:
        raise _unwritable(base, error) from error
    return seal


def accept_base(base: Path, *, now: datetime) -> Seal:
    """Take a base as it is now for good: seal it anew and take its mark away.

    Raises:
        ProfileError: The base is missing, in use or refused, or its structure is damaged, which nobody can accept.
        SetupError: The seal or the copy can't be written.
    """
    with write_locked(base):
        seal = seal_changed_base(base, now=now)
    try:
        clear_damage_mark(base)
    except OSError as error:
        raise _unwritable(base, error) from error
    return seal


def save_backup(base: Path, seal: Seal) -> Path:
    """Keep a copy of a base as it was sealed, in place of older copies. Hold ``locks.changing`` meanwhile.

    Returns:
        Where the copy lies. Its own seal lies beside it.

    Raises:
        ProfileInUseError: A browser has the base open.
        ProfileDamagedError: The base is not as it was sealed.
        SetupError: The copy can't be written.
        OSError: Its seal can't be written, or an older copy can't be removed.
    """
    good = base.with_name(f"{base.name}{BACKUP_MARK}{seal.created_at:%Y%m%dT%H%M%S%fZ}")
    remove_clone(good)
    report = clone_profile(base, good)
    differences = find_differences(seal, report.files)
    if differences:
        remove_clone(good)
        raise ProfileDamagedError(f"{base} changed after it was sealed: {', '.join(differences)}. Seal it again.")
    replace_seal(good, seal)
    _remove_older(base, good)
    return good


def latest_backup(base: Path) -> Path | None:
    """The newest good copy of a base; nothing when none was kept."""
    kept = [path for path in base.parent.glob(f"{base.name}{BACKUP_MARK}*Z") if seal_path(path).is_file()]
    return max(kept, default=None)


def restore_base(base: Path, *, now: datetime) -> Path:
    """Put the last good copy in the place of a base, in one rename, and take the mark away.

    Args:
        base: The user-data folder; it may be gone.
        now: Aware UTC now.

    Returns:
        Where the base that was there lies now, for a person to look at.

    Raises:
        ProfileMissingError: No good copy was ever kept.
        ProfileInUseError: A browser has the base open, or another command works on it.
        ProfileDamagedError: The good copy is damaged too.
        SetupError: Something can't be written.
    """
    good = latest_backup(base)
    if good is None:
        raise ProfileMissingError(f"There is no backup of {base}: it was never sealed. {repair_step(base)}")
    try:
        base.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
        with write_locked(base):
            refuse_in_use(base)
            draft = base.with_name(f"{base.name}.restored")
            replace_seal(base, _copy_backup(good, draft))  # first: whenever we die, a copy in its place fits its seal
            aside = quarantine_clone(base, now)
            draft.rename(base)
            clear_damage_mark(base)
    except OSError as error:
        raise _unwritable(base, error) from error
    return aside


def replace_base(base: Path, draft: Path, *, now: datetime) -> tuple[Path, Seal]:
    """Put another user-data folder in the place of a base, and seal it. Hold ``locks.changing`` meanwhile.

    Args:
        base: The user-data folder.
        draft: What takes its place; beside it, with no browser on it.
        now: Aware UTC now.

    Returns:
        Where the base that was there lies now, and the new seal.

    Raises:
        ProfileError: A browser has the base open, or the other folder is damaged.
        SetupError: Something can't be written.
    """
    inspect_base(draft)
    refuse_in_use(base)
    try:
        remove_seal(base)  # killed from here on, this leaves an unsealed base, not a damaged one
        before = base.rename(free_path(base.with_name(f"{base.name}{_BEFORE_MARK}{now:%Y%m%dT%H%M%SZ}")))
        draft.rename(base)
    except OSError as error:
        raise _unwritable(base, error) from error
    return before, seal_changed_base(base, now=now)


def delete_profile(profile: NamedProfile) -> None:
    """Remove a profile whole: its login, its seal, its good copy and its file.

    Raises:
        ProfileInUseError: A browser has the base open, or another command works on it.
        ProfileRefusedError: It lies in a read-only place.
        SetupError: Something can't be removed.
    """
    base = profile.base_path
    try:
        if base.is_dir():
            with write_locked(base):
                refuse_in_use(base)
                remove_tree(base)
        remove_tree(profile.path)
    except OSError as error:
        raise _unwritable(base, error) from error


def _copy_backup(good: Path, target: Path) -> Seal:
    seal = read_seal(good)
    remove_clone(target)
    report = clone_profile(good, target)
    differences = ("its seal is missing",) if seal is None else find_differences(seal, report.files)
    if seal is None or differences:
        remove_clone(target)
        raise ProfileDamagedError(f"The backup {good} is damaged too: {', '.join(differences)}. {repair_step(target)}")
    return seal


def _remove_older(base: Path, good: Path) -> None:
    for path in base.parent.glob(f"{base.name}{BACKUP_MARK}*"):
        if path.name.startswith(good.name):
            continue
        if path.is_dir():
            remove_tree(path)
        else:
            path.unlink()


def _unwritable(base: Path, error: OSError) -> SetupError:
    told = describe_error(error, base.parent).sentence(otherwise="Then give the command again.")
    return SetupError(f"{error.filename or base.parent} can't be written: {told}")
