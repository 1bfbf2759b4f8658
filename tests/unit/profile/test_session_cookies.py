"""The cookies without an expiry: how many there are, and how many have a copy."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from poolwright.domain.errors import ProfileError
from poolwright.domain.ids import SiteCookies
from poolwright.profile import session_cookies
from poolwright.profile.backups import login_backup_path
from poolwright.profile.session_cookies import (
    SessionCookies,
    are_outdated,
    compare_copies,
    count_session_cookies,
)
from tests.support.profile_folders import Row, make_cookie_rows

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SITES = (
    SiteCookies(site=".a.test", lasting_count=4, session_count=2),
    SiteCookies(site="b.test", lasting_count=1, session_count=0),
)


@pytest.fixture(name="base")
def _base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(session_cookies, "count_live_cookies", lambda base, now: SITES)
    monkeypatch.setattr(session_cookies, "find_newest_session_cookie", lambda base: None)
    return tmp_path / "base"


def keep(base: Path, content: object) -> None:
    login_backup_path(base).write_text(json.dumps(content), encoding="utf-8")


def cookie(domain: str, expires: float = -1) -> dict[str, object]:
    return {"name": "n", "domain": domain, "expires": expires}


@pytest.mark.parametrize(
    ("copies", "copied"),
    [
        ({}, 0),
        ({"a": 1}, 1),
        ({"a": 9}, 2),
        ({"a": 2, "b": 1, "c": 5}, 3),
    ],
)
def test_copies_count_by_host_and_no_more_than_there_are_cookies(copies: dict[str, int], copied: int) -> None:
    assert compare_copies({"a": 2, "b": 1}, copies) == SessionCookies(count=3, copied_count=copied)


def test_what_has_no_copy_is_lost() -> None:
    assert SessionCookies(count=3, copied_count=1).lost_count == 2


def test_copies_are_those_without_an_expiry(base: Path) -> None:
    keep(base, [cookie(".a.test"), cookie(".a.test", 1.8e9), cookie("a.test"), cookie("b.test"), "?"])

    assert count_session_cookies(base, NOW) == SessionCookies(count=2, copied_count=1)


@pytest.mark.parametrize("content", [{}, [], "text"])
def test_other_contents_are_no_copies(base: Path, content: object) -> None:
    keep(base, content)

    assert count_session_cookies(base, NOW) == SessionCookies(count=2)


def test_a_missing_or_broken_file_has_no_copies(base: Path) -> None:
    assert count_session_cookies(base, NOW) == SessionCookies(count=2)
    login_backup_path(base).write_bytes(b"{")
    assert count_session_cookies(base, NOW) == SessionCookies(count=2)


def test_a_profile_without_such_cookies_has_none_to_lose(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_cookies, "count_live_cookies", lambda base, now: SITES[1:])
    keep(base, [cookie("b.test")])

    assert count_session_cookies(base, NOW) == SessionCookies()


@pytest.mark.parametrize("error", [OSError("gone"), ProfileError("damaged")])
def test_a_base_that_cannot_be_read_is_left_to_its_own_check(
    base: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(_base: Path, _now: datetime) -> tuple[SiteCookies, ...]:
        raise error

    monkeypatch.setattr(session_cookies, "count_live_cookies", fail)

    assert count_session_cookies(base, NOW) == SessionCookies()


def test_a_base_that_does_not_exist_has_no_cookies(tmp_path: Path) -> None:
    assert count_session_cookies(tmp_path / "none", NOW) == SessionCookies()


@pytest.mark.parametrize(
    ("newest", "is_outdated"),
    [(None, False), (NOW, False), (NOW + timedelta(seconds=60), False), (NOW + timedelta(seconds=61), True)],
)
def test_copies_are_outdated_by_a_later_cookie(newest: datetime | None, *, is_outdated: bool) -> None:
    assert are_outdated(NOW, newest) is is_outdated


@pytest.mark.parametrize(("made_after_s", "copied_count"), [(-3600, 1), (3600, 0)])
def test_copies_of_an_earlier_login_do_not_count(tmp_path: Path, made_after_s: int, copied_count: int) -> None:
    """A person may have logged in again with another program, and sealed the profile."""
    base = tmp_path / "base"
    created = (NOW + timedelta(seconds=made_after_s) - datetime(1601, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    lasting = Row(site="a.test", name="l", created=created + 10**12)
    make_cookie_rows(base / "Default/Cookies", [Row(site="a.test", expires=None, created=created), lasting])
    keep(base, [cookie("a.test")])
    os.utime(login_backup_path(base), (NOW.timestamp(), NOW.timestamp()))

    assert count_session_cookies(base, NOW) == SessionCookies(count=1, copied_count=copied_count)


def test_a_layout_without_times_outdates_no_copy(tmp_path: Path) -> None:
    base = tmp_path / "base"
    path = make_cookie_rows(base / "Default/Cookies", [Row(site="a.test", expires=None)])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("ALTER TABLE cookies DROP COLUMN creation_utc")
    keep(base, [cookie("a.test")])

    assert count_session_cookies(base, NOW) == SessionCookies(count=1, copied_count=1)
