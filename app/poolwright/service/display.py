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
    """Ensure that a person can log in manually.

    Raises:
        SetupError: There is no screen.
    """
    if not has_display():
        raise SetupError(
            "A manual login needs a screen, and there is none here (neither DISPLAY nor WAYLAND_DISPLAY is set). "
            f"Log in through its form with `poolwright profile login {profile_name} --form`, or import a login "
            f"from another machine with `poolwright profile import-state {profile_name} FILE`."
        )
