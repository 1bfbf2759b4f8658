"""Which fonts there are: without any, pages render as boxes, in prints and screenshots too. Looks and changes nothing.

Folders are those that fontconfig names in its own file, and where Debian and users put fonts. Elsewhere than on Linux
the system brings its fonts along.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

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


def look_at_fonts(root: Path, home: Path | None) -> Fonts:
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
