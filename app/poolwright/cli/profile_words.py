"""What commands tell of a profile, in the same words everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from poolwright.cli import words
from poolwright.profile.cookie_db import count_by_site, find_cookie_db


def moment(at: datetime | None) -> str:
    """``23 Nov 2026 at 12:00 UTC``, or ``never``."""
    return f"{at:%d %b %Y at %H:%M} UTC" if at else "never"


def cookies(by_site: Mapping[str, int]) -> str:
    """``12 cookies for 2 sites``."""
    return f"{words.count(sum(by_site.values()), 'cookie')} for {words.count(len(by_site), 'site')}"


def cookies_in(base: Path) -> str:
    """The same of a base that no browser has open.

    Raises:
        ProfileDamagedError: Its cookies can't be read.
    """
    return cookies(count_by_site(find_cookie_db(base)))


def contents(files_count: int, size_bytes: int) -> str:
    """``66 files, 4.1 MB``."""
    return f"{words.count(files_count, 'file')}, {words.size(size_bytes)}"
