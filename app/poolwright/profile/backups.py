"""Seals, accepts, restores, replaces or deletes a base, and stores backups of its files and its login.

The cookies of the last login are beside the base (``cookies.json``); workers load them if the login step ``cookies`` is
in the portal's pack. A run writes the cookies of a renewed login beside them (``renewed.json``) and changes nothing
else of the profile; ``profile promote`` copies them into the base. Only the owner can read these files, and each is
replaced in one step.

Sealing stores a backup beside the base (``base.good-<time>``, a few MB, with the files of a clone). All functions that
change a base need its exclusive lock, and refuse one that a browser has open.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from poolwright.domain.errors import SetupError
from poolwright.files.disk import PRIVATE_FOLDER_MODE, remove_tree, replace_private_file
from poolwright.files.permissions import describe_error
from poolwright.profile.base import inspect_base
from poolwright.profile.clone import clone_profile, free_path, quarantine_clone, remove_clone
from poolwright.profile.damage import clear_damage_mark, refuse_marked, refuse_newer_mark
from poolwright.profile.errors import BACKUP_MARK, ProfileDamagedError, ProfileMissingError, repair_step
from poolwright.profile.in_use import refuse_in_use, write_locked
from poolwright.profile.repository import FILE_NAME, NamedProfile
from poolwright.profile.seal import (
    Seal,
    find_differences,
    read_seal,
    refuse_newer_seal,
    remove_seal,
    replace_seal,
    seal_path,
    write_seal,
)


def login_backup_path(base: Path) -> Path:
    """Return the path of the cookies of a base's last login."""
    return base.with_name("cookies.json")


def refreshed_login_path(base: Path) -> Path:
    """Return the path of the cookies of the login that a run renewed last."""
    return base.with_name("renewed.json")


def save_refreshed_login(base: Path, cookies: Path) -> bool:
    """Store the cookies that a worker's session saved after it had logged in.

    Args:
        base: The user-data folder from which the run's clones were made.
        cookies: The worker's file with the cookies.

    Returns:
        Whether they were stored. False for a base without a named profile, as no command could promote them.

    Raises:
        OSError: A file can't be read or written.
    """
    if not (base.parent / FILE_NAME).is_file():
        return False
    replace_private_file(refreshed_login_path(base), cookies.read_bytes())
    return True


def delete_refreshed_login(base: Path) -> None:
    """Remove a renewed login, because it was copied into the base, or is older than that of the base."""
    refreshed_login_path(base).unlink(missing_ok=True)


_BEFORE_MARK = ".before-"


def seal_base(base: Path, *, now: datetime, browser_version: str | None = None) -> Seal:
    """Check a base, seal it, and store a backup: after a login, or on command.

    Args:
        base: A user-data folder whose browser was closed properly.
        now: Aware UTC now.
        browser_version: Version of the browser that wrote it; by default the one in the base itself.

    Raises:
        ProfileError: The base is missing, in use, refused (also by a damage mark) or damaged.
        SetupError: The seal or the backup can't be written.
    """
    refuse_marked(base)
    with write_locked(base):
        return seal_changed_base(base, now=now, browser_version=browser_version)


def seal_changed_base(base: Path, *, now: datetime, browser_version: str | None = None) -> Seal:
    """Seal a base that the caller changed, and store a backup. Hold ``write_locked`` since before the change.

    Raises:
        ProfileError: The base is missing, in use, refused, sealed by a newer version, or damaged.
        SetupError: The seal or the backup can't be written.
    """
    refuse_newer_seal(base)
    inspect_base(base)
    try:
        seal = write_seal(base, now=now, browser_version=browser_version)
        save_backup(base, seal)
    except OSError as error:
        raise _unwritable(base, error) from error
    return seal


def accept_base(base: Path, *, now: datetime) -> Seal:
    """Accept a base as it is now: seal it again and remove its damage mark.

    Raises:
        ProfileError: The base is missing, in use or refused, a newer version sealed or marked it, or its structure is
            damaged, which cannot be accepted.
        SetupError: The seal or the backup can't be written.
    """
    refuse_newer_mark(base)
    with write_locked(base):
        seal = seal_changed_base(base, now=now)
    try:
        clear_damage_mark(base)
    except OSError as error:
        raise _unwritable(base, error) from error
    return seal


def save_backup(base: Path, seal: Seal) -> Path:
    """Store a backup of a base as it was sealed, and remove older ones. Hold ``write_locked`` meanwhile.

    Returns:
        The path of the backup. Its own seal is beside it.

    Raises:
        ProfileInUseError: A browser has the base open.
        ProfileDamagedError: The base is not as it was sealed.
        SetupError: The backup can't be written.
        OSError: Its seal can't be written, or an older backup can't be removed.
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
    """Return the newest backup of a base; ``None`` when there is none."""
    backups = [path for path in base.parent.glob(f"{base.name}{BACKUP_MARK}*Z") if seal_path(path).is_file()]
    return max(backups, default=None)


def restore_base(base: Path, *, now: datetime) -> Path:
    """Replace a base by its last backup, in one rename, and remove the damage mark.

    Args:
        base: The user-data folder; it may be missing.
        now: Aware UTC now.

    Returns:
        The new path of the earlier base, for inspection by a person.

    Raises:
        ProfileMissingError: There is no backup.
        ProfileInUseError: A browser has the base open, or another command uses it.
        ProfileDamagedError: The backup is damaged too.
        ProfileNewerError: A newer version sealed the base or its backup, or marked the base.
        SetupError: A file can't be written.
    """
    refuse_newer_mark(base)
    refuse_newer_seal(base)
    good = latest_backup(base)
    if good is None:
        raise ProfileMissingError(f"There is no backup of {base}: it was never sealed. {repair_step(base)}")
    try:
        base.mkdir(mode=PRIVATE_FOLDER_MODE, exist_ok=True)
        with write_locked(base):
            refuse_in_use(base)
            draft = base.with_name(f"{base.name}.restored")
            replace_seal(
                base, _copy_backup(good, draft)
            )  # first, so that a restored base fits its seal whenever we are killed
            set_aside = quarantine_clone(base, now)
            draft.rename(base)
            clear_damage_mark(base)
    except OSError as error:
        raise _unwritable(base, error) from error
    return set_aside


def replace_base(base: Path, draft: Path, *, now: datetime) -> tuple[Path, Seal]:
    """Replace a base by another user-data folder, and seal it. Hold ``write_locked`` meanwhile.

    Args:
        base: The user-data folder.
        draft: The new folder, beside the base, that no browser has open.
        now: Aware UTC now.

    Returns:
        The new path of the earlier base, and the new seal.

    Raises:
        ProfileError: A browser has the base open, or the other folder is damaged.
        SetupError: A file can't be written.
    """
    inspect_base(draft)
    refuse_in_use(base)
    try:
        remove_seal(base)  # if we are killed after this, the base is unsealed, not damaged
        before = base.rename(free_path(base.with_name(f"{base.name}{_BEFORE_MARK}{now:%Y%m%dT%H%M%SZ}")))
        draft.rename(base)
    except OSError as error:
        raise _unwritable(base, error) from error
    return before, seal_changed_base(base, now=now)


def delete_profile(profile: NamedProfile) -> None:
    """Remove a whole profile: its login, its seal, its backup and its file.

    Raises:
        ProfileInUseError: A browser has the base open, or another command uses it.
        ProfileRefusedError: It is in a read-only place.
        SetupError: A file can't be removed.
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
    reason = describe_error(error, base.parent).sentence(otherwise="Then give the command again.")
    return SetupError(f"{error.filename or base.parent} can't be written: {reason}")
