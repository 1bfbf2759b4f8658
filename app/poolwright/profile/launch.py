"""What is done to a clone before every launch, restarts too.

It goes with ``--restore-last-session``: that argument keeps cookies without an expiry alive from launch to launch (in
full Chromium; the headless shell drops them whatever it is told), and what is done here keeps old tabs from returning.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from poolwright.domain.errors import SetupError
from poolwright.files.disk import remove_tree, replace_private_file
from poolwright.files.permissions import describe_error
from poolwright.profile.failures import ProfileDamagedError, make_anew
from poolwright.profile.failures import unwritable as refused
from poolwright.profile.occupancy import refuse_occupied
from poolwright.profile.preferences import PREFERENCES, read_settings
from poolwright.profile.structure import check_access, check_structure, has_no_settings, trim_stores

#: With these a PDF becomes a download instead of a viewer page, and no download waits for an answer.
_WANTED_SETTINGS = (
    ("plugins", "always_open_pdf_externally", True),
    ("download", "prompt_for_download", False),
)
#: Left by a browser that was killed. The lock of another machine, as a container leaves it, would stop the launch.
_STALE_LOCKS = ("SingletonLock", "SingletonCookie", "SingletonSocket", "lockfile")
#: From these folders the restore argument would open old tabs beside the keeper tab.
_OLD_TABS = "Default/Sessions*"


def prepare_for_launch(clone: Path) -> None:
    """Make sure that a clone is whole, and make it ready for the next launch. Never call it on a base.

    Raises:
        ProfileInUseError: A browser still has the clone open.
        ProfileDamagedError: Something in it is missing, broken or not ours.
        SetupError: It can't be written.
    """
    refuse_occupied(clone)
    check_access(clone)
    check_structure(clone, was_killed=True)
    changed = None if has_no_settings(clone) else _changed(clone)
    try:
        if changed is not None:
            replace_private_file(clone / PREFERENCES, changed)
        trim_stores(clone)
        _clear(clone)
    except OSError as error:
        raise unwritable(clone, error) from error


def prepare_base(base: Path) -> None:
    """Make a base ready for a login in it: only what an earlier browser left behind goes. Hold ``locks.changing``.

    Raises:
        ProfileInUseError: A browser has the base open.
        ProfileDamagedError: Nobody can tell whether one has.
        SetupError: It can't be written.
    """
    refuse_occupied(base)
    try:
        _clear(base)
    except OSError as error:
        raise unwritable(base, error) from error


def _clear(folder: Path) -> None:
    for lock in _STALE_LOCKS:
        (folder / lock).unlink(missing_ok=True)
    for tabs in folder.glob(_OLD_TABS):
        remove_tree(tabs)


def unwritable(folder: Path, error: OSError) -> SetupError:
    """The error for a clone, a base, or a folder for temporary files, that can't be written."""
    told = describe_error(error, folder).sentence(
        otherwise="Check that you may write there and that the disk has room."
    )
    return refused(error, f"{folder} can't be made ready for a browser: {told}")


def _changed(clone: Path) -> bytes | None:
    """The settings with those that are wanted; nothing when they are there already."""
    settings = read_settings(clone / PREFERENCES)
    before = json.dumps(settings)
    for group, name, wanted in _WANTED_SETTINGS:
        section = settings.setdefault(group, {})
        if not isinstance(section, dict):
            raise ProfileDamagedError(f"{clone / PREFERENCES} holds no settings under {group!r}. {make_anew(clone)}")
        cast("dict[str, object]", section)[name] = wanted
    return None if json.dumps(settings) == before else json.dumps(settings, separators=(",", ":")).encode()
