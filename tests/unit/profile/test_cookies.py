"""Cookies counted by site."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.profile.cookie_db import count_by_site
from poolwright.profile.errors import ProfileDamagedError
from tests.support.profile_folders import Row, make_cookie_rows, write


def test_cookies_of_a_site_and_of_all_below_it_count_together(tmp_path: Path) -> None:
    sites = ("portal.test", ".alder.test", "alder.test", "login.alder.test")
    cookies = make_cookie_rows(tmp_path / "Cookies", [Row(site=site) for site in sites])

    assert count_by_site(cookies) == {"portal.test": 1, "alder.test": 2, "login.alder.test": 1}


def test_what_is_no_database_is_damage(tmp_path: Path) -> None:
    with pytest.raises(ProfileDamagedError, match="can't be read"):
        count_by_site(write(tmp_path / "Cookies", b"nonsense" * 100))
