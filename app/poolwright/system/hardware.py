"""What the machine offers for a run: memory, processors, disk space, fonts and a display.

Folders are those that fontconfig names in its own file, and where Debian and users put fonts. Elsewhere than on Linux
the system brings its fonts along.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from poolwright.domain.errors import SetupError
from poolwright.system.cgroups import IN_MEMORY, Cgroup, cgroups, mount_of
from poolwright.system.memory_limit import MemoryLimit, read_limit


def cpu_count(root: Path = Path("/")) -> int:
    """At least 1; a share of a processor counts as a whole one.

    Args:
        root: The top folder of the system, ``/`` but in tests.
    """
    counts = filter(None, map(_granted_cpus, cgroups(root, "cpu")))
    return max(1, min((_allowed_cpus(), *map(math.ceil, counts))))


def _allowed_cpus() -> int:
    """Processors that the system lets this process run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _granted_cpus(group: Cgroup) -> float | None:
    """Processors whose time a group may take; nothing where it is not limited."""
    if group.version == 1:
        quota, period = group.number("cpu.cfs_quota_us"), group.number("cpu.cfs_period_us")
        return quota / period if quota and period and quota > 0 else None
    quota_text, _, period_text = group.text("cpu.max").partition(" ")
    is_limited = quota_text.isdecimal() and period_text.isdecimal() and int(period_text) > 0
    return int(quota_text) / int(period_text) if is_limited else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """The facts that decide how many workers can run."""

    memory: MemoryLimit
    #: The part of it that a run may use.
    memory_threshold: float
    processor_count: int
    #: The folder for runs: clones, and the browsers' temporary files.
    runs_dir: Path
    #: What is free there.
    room_bytes: int
    #: Whether that folder lies in memory, so that its files take some away.
    is_room_in_memory: bool = False


def inspect_hardware(runs_dir: Path, memory_threshold: float, root: Path = Path("/")) -> Hardware:
    """Inspect the hardware now. Blocking.

    Args:
        runs_dir: The folder for runs; need not exist.
        memory_threshold: The part of the memory that a run may use.
        root: The top folder of the system, ``/`` but in tests.
    """
    folder = nearest_existing_folder(runs_dir)
    mount = mount_of(folder.resolve(), root)
    return Hardware(
        memory=read_limit(root),
        memory_threshold=memory_threshold,
        processor_count=cpu_count(root),
        runs_dir=runs_dir,
        room_bytes=shutil.disk_usage(folder).free,
        is_room_in_memory=mount is not None and mount.kind in IN_MEMORY,
    )


def nearest_existing_folder(path: Path) -> Path:
    """The folder, or the nearest one above it that is there already and can be seen."""
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if _is_visible_folder(folder))


def _is_visible_folder(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except PermissionError:  # behind a door that is closed to this user
        return False


_ENDINGS = (".ttf", ".otf", ".ttc", ".otc", ".pfb", ".pfa", ".woff", ".woff2", ".pcf.gz")
#: Below the top folder of the system, and below the home.
_USUAL = ("usr/share/fonts", "usr/local/share/fonts")
_OF_HOME = (".fonts", ".local/share/fonts")
_CONFIGURED = re.compile(r"<dir(?P<attributes>[^>]*)>(?P<place>[^<]+)</dir>")
#: In the names of files that draw Chinese, Japanese or Korean.
_CJK = re.compile(
    r"cjk|wqy|uming|ukai|fallback|ipag|ipam|ipaex|takao|vl-?gothic|nanum|unbatang|baekmuk|sourcehan|source-han"
    r"|simsun|msyh|msgothic|malgun|unifont",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fonts:
    """What was found."""

    count: int
    #: Whether one of them draws Chinese, Japanese or Korean.
    has_cjk: bool


def find_fonts(root: Path, home: Path | None) -> Fonts:
    """Count the fonts that browsers find. Blocking, a few milliseconds.

    Args:
        root: The top folder of the system, ``/`` but in tests.
        home: The user's home, where there is one.
    """
    names = {name for folder in _folders(root, home) for name in _fonts_in(folder)}
    return Fonts(count=len(names), has_cjk=any(map(_CJK.search, names)))


def _folders(root: Path, home: Path | None) -> Iterable[Path]:
    usual = [root / place for place in _USUAL]
    own = [home / place for place in _OF_HOME] if home else []
    return dict.fromkeys((*usual, *own, *_configured(root)))


def _configured(root: Path) -> Iterator[Path]:
    """Whole paths that fontconfig's file names; those below the home are known anyway."""
    try:
        text = (root / "etc/fonts/fonts.conf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for found in _CONFIGURED.finditer(text):
        place = found["place"].strip()
        if place.startswith("/") and "prefix" not in found["attributes"]:
            yield root / place.lstrip("/")


def _fonts_in(folder: Path) -> Iterator[str]:
    for _, _, names in os.walk(folder):
        yield from (name for name in names if name.casefold().endswith(_ENDINGS))


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
