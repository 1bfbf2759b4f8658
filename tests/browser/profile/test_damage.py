"""A real profile, damaged in all the ways that make Chromium forget a login without a word.

Of a sealed profile each is found before any browser starts. Of an unsealed one those are found that show in structure;
the table says which, so that the limits are known too. Cookies lost without a sign are counted: ``test_census``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from poolwright.domain.errors import ProfileError
from poolwright.domain.ids import ProfileId
from poolwright.profile.base import check_base
from poolwright.profile.clone import clone_profile
from poolwright.profile.errors import ProfileDamagedError
from poolwright.profile.profile import Profile, prepare_for_launch
from poolwright.profile.repository import FILE_NAME
from poolwright.profile.seal import Seal, replace_seal, write_seal
from tests.browser.profile.browsing import fill, log_in, opened
from tests.browser.profile.site import COOKIE_NAMES, Site
from tests.support.profile_folders import PORTABLE, make_cookies, write

NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
LOCAL_STORAGE = "Default/Local Storage/leveldb"
INDEXED_DB = "Default/IndexedDB/*.leveldb"
#: Somewhat more than LevelDB's buffer; all that is stored at once is 4.7 MB.
MUCH_BYTES = 4_400_000
#: How many profiles are made until one has tables. A log that was broken off spoils its profile for good.
TRIES_LIMIT = 5
#: Chromium writes localStorage five seconds after it was set; one wait is a quarter of a second.
WAITS_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One way to harm a profile."""

    act: Callable[[Path], object]
    #: Whether structure alone always tells it. Where it need not, it may all the same: no two profiles are alike.
    shows: bool = True


def only(base: Path, pattern: str) -> Path:
    """The file of that pattern; the newest of several logs."""
    return max(base.glob(pattern))


def cut(path: Path, *, to: float = 0.5) -> None:
    os.truncate(path, int(path.stat().st_size * to))


def shorten(path: Path, count: int) -> None:
    os.truncate(path, path.stat().st_size - count)


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x10
    path.write_bytes(content)


def swap(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))


def flip_value(cookies: Path) -> None:
    flip(cookies, cookies.read_bytes().index(b"v10") + 20)


def forget_second_half(base: Path) -> None:
    """As a copy that was broken off leaves it."""
    files = sorted(path for path in (base / "Default").rglob("*") if path.is_file())
    for path in files[len(files) // 2 :]:
        path.unlink()


def of_settings(name: str) -> dict[str, Damage]:
    return {
        f"{name} cut off": Damage(act=lambda base: cut(base / name)),
        f"{name} garbage": Damage(act=lambda base: write(base / name, b"\x00\xff" * 500)),
        f"{name} empty": Damage(act=lambda base: write(base / name, b"")),
    }


def of_store(name: str, folder: str) -> dict[str, Damage]:
    return {
        f"{name}: CURRENT missing": Damage(act=lambda base: only(base, f"{folder}/CURRENT").unlink()),
        f"{name}: CURRENT empty": Damage(act=lambda base: cut(only(base, f"{folder}/CURRENT"), to=0)),
        f"{name}: manifest missing": Damage(act=lambda base: only(base, f"{folder}/MANIFEST-*").unlink()),
        f"{name}: manifest empty": Damage(act=lambda base: cut(only(base, f"{folder}/MANIFEST-*"), to=0)),
        f"{name}: manifest garbage": Damage(
            act=lambda base: write(only(base, f"{folder}/MANIFEST-*"), b"garbage!" * 20)
        ),
        f"{name}: manifest flipped": Damage(act=lambda base: flip(only(base, f"{folder}/MANIFEST-*"), 12)),
        f"{name}: manifest of before": Damage(
            act=lambda base: cut(only(base, f"{folder}/MANIFEST-*"), to=0.9), shows=False
        ),
        f"{name}: table missing": Damage(act=lambda base: only(base, f"{folder}/*.ldb").unlink()),
        f"{name}: table cut off": Damage(act=lambda base: cut(only(base, f"{folder}/*.ldb"))),
        f"{name}: table one byte short": Damage(act=lambda base: shorten(only(base, f"{folder}/*.ldb"), 1)),
        f"{name}: table flipped": Damage(act=lambda base: flip(only(base, f"{folder}/*.ldb"), 999), shows=False),
        f"{name}: log missing": Damage(act=lambda base: only(base, f"{folder}/*.log").unlink()),
        f"{name}: log garbage": Damage(act=lambda base: write(only(base, f"{folder}/*.log"), b"garbage!" * 99)),
        f"{name}: log flipped": Damage(act=lambda base: flip(only(base, f"{folder}/*.log"), 99)),
        # A killed browser leaves the same.
        f"{name}: log cut off": Damage(act=lambda base: shorten(only(base, f"{folder}/*.log"), 5), shows=False),
        f"{name}: log empty": Damage(act=lambda base: cut(only(base, f"{folder}/*.log"), to=0), shows=False),
        # A profile that never stored anything looks the same.
        f"{name}: gone": Damage(act=lambda base: shutil.rmtree(only(base, folder)), shows=False),
    }


COOKIES = "Default/Cookies"
OF_COOKIES = {
    "cookies half": Damage(act=lambda base: cut(base / COOKIES)),
    "cookies garbage": Damage(act=lambda base: write(base / COOKIES, b"garbage!" * 2560)),
    "cookies empty": Damage(act=lambda base: cut(base / COOKIES, to=0)),
    "cookies missing": Damage(act=lambda base: (base / COOKIES).unlink()),
    "cookies one byte short": Damage(act=lambda base: shorten(base / COOKIES, 1)),
    "cookies one page short": Damage(act=lambda base: shorten(base / COOKIES, 4096)),
    "cookies flipped in the header": Damage(act=lambda base: flip(base / COOKIES, 5)),
    "cookies flipped in the kind of a page": Damage(act=lambda base: flip(base / COOKIES, 4096 * 2)),
    "cookies flipped in a value": Damage(act=lambda base: flip_value(base / COOKIES), shows=False),
    "cookies of another host": Damage(act=lambda base: swap(base / COOKIES, b"localhost", b"localh0st"), shows=False),
    "cookies of a keyring": Damage(act=lambda base: swap(base / COOKIES, b"v10", b"v11")),
    "cookies of an application": Damage(act=lambda base: swap(base / COOKIES, b"v10", b"v20")),
    "cookies flipped in the prefix": Damage(act=lambda base: swap(base / COOKIES, b"v10", b"v50")),
    "cookies of somebody else": Damage(act=lambda base: make_other_cookies(base / COOKIES), shows=False),
    "cookies twice": Damage(act=lambda base: make_cookies(base / "Default/Network/Cookies", [PORTABLE])),
}
#: Only a base can have them: the cookies of a clone are written by our own browser.
OF_KEYS = {"cookies of a keyring", "cookies of an application", "cookies flipped in the prefix"}
OF_ALL = {
    "Local State missing": Damage(act=lambda base: (base / "Local State").unlink()),
    "preferences missing": Damage(act=lambda base: (base / "Default/Preferences").unlink()),
    "half a copy": Damage(act=forget_second_half),
    "Login Data cut off": Damage(act=lambda base: cut(base / "Default/Login Data")),
    "Web Data flipped": Damage(act=lambda base: flip(base / "Default/Web Data", 2048)),
    "storage buckets gone": Damage(act=lambda base: (base / "Default/WebStorage/QuotaManager").unlink(), shows=False),
}
DAMAGES: dict[str, Damage] = {
    **of_settings("Local State"),
    **of_settings("Default/Preferences"),
    **of_settings("Default/Secure Preferences"),
    **OF_COOKIES,
    **of_store("localStorage", LOCAL_STORAGE),
    **of_store("IndexedDB", INDEXED_DB),
    **OF_ALL,
}


def make_other_cookies(cookies: Path) -> None:
    cookies.unlink()
    make_cookies(cookies, [PORTABLE])


def has_much(user_data: Path) -> bool:
    """Whether each store has so much in its logs, or in tables already, that its next start makes a table.

    LevelDB keeps up to 4 MiB in memory, and makes no table of a log that holds less.
    """
    return all(
        sum(path.stat().st_size for path in user_data.glob(f"{store}/*.l*")) > MUCH_BYTES
        for store in (LOCAL_STORAGE, INDEXED_DB)
    )


def has_tables(user_data: Path) -> bool:
    """Whether each store has a table, and a log with records behind it."""
    return all(
        any(user_data.glob(f"{store}/*.ldb"))
        and any(path.stat().st_size > 200 for path in user_data.glob(f"{store}/*.log"))
        for store in (LOCAL_STORAGE, INDEXED_DB)
    )


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory, chromium: str, site: Site) -> Path:
    """A login with much behind it, closed in order, and without what no clone takes."""
    folder = tmp_path_factory.mktemp("rich")
    with sync_playwright() as playwright:
        for number in range(TRIES_LIMIT):
            user_data = folder / f"user-data-{number}"
            # A table comes to be at the start after much was stored, behind a log with a few records more.
            with opened(playwright, user_data, chromium) as context:
                log_in(context.pages[0], site)
                fill(context.pages[0], count=2300)
                wait_for_much(context.pages[0], user_data)
            with opened(playwright, user_data, chromium) as context:
                log_in(context.pages[0], site)
                fill(context.pages[0], count=3)
            if has_tables(user_data):
                clone_profile(user_data, folder / "base")
                return folder / "base"
    pytest.fail(f"{TRIES_LIMIT} profiles had no tables.")


def wait_for_much(page: Page, user_data: Path) -> None:
    """Keep the browser open until it has written what was stored: one that closes on a busy machine breaks off."""
    for _ in range(WAITS_LIMIT):
        if has_much(user_data):
            return
        page.wait_for_timeout(250)


@pytest.fixture(scope="module")
def seal(rich: Path) -> Seal:
    return write_seal(rich, now=NOON)


@pytest.fixture
def copy(rich: Path, tmp_path: Path) -> Path:
    clone_profile(rich, tmp_path / "base")
    write(tmp_path / FILE_NAME)
    return tmp_path / "base"


def life_of(base: Path) -> Profile:
    return Profile(
        profile_id=ProfileId("anna/worker-1"),
        base_profile_path=base,
        worker_profile_path=base.with_name("profile"),
        clock=lambda: NOON,
        observe=lambda _: None,
    )


def test_an_unharmed_profile_passes_sealed_and_unsealed(copy: Path, seal: Seal) -> None:
    assert check_base(copy).cookies_count == len(COOKIE_NAMES)

    replace_seal(copy, seal)
    profile = life_of(copy)
    profile.clone()
    profile.lease()

    assert not profile.corruption_detected


def test_the_table_is_long_enough() -> None:
    assert len(DAMAGES) >= 60


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_is_found_before_any_browser_starts(copy: Path, seal: Seal, name: str) -> None:
    damage = DAMAGES[name]
    damage.act(copy)

    if damage.shows:
        with pytest.raises(ProfileError):
            check_base(copy)

    replace_seal(copy, seal)
    with pytest.raises(ProfileError) as caught:
        life_of(copy).clone()

    assert not copy.with_name("profile").exists()
    assert str(copy) in str(caught.value)
    assert "`poolwright profile " in str(caught.value) or "cookie databases" in str(caught.value)


@pytest.mark.parametrize("name", [name for name, damage in DAMAGES.items() if damage.shows and name not in OF_KEYS])
def test_the_same_damage_to_a_clone_is_found_before_its_next_launch(rich: Path, tmp_path: Path, name: str) -> None:
    clone_profile(rich, tmp_path / "profile")
    DAMAGES[name].act(tmp_path / "profile")

    with pytest.raises(ProfileDamagedError):
        prepare_for_launch(tmp_path / "profile")
