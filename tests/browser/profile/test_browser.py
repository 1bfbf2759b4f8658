"""Real Chromium on real clones: the login survives, the base stays as it was, PDFs come down."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from poolwright.profile.backups import restore_base, seal_base
from poolwright.profile.base import check_base
from poolwright.profile.clone import clone_profile
from poolwright.profile.errors import ProfileInUseError
from poolwright.profile.in_use import read_owner
from poolwright.profile.profile import prepare_for_launch
from tests.browser.profile.browsing import cookie_names, kill_in_use, kill_while_writing, log_in, opened, stored
from tests.browser.profile.site import COOKIE_NAMES, PDF, Site
from tests.support.profile_folders import fingerprint, write

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
KEPT = ["kept", "kept", "kept"]


@pytest.fixture
def clone(tmp_path: Path, logged_in: Path) -> Path:
    clone_profile(logged_in, tmp_path / "profile")
    prepare_for_launch(tmp_path / "profile")
    return tmp_path / "profile"


def test_a_clone_is_logged_in_and_opens_one_blank_tab(
    clone: Path, playwright: Playwright, chromium: str, site: Site
) -> None:
    with opened(playwright, clone, chromium) as context:
        tabs = [page.url for page in context.pages]
        names = cookie_names(context, site)
        kept = stored(context.pages[0], site)

    assert tabs == ["about:blank"]
    assert names == COOKIE_NAMES
    assert kept == KEPT


def test_a_run_leaves_every_byte_of_the_base(
    tmp_path: Path, logged_in: Path, playwright: Playwright, chromium: str, site: Site
) -> None:
    before = fingerprint(logged_in)

    check_base(logged_in)
    clone_profile(logged_in, tmp_path / "profile")
    prepare_for_launch(tmp_path / "profile")
    with opened(playwright, tmp_path / "profile", chromium) as context:
        log_in(context.pages[0], site)

    assert fingerprint(logged_in) == before


def test_a_killed_browser_comes_back_logged_in_on_the_same_clone(
    clone: Path, playwright: Playwright, chromium: str, site: Site
) -> None:
    kill_in_use(playwright, clone, chromium, site)
    was_locked = read_owner(clone) is not None

    prepare_for_launch(clone)
    with opened(playwright, clone, chromium) as context:
        tabs = [page.url for page in context.pages]
        names = cookie_names(context, site)

    assert was_locked
    assert tabs == ["about:blank"]
    assert names == COOKIE_NAMES


def test_a_browser_that_is_killed_amid_writing_leaves_a_clone_that_passes(
    clone: Path, playwright: Playwright, chromium: str, site: Site
) -> None:
    for writes in (1, 300, 601):
        kill_while_writing(playwright, clone, chromium, site, writes=writes)
        prepare_for_launch(clone)

    with opened(playwright, clone, chromium) as context:
        names = cookie_names(context, site)
        kept = stored(context.pages[0], site)

    assert names >= COOKIE_NAMES
    assert kept == KEPT


def test_half_a_record_at_the_end_of_a_store_costs_that_record_only(
    clone: Path, playwright: Playwright, chromium: str, site: Site
) -> None:
    for store in ("Default/Local Storage/leveldb", "Default/IndexedDB/*.leveldb"):
        (log,) = clone.glob(f"{store}/*.log")
        os.truncate(log, log.stat().st_size - 5)

    # Left as it is, what the first of these starts writes behind it is lost at the second.
    for _ in range(3):
        prepare_for_launch(clone)
        with opened(playwright, clone, chromium) as context:
            log_in(context.pages[0], site)

    prepare_for_launch(clone)
    with opened(playwright, clone, chromium) as context:
        assert stored(context.pages[0], site) == KEPT


def test_a_restored_base_is_logged_in(
    tmp_path: Path, logged_in: Path, playwright: Playwright, chromium: str, site: Site
) -> None:
    base = tmp_path / "base"
    clone_profile(logged_in, base)
    seal_base(base, now=NOON)
    shutil.rmtree(base / "Default/Local Storage")
    (base / "Default/Cookies").write_bytes(b"")

    restore_base(base, now=NOON)
    check_base(base)
    clone_profile(base, tmp_path / "profile")
    prepare_for_launch(tmp_path / "profile")
    with opened(playwright, tmp_path / "profile", chromium) as context:
        names = cookie_names(context, site)
        kept = stored(context.pages[0], site)

    assert names == COOKIE_NAMES
    assert kept == KEPT


def test_two_clones_at_once_know_nothing_of_each_other(
    tmp_path: Path, logged_in: Path, playwright: Playwright, chromium: str, site: Site
) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        clone_profile(logged_in, folder)
        prepare_for_launch(folder)

    with opened(playwright, folders[0], chromium) as one, opened(playwright, folders[1], chromium) as two:
        one.add_cookies([{"name": "extra", "value": "1", "url": site.url}])
        one.clear_cookies(name="token")
        stored(one.pages[0], site)
        one.pages[0].evaluate("localStorage.clear()")
        names = cookie_names(one, site), cookie_names(two, site)
        kept = stored(two.pages[0], site)

    assert names == (COOKIE_NAMES - {"token"} | {"extra"}, COOKIE_NAMES)
    assert kept == KEPT


def test_a_pdf_that_browsers_show_comes_down_as_a_file(
    clone: Path, playwright: Playwright, chromium: str, site: Site
) -> None:
    with opened(playwright, clone, chromium) as context:
        page = context.pages[0]
        page.goto(site.url)
        with page.expect_download() as coming:
            page.evaluate("location.href = '/order.pdf'")
        content = coming.value.path().read_bytes()

    assert content == PDF


def test_a_base_that_a_browser_has_open_is_refused(
    tmp_path: Path, playwright: Playwright, chromium: str, logged_in: Path
) -> None:
    base = tmp_path / "base"
    clone_profile(logged_in, base)

    with opened(playwright, base, chromium):
        with pytest.raises(ProfileInUseError, match=r"open in a browser \(process \d+ on "):
            check_base(base)
        with pytest.raises(ProfileInUseError, match="open in a browser"):
            clone_profile(base, tmp_path / "profile")
        with pytest.raises(ProfileInUseError, match="open in a browser"):
            prepare_for_launch(base)
        left = list(tmp_path.glob("profile*"))

    assert left == []
    assert check_base(base).cookies_count == len(COOKIE_NAMES)


def test_a_base_that_showed_one_page_and_logged_in_nowhere_is_whole(
    tmp_path: Path, playwright: Playwright, chromium: str, site: Site
) -> None:
    with opened(playwright, tmp_path / "base", chromium) as context:
        context.pages[0].goto(site.url)

    assert check_base(tmp_path / "base").cookies_count == 0


def test_the_cost_of_a_clone_does_not_depend_on_caches(tmp_path: Path, logged_in: Path) -> None:
    large = tmp_path / "large"
    shutil.copytree(logged_in, large, symlinks=True)
    for number in range(32):
        write(large / f"Default/Cache/Cache_Data/f_{number:06}", bytes(1024 * 1024))

    lean = clone_profile(logged_in, tmp_path / "lean-clone")
    same = clone_profile(large, tmp_path / "large-clone")

    assert same.files == lean.files
    assert same.size_bytes < 5 * 1024 * 1024
