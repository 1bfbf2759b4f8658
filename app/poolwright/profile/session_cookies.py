"""Counts the cookies without an expiry of a base, and those of them that have a copy beside it.

A headless shell drops such cookies from a profile when it starts. The copies are in the cookies of the last login
(``login_backup_path``), from which its worker adds them again. Only numbers, hosts and times are compared: copies that
are older than a cookie of the base are those of an earlier login.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from poolwright.domain.errors import ProfileError
from poolwright.profile.backups import login_backup_path
from poolwright.profile.cookie_db import count_live_cookies, find_newest_session_cookie

#: The expiry of a cookie without one, as a browser writes it into a list of cookies.
_NO_EXPIRY = -1
#: The cookies of a login are copied just before its browser ends; a page may set one until then.
_END_OF_LOGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCookies:
    """The cookies of a base without an expiry."""

    count: int = 0
    #: How many of them have a copy.
    copied_count: int = 0

    @property
    def lost_count(self) -> int:
        """How many a headless shell would not have."""
        return self.count - self.copied_count


def count_session_cookies(base: Path, now: datetime) -> SessionCookies:
    """Count the cookies of a base without an expiry; none if they cannot be read, which the check of the base reports.

    Args:
        base: The user-data folder; it may be missing.
        now: Aware UTC now.
    """
    try:
        sites = count_live_cookies(base, now)
        stored = {site.site: site.session_count for site in sites if site.session_count}
        newest = find_newest_session_cookie(base) if stored else None
    except (OSError, ProfileError):
        return SessionCookies()
    return compare_copies(stored, _copies(login_backup_path(base), newest) if stored else {})


def are_outdated(copied_at: datetime, newest: datetime | None) -> bool:
    """Return whether copies are those of an earlier login, by the time of the newest cookie of the base. Pure."""
    return newest is not None and newest > copied_at + _END_OF_LOGIN


def compare_copies(stored: Mapping[str, int], copies: Mapping[str, int]) -> SessionCookies:
    """Return how many of the stored cookies have a copy, by host; more copies than cookies do not count. Pure."""
    copied = sum(min(count, copies.get(host, 0)) for host, count in stored.items())
    return SessionCookies(count=sum(stored.values()), copied_count=copied)


def _copies(path: Path, newest: datetime | None) -> Mapping[str, int]:
    """Return the number of cookies without an expiry in a list of cookies, by host; empty if unreadable or outdated."""
    try:
        if are_outdated(datetime.fromtimestamp(path.stat().st_mtime, UTC), newest):
            return {}
        content: object = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    cookies = cast("list[object]", content) if isinstance(content, list) else []
    entries = [cast("Mapping[str, Any]", cookie) for cookie in cookies if isinstance(cookie, dict)]
    return Counter(str(entry.get("domain", "")) for entry in entries if entry.get("expires") == _NO_EXPIRY)
