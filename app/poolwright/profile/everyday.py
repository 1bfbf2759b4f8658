"""The folders in which people's own Chrome, Edge and Chromium keep their profiles. Never cloned, never opened.

Chrome since 136 ignores remote control on its default folder, and its cookies are bound to keyring, keychain or
application, so that a clone would be logged out or, worse, would end the person's own session.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path

import platformdirs

from poolwright.profile.failures import ProfileRefusedError

_CHANNELS_LINUX = ("", "-beta", "-unstable", "-dev", "-canary")
_CHANNELS_ELSEWHERE = ("", " Beta", " Dev", " Canary", " SxS")
_BELOW_ROOT = (
    *(f"{brand}{channel}" for brand, channel in product(("google-chrome", "microsoft-edge"), _CHANNELS_LINUX)),
    "chromium",
    *(f"Google/Chrome{channel}" for channel in _CHANNELS_ELSEWHERE),
    *(f"Microsoft Edge{channel}" for channel in _CHANNELS_ELSEWHERE),
    *(f"Microsoft/Edge{channel}/User Data" for channel in _CHANNELS_ELSEWHERE),
    "Chromium",
)
_ROOTS_IN_HOME = (".config", "Library/Application Support", "AppData/Local")
_BOXED_IN_HOME = (
    "snap/chromium/common/chromium",
    ".var/app/org.chromium.Chromium/config/chromium",
    ".var/app/com.google.Chrome/config/google-chrome",
    ".var/app/com.microsoft.Edge/config/microsoft-edge",
)


def everyday_folders(home: Path, config: Path) -> tuple[Path, ...]:
    """The default user-data folders of every platform.

    Args:
        home: Home folder of the person.
        config: Where the platform keeps settings, which may be set to lie outside the home folder.
    """
    roots = [*(home / root for root in _ROOTS_IN_HOME), config]
    return (*(root / name for root in roots for name in _BELOW_ROOT), *(home / name for name in _BOXED_IN_HOME))


def own_everyday_folders() -> tuple[Path, ...]:
    """The default user-data folders of the person who runs this program."""
    return everyday_folders(Path.home(), platformdirs.user_config_path())


def _parts(path: Path) -> tuple[str, ...]:
    # Compared without case: two of the three platforms don't tell case apart, and on the third nobody needs a
    # profile that differs from Chrome's by case alone.
    return tuple(part.casefold() for part in path.resolve().parts)


def find_everyday(path: Path, folders: Iterable[Path]) -> Path | None:
    """The everyday folder that ``path`` is, or lies in, whatever links lead there; else nothing."""
    asked = _parts(path)
    return next((folder for folder in folders if asked[: len(parts := _parts(folder))] == parts), None)


def refuse_everyday(path: Path, folders: Sequence[Path] | None = None) -> None:
    """Make sure that ``path`` is no everyday profile.

    Args:
        path: A base, existing or not.
        folders: The everyday folders; those of the person who runs this program when left out.

    Raises:
        ProfileRefusedError: It is, or lies in one.
    """
    found = find_everyday(path, own_everyday_folders() if folders is None else folders)
    if found is not None:
        raise ProfileRefusedError(
            f"{path} belongs to an everyday browser ({found}); its login can't be copied and could be lost. "
            "Make a profile of Poolwright's own with `poolwright profile login NAME` and log in there."
        )
