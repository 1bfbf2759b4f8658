"""Which cookies of a database the next browser must find, counted by site."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from poolwright.domain.ids import SiteCookies
from poolwright.profile.cookie_db import count_live_cookies
from poolwright.profile.errors import ProfileDamagedError
from tests.support.profile_folders import Row, fingerprint, make_cookie_rows, write

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def chromium_time(time: datetime) -> int:
    return (time - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def count(folder: Path, *rows: Row) -> dict[str, tuple[int, int]]:
    """Lasting and session cookies of each site."""
    make_cookie_rows(folder / "Default/Cookies", rows)
    return {site.site: (site.lasting_count, site.session_count) for site in count_live_cookies(folder, NOON)}


def test_sites_and_kinds_are_counted_apart(tmp_path: Path) -> None:
    rows = [
        Row(site="a.test", name="one"),
        Row(site="a.test", name="two", expires=None),
        Row(site=".a.test", name="one"),
        Row(site="b.test", expires=None),
    ]

    assert count(tmp_path, *rows) == {"a.test": (1, 1), ".a.test": (1, 0), "b.test": (0, 1)}


def test_names_paths_and_partitions_make_cookies_of_their_own(tmp_path: Path) -> None:
    rows = [Row(name="one"), Row(name="two"), Row(name="one", path="/a"), Row(name="one", partition="https://top.test")]

    assert count(tmp_path, *rows) == {"portal.test": (4, 0)}


def test_those_that_differ_in_their_port_alone_are_one(tmp_path: Path) -> None:
    assert count(tmp_path, Row(port=443), Row(port=8443)) == {"portal.test": (1, 0)}


@pytest.mark.parametrize(("left", "expected"), [(timedelta(-1), {}), (timedelta(minutes=4), {})])
def test_one_that_is_over_or_soon_will_be_is_not_expected(tmp_path: Path, left: timedelta, expected: object) -> None:
    assert count(tmp_path, Row(expires=chromium_time(NOON + left))) == expected


def test_one_that_lasts_the_day_is_expected(tmp_path: Path) -> None:
    assert count(tmp_path, Row(expires=chromium_time(NOON + timedelta(days=1)))) == {"portal.test": (1, 0)}


def test_what_a_killed_browser_left_unfinished_is_undone_first_and_nothing_is_touched(tmp_path: Path) -> None:
    cookies = make_cookie_rows(tmp_path / "Default/Cookies", [Row(name="kept")])
    with closing(sqlite3.connect(cookies)) as connection:
        connection.execute("PRAGMA cache_size = 1")
        connection.execute("PRAGMA cache_spill = 1")
        connection.execute("DELETE FROM cookies")
        connection.executemany("INSERT INTO cookies (host_key) VALUES (?)", [("x" * 4000,)] * 200)
        half_written = {path.name: path.read_bytes() for path in cookies.parent.iterdir()}
    for name, content in half_written.items():
        write(tmp_path / "killed/Default" / name, content)
    before = fingerprint(tmp_path / "killed")

    found = count_live_cookies(tmp_path / "killed", NOON)

    assert sorted(half_written) == ["Cookies", "Cookies-journal"]
    assert found == (SiteCookies(site="portal.test", lasting_count=1, session_count=0),)
    assert fingerprint(tmp_path / "killed") == before


def test_a_layout_that_nobody_knows_raises_no_alarm(tmp_path: Path) -> None:
    (tmp_path / "Default").mkdir()
    with closing(sqlite3.connect(tmp_path / "Default/Cookies")) as connection, connection:
        connection.execute("CREATE TABLE cookies (host TEXT)")

    assert count_live_cookies(tmp_path, NOON) == ()


def test_a_database_that_is_none_is_damage(tmp_path: Path) -> None:
    write(tmp_path / "Default/Cookies", b"garbage!" * 2560)

    with pytest.raises(ProfileDamagedError, match="can't be read"):
        count_live_cookies(tmp_path, NOON)
