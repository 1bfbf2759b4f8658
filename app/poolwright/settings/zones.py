"""Time zones by their names, and the one that this system lives in."""

from __future__ import annotations

import os
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

#: Where a Unix keeps its zone: a link into the folder of all zones.
LOCALTIME = Path("/etc/localtime")
_ALL_ZONES = "zoneinfo/"


def find_zone(name: str) -> ZoneInfo | None:
    """The zone of an IANA name such as ``Europe/Berlin``; nothing when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # An unknown name; one that is a path; the name of a folder among the zones.
        return None


def system_zone(localtime: Path = LOCALTIME) -> tzinfo | None:
    """The zone of this system, with its rules of summer time; nothing where it tells no name (Windows)."""
    named = find_zone(os.environ.get("TZ", "").removeprefix(":")) if os.environ.get("TZ") else None
    if named is not None or os.name != "posix":
        return named
    if not localtime.exists():
        # As the system's own functions take it.
        return UTC
    _, mark, name = str(localtime.resolve()).rpartition(_ALL_ZONES)
    return (find_zone(name) if mark else None) or _zone_in(localtime)


def zone_name(zone: tzinfo) -> str:
    """How a zone is shown."""
    return str(zone)


def _zone_in(file: Path) -> tzinfo | None:
    """A zone that was copied there: its rules are known, its name is not."""
    try:
        with file.open("rb") as rules:
            return ZoneInfo.from_file(rules, key="local time")
    except (OSError, ValueError):
        return None
