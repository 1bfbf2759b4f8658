"""The cookie database of a user-data folder: where it is, what is in it, and whether it can be read elsewhere.

Read-only in every case: a browser that can't decrypt one cookie deletes all cookies of that site, without a word.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from poolwright.domain.ids import SiteCookies
from poolwright.profile.database import opened_to_read, refuse_storage, settled
from poolwright.profile.failures import BrokenFileError, ProfileDamagedError, ProfileRefusedError, make_anew, unreadable

#: Linux and macOS have the first, Windows the second.
_PLACES = (Path("Default", "Cookies"), Path("Default", "Network", "Cookies"))

#: The first three bytes of an encrypted value name its key; empty means that the value isn't encrypted.
_KEY_PREFIXES = "SELECT CAST(substr(encrypted_value, 1, 3) AS BLOB), count(*) FROM cookies GROUP BY 1"
_HOSTS = "SELECT host_key, count(*) FROM cookies GROUP BY 1"
#: A browser keeps one cookie of those that differ in less than this. Expiries count microseconds since 1601.
_LIVING = """
SELECT host_key, sum(is_lasting), sum(NOT is_lasting) FROM (
    SELECT host_key, max(is_persistent) AS is_lasting FROM cookies WHERE NOT has_expires OR expires_utc > ?
    GROUP BY host_key, top_frame_site_key, has_cross_site_ancestor, name, path
) GROUP BY host_key ORDER BY host_key
"""
_FIRST_DAY = datetime(1601, 1, 1, tzinfo=UTC)
#: A cookie that ends so soon may be gone before anybody looks: a worker has two minutes to come up.
_LIFE_LEFT = timedelta(minutes=5)
_PORTABLE_PREFIXES = frozenset({"", "v10"})
_BOUND_PREFIXES = {
    "v11": "locked with the desktop keyring",
    "v20": "bound to the browser that wrote them",
}


def has_cookies(user_data: Path) -> bool:
    """Whether there is a cookie database."""
    return any((user_data / place).is_file() for place in _PLACES)


def find_cookies(user_data: Path) -> Path:
    """The cookie database. A browser makes one before its first page, so a base without one is not whole.

    Only a browser that was closed before it asked for any page leaves none, and then nobody is logged in either.

    Raises:
        ProfileDamagedError: There is none, or there are two and nobody can say which one counts.
    """
    found = [user_data / place for place in _PLACES if (user_data / place).is_file()]
    if not found:
        raise ProfileDamagedError(
            f"{user_data} has no cookie database (Default/Cookies), so nobody is logged in with it. "
            f"{make_anew(user_data)}"
        )
    if len(found) > 1:
        raise ProfileDamagedError(
            f"{user_data} has two cookie databases, Default/Cookies and Default/Network/Cookies. "
            "Open and close it once in the browser that made it, or remove the older one."
        )
    return found[0]


def count_key_prefixes(cookies: Path) -> Mapping[str, int]:
    """How many cookies there are for each kind of encryption key.

    Raises:
        ProfileDamagedError: It isn't a cookie database that can be read.
    """
    return {(prefix or b"").decode("latin-1"): count for prefix, count in _read(cookies, _KEY_PREFIXES)}


def count_by_site(cookies: Path) -> Mapping[str, int]:
    """How many cookies there are for each site, by its host name. Their values are not looked at.

    Raises:
        ProfileDamagedError: It isn't a cookie database that can be read.
    """
    counts = Counter[str]()
    for host, count in _read(cookies, _HOSTS):
        counts[str(host).removeprefix(".")] += count
    return counts


def _read(cookies: Path, query: str) -> Sequence[tuple[Any, int]]:
    try:
        with closing(opened_to_read(cookies)) as connection:
            return connection.execute(query).fetchall()
    except sqlite3.Error as error:
        try:
            refuse_storage(error, cookies)
        except OSError as refusal:
            raise unreadable(cookies, refusal) from error
        raise _unreadable(cookies, error) from error


def count_living(user_data: Path, now: datetime) -> tuple[SiteCookies, ...]:
    """The cookies that the next browser must find, of each site. Those that end within minutes are left out.

    Args:
        user_data: A clone whose structure was checked; a browser may have been killed on it.
        now: Aware UTC now.

    Returns:
        Nothing for a database of a layout that isn't known here: a false alarm would end the run.

    Raises:
        ProfileDamagedError: It can't be read.
        OSError: There is no room for a copy of it, or its disk does not answer.
    """
    cookies = find_cookies(user_data)
    expiry = (now + _LIFE_LEFT - _FIRST_DAY) // timedelta(microseconds=1)
    try:
        with settled(cookies) as whole, closing(opened_to_read(whole)) as connection:
            rows: list[tuple[str, int, int]] = connection.execute(_LIVING, (expiry,)).fetchall()
    except sqlite3.OperationalError as error:
        refuse_storage(error, cookies)
        return ()
    except (sqlite3.Error, BrokenFileError) as error:
        raise _unreadable(cookies, error) from error
    return tuple(
        SiteCookies(site=site, lasting_count=lasting, session_count=session) for site, lasting, session in rows
    )


def refuse_bound_cookies(cookies: Path, prefixes: Mapping[str, int]) -> None:
    """Make sure that a clone can read every cookie.

    Raises:
        ProfileRefusedError: Some are locked to a keyring (``v11``) or to an application (``v20``).
        ProfileDamagedError: Some begin as no browser writes them: a flipped bit, or a key that isn't known here.
    """
    for prefix, count in sorted(prefixes.items()):
        if prefix in _BOUND_PREFIXES:
            raise ProfileRefusedError(
                f"{count} cookies in {cookies} are {_BOUND_PREFIXES[prefix]} ({prefix}) and can't be copied. "
                "Make a profile of Poolwright's own with `poolwright profile login NAME` and log in there."
            )
        if prefix not in _PORTABLE_PREFIXES:
            raise ProfileDamagedError(
                f"{count} cookies in {cookies} are encrypted in an unknown way ({prefix!r}); a browser drops them. "
                f"{make_anew(cookies)}"
            )


def _unreadable(cookies: Path, error: Exception) -> ProfileDamagedError:
    return ProfileDamagedError(f"The cookie database {cookies} can't be read ({error}). {make_anew(cookies)}")
