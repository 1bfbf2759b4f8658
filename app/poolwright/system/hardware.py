"""The machine's resources for a run: memory, processors, disk space, fonts and a display.

Fonts are looked for in the folders of fontconfig's own file, and in the usual ones of Debian and of users. Other
systems than Linux have their own fonts.
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
    """Return the number of usable processors, at least 1; a share of a processor counts as a whole one.

    Args:
        root: The top folder of the system, ``/`` but in tests.
    """
    counts = filter(None, map(_granted_cpus, cgroups(root, "cpu")))
    return max(1, min((_allowed_cpus(), *map(math.ceil, counts))))


def _allowed_cpus() -> int:
    """Return the number of processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _granted_cpus(group: Cgroup) -> float | None:
    """Return the number of processors that a group may use; ``None`` if it is not limited."""
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
    #: The share of the memory that a run may use.
    memory_threshold: float
    processor_count: int
    #: The parent of the run folders, with clones and the browsers' temporary files.
    runs_dir: Path
    #: Free disk space there.
    room_bytes: int
    #: Whether that folder is in memory, so that its files reduce the memory.
    is_room_in_memory: bool = False


def inspect_hardware(runs_dir: Path, memory_threshold: float, root: Path = Path("/")) -> Hardware:
    """Inspect the hardware now. Blocking.

    Args:
        runs_dir: The parent of the run folders; need not exist.
        memory_threshold: The share of the memory that a run may use.
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
    """Return the folder, or its nearest parent that exists and is visible."""
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if _is_visible_folder(folder))


def _is_visible_folder(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except PermissionError:  # a parent that this user may not enter
        return False


_ENDINGS = (".ttf", ".otf", ".ttc", ".otc", ".pfb", ".pfa", ".woff", ".woff2", ".pcf.gz")
#: Font folders below the root folder, and below the home.
_USUAL = ("usr/share/fonts", "usr/local/share/fonts")
_OF_HOME = (".fonts", ".local/share/fonts")
_CONFIGURED = re.compile(r"<dir(?P<attributes>[^>]*)>(?P<path>[^<]+)</dir>")
#: Parts of the file names of Chinese, Japanese or Korean fonts.
_CJK = re.compile(
    r"cjk|wqy|uming|ukai|fallback|ipag|ipam|ipaex|takao|vl-?gothic|nanum|unbatang|baekmuk|sourcehan|source-han"
    r"|simsun|msyh|msgothic|malgun|unifont",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fonts:
    """The fonts of the machine."""

    count: int
    #: Whether one of them has Chinese, Japanese or Korean characters.
    has_cjk: bool


def find_fonts(root: Path, home: Path | None) -> Fonts:
    """Count the fonts that browsers find. Blocking, a few milliseconds.

    Args:
        root: The top folder of the system, ``/`` but in tests.
        home: The user's home; ``None`` without one.
    """
    names = {name for folder in _folders(root, home) for name in _fonts_in(folder)}
    return Fonts(count=len(names), has_cjk=any(map(_CJK.search, names)))


def _folders(root: Path, home: Path | None) -> Iterable[Path]:
    usual = [root / path for path in _USUAL]
    own = [home / path for path in _OF_HOME] if home else []
    return dict.fromkeys((*usual, *own, *_configured(root)))


def _configured(root: Path) -> Iterator[Path]:
    """Yield the absolute paths in fontconfig's file; those below the home are known anyway."""
    try:
        text = (root / "etc/fonts/fonts.conf").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for match in _CONFIGURED.finditer(text):
        path = match["path"].strip()
        if path.startswith("/") and "prefix" not in match["attributes"]:
            yield root / path.lstrip("/")


def _fonts_in(folder: Path) -> Iterator[str]:
    for _, _, names in os.walk(folder):
        yield from (name for name in names if name.casefold().endswith(_ENDINGS))


#: One of them is set in every graphical session of Linux.
_VARIABLES = ("DISPLAY", "WAYLAND_DISPLAY")


def has_display(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> bool:
    """Whether there is a screen. Windows and macOS are assumed to have one.

    Args:
        environment: The environment to read; that of this process by default.
        platform: As in ``sys.platform``.
    """
    variables = os.environ if environment is None else environment  # noqa: TID251 - see above
    return not platform.startswith("linux") or any(variables.get(name) for name in _VARIABLES)


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
