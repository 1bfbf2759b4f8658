"""The cookies of the last login that a person, or a form, made into a base profile. They lie beside the base.

Whoever made the login writes the file; workers read it where the portal's pack says so (``cookies`` on its ladder).
"""

from __future__ import annotations

from pathlib import Path


def kept_login_path(base: Path) -> Path:
    """Where the cookies of a base's last login lie."""
    return base.with_name("cookies.json")
