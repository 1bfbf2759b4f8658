"""Whether a browser can show a window here. Beside the settings this alone looks at the environment: it is none."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from poolwright.domain.errors import SetupError

#: Either is set in every graphical session of Linux.
_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY")


def has_display(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> bool:
    """Whether there is a screen. Windows and macOS are taken to have one.

    Args:
        environment: That of this process when left out.
        platform: As in ``sys.platform``.
    """
    found = os.environ if environment is None else environment  # noqa: TID251 - see above
    return not platform.startswith("linux") or any(found.get(name) for name in _VARIABLES)


def require_display(profile_name: str) -> None:
    """Make sure that a person can log in by hand.

    Raises:
        SetupError: There is no screen.
    """
    if not has_display():
        raise SetupError(
            "A login by hand needs a screen, and there is none here (neither DISPLAY nor WAYLAND_DISPLAY is set). "
            f"Let the portal's form do it with `poolwright profile login {profile_name} --form`, or bring a login "
            f"from another machine with `poolwright profile import-state {profile_name} FILE`."
        )
