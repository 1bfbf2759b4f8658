"""Which kept cookies a browser is given back, and how they lie on the disk meanwhile."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from poolwright.domain.ids import SiteCookies
from poolwright.worker.browser.cookie_snapshot import (
    CookieSnapshot,
    SessionCookiesRestored,
    dropped_cookies,
    missing_cookies,
    missing_session_count,
)

SESSION = {"name": "s", "domain": "p.test", "path": "/", "value": "1", "expires": -1}


def test_what_the_browser_has_is_not_given_again() -> None:
    assert missing_cookies([SESSION], [{**SESSION, "expires": 5}]) == []


@pytest.mark.parametrize(
    "change", [{"name": "t"}, {"domain": "q.test"}, {"path": "/a"}, {"partitionKey": "https://p.test"}, {"value": "0"}]
)
def test_what_it_lacks_or_has_otherwise_is_given(change: dict[str, str]) -> None:
    assert missing_cookies([SESSION], [{**SESSION, **change}]) == [SESSION]


class CookieStore:
    """What a snapshot asks of a browser."""

    def __init__(self, *held: dict[str, Any]) -> None:
        self.held = list(held)

    async def cookies(self) -> list[dict[str, Any]]:
        return self.held

    async def add_cookies(self, given: list[dict[str, Any]]) -> None:
        self.held.extend(given)

    @property
    def driver(self) -> BrowserContext:
        return cast("BrowserContext", self)


async def test_a_snapshot_is_for_the_owner_alone_from_its_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "cookies.json"
    (tmp_path / "cookies.part").write_text("half of one, of a worker that was killed")
    (tmp_path / "cookies.part").chmod(0o644)

    await CookieSnapshot(path).save(CookieStore(SESSION).driver)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text()) == [SESSION]
    assert not (tmp_path / "cookies.part").exists()


async def test_a_snapshot_that_cannot_be_finished_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cookies.json"
    snapshot = CookieSnapshot(path)
    await snapshot.save(CookieStore(SESSION).driver)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Path, "replace", refuse)
        with pytest.raises(OSError, match="No space left"):
            await snapshot.save(CookieStore().driver)
    before = json.loads(path.read_text())
    await snapshot.save(CookieStore().driver)

    assert before == [SESSION]
    assert json.loads(path.read_text()) == [], "what could not be written is tried again"


async def test_a_browser_is_given_back_what_it_lacks_and_a_first_one_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cookies.json"
    other = {**SESSION, "name": "t"}
    first, next_one = CookieStore(SESSION, other), CookieStore(other)

    assert await CookieSnapshot(path).restore(first.driver) == 0
    await CookieSnapshot(path).save(first.driver)

    assert await CookieSnapshot(path).restore(next_one.driver) == 1
    assert next_one.held == [other, SESSION]


async def test_what_was_kept_is_known_by_where_it_is_sent_to(tmp_path: Path) -> None:
    elsewhere, deeper = {**SESSION, "domain": "q.test"}, {**SESSION, "path": "/a"}
    framed = {**SESSION, "partitionKey": "https://q.test"}
    snapshot = CookieSnapshot(tmp_path / "cookies.json")
    assert snapshot.cookies == {}

    await snapshot.save(CookieStore(SESSION, elsewhere, deeper, framed).driver)

    assert snapshot.cookies == {
        "p.test/ s": SESSION,
        "q.test/ s": elsewhere,
        "p.test/a s": deeper,
        "p.test/ s within https://q.test": framed,
    }
    await snapshot.save(CookieStore().driver)
    assert snapshot.cookies == {}


async def test_the_next_session_knows_what_it_brought_back(tmp_path: Path) -> None:
    await CookieSnapshot(tmp_path / "cookies.json").save(CookieStore(SESSION).driver)
    snapshot = CookieSnapshot(tmp_path / "cookies.json")

    await snapshot.restore(CookieStore().driver)

    assert snapshot.cookies == {"p.test/ s": SESSION}


async def test_where_no_browser_follows_cookies_are_kept_in_memory_alone() -> None:
    snapshot = CookieSnapshot(None)

    await snapshot.save(CookieStore(SESSION).driver)

    assert snapshot.cookies == {"p.test/ s": SESSION}
    assert await snapshot.restore(CookieStore().driver) == 0


class RefusingCookieStore(CookieStore):
    """A browser that refuses one kind of cookie, and with it all that are given beside."""

    async def add_cookies(self, given: list[dict[str, Any]]) -> None:
        if any(cookie["name"] == "odd" for cookie in given):
            raise PlaywrightError("Invalid cookie fields")
        await super().add_cookies(given)


async def test_a_cookie_that_is_refused_does_not_keep_the_others_out(tmp_path: Path) -> None:
    odd, good = {**SESSION, "name": "odd"}, {**SESSION, "name": "good"}
    (tmp_path / "kept.json").write_text(json.dumps([SESSION, odd, good]))
    jar = RefusingCookieStore()

    assert await CookieSnapshot(tmp_path / "kept.json").restore(cast("BrowserContext", jar)) == 2
    assert jar.held == [SESSION, good]

    (tmp_path / "kept.json").write_text(json.dumps([odd]))
    with pytest.raises(PlaywrightError):
        await CookieSnapshot(tmp_path / "kept.json").restore(cast("BrowserContext", jar))


@pytest.mark.parametrize("content", ["{}", "null", "3", '["a"]', "[1]", '"[]"', "no JSON"])
async def test_a_file_without_cookies_is_told_as_such(tmp_path: Path, content: str) -> None:
    (tmp_path / "kept.json").write_text(content)

    with pytest.raises(ValueError, match=r"cookies|Expecting"):
        await CookieSnapshot(tmp_path / "kept.json").restore(CookieStore(SESSION).driver)


OTHER = {**SESSION, "name": "other"}
STORED = (
    SiteCookies(site="p.test", lasting_count=3, session_count=2),
    SiteCookies(site="q.test", lasting_count=1, session_count=0),
)


def kept_in(folder: Path, *cookies: dict[str, Any]) -> CookieSnapshot:
    (folder / "kept.json").write_text(json.dumps(cookies))
    return CookieSnapshot(folder / "kept.json")


@pytest.mark.parametrize(
    ("present", "missing"),
    [([], 2), ([SESSION], 1), ([SESSION, OTHER], 0), ([SESSION, OTHER, {**OTHER, "name": "more"}], 0)],
)
def test_cookies_without_an_expiry_are_counted_by_host(present: list[dict[str, Any]], missing: int) -> None:
    others = [{**SESSION, "expires": 5, "name": "lasting"}, {**SESSION, "domain": "q.test"}]

    assert missing_session_count({"p.test": 2}, [*present, *others]) == missing


@pytest.mark.parametrize("change", [{"expires": 5}, {"domain": "q.test"}, {"domain": ".p.test"}])
def test_a_dropped_cookie_has_no_expiry_and_is_of_a_host_that_had_such_cookies(change: dict[str, Any]) -> None:
    assert dropped_cookies({"p.test": 1}, [SESSION, {**OTHER, **change}], []) == [SESSION]


def test_a_newer_value_in_the_browser_stays() -> None:
    assert dropped_cookies({"p.test": 2}, [SESSION, OTHER], [{**SESSION, "value": "newer"}]) == [OTHER]


async def test_what_the_browser_dropped_comes_from_the_kept_login(tmp_path: Path) -> None:
    store = CookieStore()

    result = await kept_in(tmp_path, SESSION, OTHER).restore_session_cookies(store.driver, STORED)

    assert result == SessionCookiesRestored(restored_count=2)
    assert store.held == [SESSION, OTHER]


async def test_what_has_no_copy_is_lost(tmp_path: Path) -> None:
    without, partly = CookieStore(), CookieStore()

    assert await CookieSnapshot(None).restore_session_cookies(without.driver, STORED) == SessionCookiesRestored(
        lost_count=2
    )
    assert await kept_in(tmp_path, OTHER).restore_session_cookies(partly.driver, STORED) == SessionCookiesRestored(
        restored_count=1, lost_count=1
    )


async def test_a_browser_that_kept_them_is_given_nothing(tmp_path: Path) -> None:
    store = CookieStore(SESSION, OTHER)
    kept = kept_in(tmp_path, {**SESSION, "value": "older"}, {**SESSION, "name": "third"})

    assert await kept.restore_session_cookies(store.driver, STORED) == SessionCookiesRestored()
    assert store.held == [SESSION, OTHER]


async def test_a_profile_without_such_cookies_is_not_asked_about() -> None:
    class Closed:
        pass

    driver = cast("BrowserContext", Closed())

    assert await CookieSnapshot(None).restore_session_cookies(driver, STORED[1:]) == SessionCookiesRestored()


async def test_a_cookie_that_the_browser_refuses_is_lost(tmp_path: Path) -> None:
    class Picky(CookieStore):
        async def add_cookies(self, given: list[dict[str, Any]]) -> None:
            if any(cookie["name"] == "other" for cookie in given):
                raise PlaywrightError("Invalid cookie")
            await super().add_cookies(given)

    result = await kept_in(tmp_path, SESSION, OTHER).restore_session_cookies(Picky().driver, STORED)

    assert result == SessionCookiesRestored(restored_count=1, lost_count=1)
