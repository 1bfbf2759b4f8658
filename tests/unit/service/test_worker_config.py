"""The options of a worker come from the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.options import BrowserKind, PageEvidence, Sandbox, Skipped
from poolwright.portal import pack as packs
from poolwright.portal.pack_schema import ArchivePolicy, MailPolicy
from poolwright.profile.session_cookies import SessionCookies
from poolwright.service import pool_config
from poolwright.service.pool_config import browser_wish, is_login_of_browser, resolve_browser, resolve_worker_config
from poolwright.service.portals.portal_config import PortalConfig
from poolwright.settings import Settings
from poolwright.system.browser_choice import BrowserChoice, BrowserWish, BrowserWork
from poolwright.system.browsers import InstalledBrowser
from tests.support.login_portals import login_pack


@pytest.mark.parametrize("kind", PageEvidence)
def test_workers_file_pages_as_the_settings_say(kind: PageEvidence, tmp_path: Path) -> None:
    browser = tmp_path / "chromium"
    browser.touch(mode=0o755)
    settings = Settings(browser_path=browser, sandbox=Sandbox.OFF, page_evidence=kind)

    assert resolve_worker_config(settings, None).worker.page_evidence is kind


@pytest.mark.parametrize(
    ("wanted", "rules"),
    [
        ({}, (ArchivePolicy.KEEP, MailPolicy.KEEP, False)),
        ({"unpack_archives": True}, (ArchivePolicy.BESIDE, MailPolicy.KEEP, False)),
        ({"unpack_mails": True}, (ArchivePolicy.KEEP, MailPolicy.UNPACK, False)),
        ({"mail_pdf": True}, (ArchivePolicy.KEEP, MailPolicy.KEEP, True)),
    ],
)
def test_workers_open_archives_and_mails_as_the_settings_say(
    wanted: dict[str, bool], rules: tuple[ArchivePolicy, MailPolicy, bool], tmp_path: Path
) -> None:
    browser = tmp_path / "chromium"
    browser.touch(mode=0o755)
    settings = Settings.model_validate({"browser_path": browser, "sandbox": Sandbox.OFF, **wanted})
    site = PortalConfig(pack=packs.load("coupa"), base_url="https://x.example")

    portal = resolve_worker_config(settings, site).worker.portal

    assert portal is not None
    attachments = packs.parse_json(portal.pack_json).attachments
    assert (attachments.archive, attachments.mail, attachments.mail_pdf) == rules


def test_workers_skip_what_the_pack_says(tmp_path: Path) -> None:
    browser = tmp_path / "chromium"
    browser.touch(mode=0o755)
    settings = Settings(browser_path=browser, sandbox=Sandbox.OFF)
    pack = packs.load("coupa")
    skipping = pack.model_copy(update={"site": pack.site.model_copy(update={"skip": (Skipped.IMAGE,)})})
    sites = (None, *(PortalConfig(pack=one, base_url="https://x.example") for one in (pack, skipping)))

    assert [resolve_worker_config(settings, site).worker.browser.skip for site in sites] == [(), (), (Skipped.IMAGE,)]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [("", False), ('scheme = "basic"', False), ('scheme = "ntlm"', True), ('scheme = "digest"', True)],
)
def test_the_browser_fetches_the_files_where_it_alone_can_log_in(rules: str, *, expected: bool) -> None:
    http = f"[login.http]\n{rules}" if rules else ""

    assert is_login_of_browser(login_pack(http, ladder='"revisit"')) is expected


@pytest.mark.parametrize(
    ("settings", "wish"),
    [
        ({}, BrowserWish()),
        ({"browser_path": "/srv/chrome"}, BrowserWish(program=Path("/srv/chrome"))),
        ({"browser": "chrome"}, BrowserWish(kind=BrowserKind.CHROME)),
        ({"browser": "/srv/own"}, BrowserWish(program=Path("/srv/own"))),
        ({"browser": "headless-shell", "browser_path": "/srv/chrome"}, BrowserWish(kind=BrowserKind.HEADLESS_SHELL)),
        ({"browser": "/srv/own", "browser_path": "/srv/chrome"}, BrowserWish(program=Path("/srv/own"))),
    ],
)
def test_the_path_counts_while_the_browser_is_auto(settings: dict[str, str], wish: BrowserWish) -> None:
    assert browser_wish(Settings.model_validate(settings)) == wish


class Choosing:
    """Takes what is asked for, and returns some browser."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cookies: SessionCookies) -> None:
        self.works: list[BrowserWork] = []
        self.counted: list[Path] = []
        monkeypatch.setattr(pool_config, "find_browser", self._find)
        monkeypatch.setattr(pool_config, "count_session_cookies", lambda base, now: self._count(base, cookies))

    def _find(self, _wish: BrowserWish, _folder: Path | None, work: BrowserWork) -> BrowserChoice:
        self.works.append(work)
        browser = InstalledBrowser(path=Path("/usr/bin/chromium"), name="Chromium", origin="installed")
        return BrowserChoice(browser=browser, why="because")

    def _count(self, base: Path, cookies: SessionCookies) -> SessionCookies:
        self.counted.append(base)
        return cookies


def test_the_cookies_of_the_profile_count_for_the_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choosing = Choosing(monkeypatch, SessionCookies(count=3, copied_count=1))

    resolve_browser(Settings(), tmp_path)

    assert choosing.works == [BrowserWork(session_cookies=3, copied_session_cookies=1)]


def test_they_are_counted_for_that_choice_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choosing = Choosing(monkeypatch, SessionCookies(count=3))

    resolve_browser(Settings(headless=False), tmp_path)
    resolve_browser(Settings(browser=BrowserKind.CHROMIUM), tmp_path, presents_certificate=True)
    resolve_browser(Settings(), tmp_path / "none")
    resolve_browser(Settings(), None)

    assert choosing.counted == []
    assert choosing.works == [
        BrowserWork(is_headed=True),
        BrowserWork(presents_certificate=True),
        BrowserWork(writes_profile=True),
        BrowserWork(writes_profile=True),
    ]


def test_a_proxy_script_has_a_whole_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    choosing = Choosing(monkeypatch, SessionCookies())
    monkeypatch.setenv("auto_proxy", "http://127.0.0.1:9/proxy.pac")

    resolve_browser(Settings(), tmp_path)
    resolve_browser(Settings(proxy="http://127.0.0.1:8"), tmp_path)
    monkeypatch.setenv("auto_proxy", "")
    resolve_browser(Settings(), tmp_path)

    assert choosing.works == [BrowserWork(has_proxy_script=True), BrowserWork(), BrowserWork()]
