"""Cookies of logins, kept beside a base: of the last one made into it, and of the last one that a run renewed.

Whoever makes a login into a base writes the first; workers read it where the portal's pack says so (``cookies`` on its
ladder). A run writes the second and changes nothing else of the profile: ``profile promote`` brings it into the base.
Both hold a login, so they are for their owner's eyes, and replaced in one step.
"""

from __future__ import annotations

from pathlib import Path

from poolwright.files.disk import replace_private_file
from poolwright.profile.home import FILE_NAME


def kept_login_path(base: Path) -> Path:
    """Where the cookies of a base's last login lie."""
    return base.with_name("cookies.json")


def renewed_login_path(base: Path) -> Path:
    """Where the cookies of the login lie that a run renewed last."""
    return base.with_name("renewed.json")


def keep_renewed(base: Path, cookies: Path) -> bool:
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
    replace_private_file(renewed_login_path(base), cookies.read_bytes())
    return True


def forget_renewed(base: Path) -> None:
    """Remove a renewed login, because it is in the base now, or an older one than the base's own."""
    renewed_login_path(base).unlink(missing_ok=True)
