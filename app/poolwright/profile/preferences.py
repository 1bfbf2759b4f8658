"""The JSON files in which a browser keeps its settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from poolwright.profile.failures import BrokenFileError

#: Below a user-data folder. Its one profile is always ``Default``.
PREFERENCES = Path("Default", "Preferences")


def read_settings(path: Path) -> dict[str, object]:
    """What one of them holds.

    Raises:
        BrokenFileError: It is missing, or not what a browser writes; a browser would start with none.
        OSError: It can't be read.
    """
    try:
        content: object = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise BrokenFileError(path, "is missing") from error
    except ValueError as error:
        raise BrokenFileError(path, f"is not the JSON that a browser writes ({error})") from error
    if not isinstance(content, dict):
        raise BrokenFileError(path, "holds no settings")
    return cast("dict[str, object]", content)
