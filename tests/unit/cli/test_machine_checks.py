"""The doctor's judgements of the machine: what is in order, what works with a drawback, what cannot work."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from poolwright.cli.check_result import CheckLevel, CheckResult, print_check, warn
from poolwright.cli.machine_checks import (
    NOT_AFTER,
    NOT_BEFORE,
    Encodings,
    check_browser,
    check_certificates,
    check_clock,
    check_fonts,
    check_locale,
    check_memory,
    check_open_files,
    check_proxies,
    check_sandbox,
    check_session_cookies,
    check_shared_memory,
)
from poolwright.domain.options import Sandbox
from poolwright.profile.session_cookies import SessionCookies
from poolwright.service.certificates import Certificates
from poolwright.system.browser_choice import BrowserChoice
from poolwright.system.browsers import InstalledBrowser
from poolwright.system.container import Container
from poolwright.system.hardware import Fonts
from poolwright.system.sandbox import SandboxChoice
from tests.support.machine import GB, with_memory

NOW = NOT_BEFORE + timedelta(days=100)
JOURNAL = Path("downloads/.poolwright/journal.db")


@pytest.mark.parametrize(
    ("total_bytes", "workers_count", "tabs", "level"),
    [
        (25 * GB, 8, 4, CheckLevel.OK),
        (2 * GB, 2, 2, CheckLevel.OK),
        (2 * GB, 2, 4, CheckLevel.WARN),
        (1 * GB, 2, 2, CheckLevel.FAIL),
        (GB // 2, 1, 1, CheckLevel.WARN),
    ],
)
def test_memory_must_hold_the_workers(total_bytes: int, workers_count: int, tabs: int, level: CheckLevel) -> None:
    check = check_memory(with_memory(total_bytes, source="a limit"), workers_count, tabs, None)

    assert check.level is level
    assert "(a limit)" in check.found
    assert f"{workers_count} worker" in check.found


@pytest.mark.parametrize(("mode", "level"), [(Sandbox.ON, CheckLevel.OK), (Sandbox.OFF, CheckLevel.WARN)])
def test_a_missing_sandbox_is_a_drawback(mode: Sandbox, level: CheckLevel) -> None:
    check = check_sandbox(SandboxChoice(mode=mode, why="because"))

    assert check.level is level
    assert "because" in check.found


@pytest.mark.parametrize(("total_bytes", "told"), [(None, "none"), (64 * 10**6, "64 MB")])
def test_shared_memory_is_told_and_never_missed(total_bytes: int | None, told: str) -> None:
    check = check_shared_memory(total_bytes)

    assert check == CheckResult(name="shared mem", level=CheckLevel.OK, found=f"{told}; browsers work without it")


def test_a_limit_of_a_container_is_told_with_the_workers_that_fit() -> None:
    machine = with_memory(2 * GB, source="the limit of this container or service, cgroup v2 /")
    limited = replace(machine, memory=replace(machine.memory, is_of_group=True))

    found = check_memory(limited, 2, 2, Container.DOCKER).found

    assert "2.0 GB of 2.0 GB free (the limit of this container or service, cgroup v2 /)" in found
    assert found.endswith("; at most 2 workers would fit")


def test_a_container_without_a_limit_of_its_own_is_told() -> None:
    assert "this container has no limit of its own" in check_memory(with_memory(32 * GB), 2, 2, Container.PODMAN).found
    assert "container" not in check_memory(with_memory(32 * GB), 2, 2, None).found


def test_a_sandbox_that_was_asked_for_and_is_refused_fails() -> None:
    check = check_sandbox(SandboxChoice(mode=Sandbox.ON, why="as configured", obstacle="this and that"))

    assert check.level is CheckLevel.FAIL
    assert "this and that" in check.found
    assert "--sandbox auto" in check.advice


@pytest.mark.parametrize(
    ("fonts", "container", "level", "word"),
    [
        (Fonts(count=0, has_cjk=False), None, CheckLevel.WARN, "boxes"),
        (Fonts(count=0, has_cjk=False), Container.DOCKER, CheckLevel.WARN, "boxes"),
        (Fonts(count=1, has_cjk=False), None, CheckLevel.OK, "1 font, none for Chinese, Japanese or Korean"),
        (Fonts(count=1, has_cjk=False), None, CheckLevel.OK, "install fonts-noto-cjk"),
        (Fonts(count=9, has_cjk=False), Container.OTHER, CheckLevel.OK, "--build-arg EXTRA_PACKAGES=fonts-noto-cjk"),
        (Fonts(count=9, has_cjk=True), Container.DOCKER, CheckLevel.OK, "9 fonts"),
    ],
)
def test_fonts_are_told(fonts: Fonts, container: Container | None, level: CheckLevel, word: str) -> None:
    check = check_fonts(fonts, container)

    assert check.level is level
    assert word in check.found
    assert ("fonts-liberation" in check.advice) is (fonts.count == 0)
    assert ("Korean" in check.found) is (fonts.count > 0 and not fonts.has_cjk)


@pytest.mark.parametrize(
    ("now", "level", "word"),
    [
        (NOT_BEFORE - timedelta(days=1), CheckLevel.FAIL, "before the release of this program"),
        (NOT_AFTER + timedelta(days=1), CheckLevel.FAIL, "many years in the future"),
        (NOW, CheckLevel.OK, "2027-02-09 00:00 UTC"),
    ],
)
def test_a_clock_that_cannot_be_right_fails(now: datetime, level: CheckLevel, word: str) -> None:
    check = check_clock(now, None)

    assert check.level is level
    assert word in check.found
    assert bool(check.advice) is (level is CheckLevel.FAIL)


@pytest.mark.parametrize(
    ("ahead", "level"),
    [(timedelta(minutes=4), CheckLevel.OK), (timedelta(minutes=6), CheckLevel.WARN), (timedelta(), CheckLevel.OK)],
)
def test_a_clock_behind_what_was_written_is_a_drawback(ahead: timedelta, level: CheckLevel) -> None:
    check = check_clock(NOW, (NOW + ahead, JOURNAL))

    assert check.level is level
    assert (str(JOURNAL) in check.found) is (level is CheckLevel.WARN)


@pytest.mark.parametrize(
    ("names", "system", "level"),
    [
        ("utf-8", "UTF-8", CheckLevel.OK),
        ("utf-8", "utf_8", CheckLevel.OK),
        ("utf-8", "ANSI_X3.4-1968", CheckLevel.WARN),
        ("ascii", "ANSI_X3.4-1968", CheckLevel.FAIL),
        ("iso8859-1", "ISO-8859-1", CheckLevel.FAIL),
    ],
)
def test_names_of_files_need_utf_8(names: str, system: str, level: CheckLevel) -> None:
    check = check_locale(Encodings(names=names, system=system))

    assert check.level is level
    assert ("LANG=C.UTF-8" in check.advice) is (level is not CheckLevel.OK)


@pytest.mark.parametrize(
    ("most", "level"),
    [
        (None, CheckLevel.OK),
        (65_536, CheckLevel.OK),
        (1024, CheckLevel.OK),
        (1023, CheckLevel.WARN),
        (256, CheckLevel.WARN),
        (255, CheckLevel.FAIL),
    ],
)
def test_a_browser_has_to_have_files_open(most: int | None, level: CheckLevel) -> None:
    assert check_open_files(most).level is level


@pytest.mark.parametrize(
    ("proxies", "level", "found"),
    [
        ({}, CheckLevel.OK, "none in the environment"),
        ({"no": "localhost"}, CheckLevel.OK, "none in the environment"),
        ({"https": "http://u:secret@p:1", "no": "a"}, CheckLevel.OK, "https by http://p:1; not for a"),
        ({"all": "socks5://p:1"}, CheckLevel.WARN, "all by socks5://p:1"),
        ({"http": "foo bar"}, CheckLevel.FAIL, "http by foo bar"),
        ({"http": "p:3128"}, CheckLevel.FAIL, "http by p:3128"),
    ],
)
def test_proxies_of_the_environment_are_told_without_their_passwords(
    proxies: dict[str, str], level: CheckLevel, found: str
) -> None:
    check = check_proxies("", (), proxies)

    assert (check.level, check.found) == (level, found)
    assert "secret" not in check.advice


@pytest.mark.parametrize(("asked", "level"), [("http://p:1", CheckLevel.OK), ("socks5://p:1", CheckLevel.WARN)])
def test_the_proxy_of_the_settings_goes_before_those_of_the_environment(asked: str, level: CheckLevel) -> None:
    check = check_proxies(asked, ("a", ".b"), {"https": "foo bar"})

    assert (check.level, check.found) == (level, f"{asked} (setting proxy); not for a, .b")


@pytest.mark.parametrize(
    ("found", "days", "platform", "level", "advice"),
    [
        ((), None, "linux", CheckLevel.OK, ""),
        (("ca_file: Root, until 2030-01-01",), 400, "linux", CheckLevel.OK, ""),
        (("client_cert: anna, until 2026-12-01",), 20, "linux", CheckLevel.WARN, "Renew it before it expires"),
        (("ca_file: Root, until 2030-01-01",), 400, "win32", CheckLevel.WARN, "system's own store"),
    ],
)
def test_certificates_are_told_and_warned_of_before_they_end(
    found: tuple[str, ...], days: int | None, platform: str, level: CheckLevel, advice: str
) -> None:
    ends = None if days is None else NOW + timedelta(days=days)
    check = check_certificates(Certificates(found=found, ends=ends), NOW, platform)

    assert (check.level, check.found) == (level, "; ".join(found) or "none but the system's")
    assert advice in check.advice


def test_a_check_is_told_whole_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")

    print_check(warn("memory", "4.1 GB are free, and 8 workers need more", "Use --workers 2"), as_json=False)

    told = "warn memory       4.1 GB are free, and 8 workers need more. Use --workers 2"
    assert capsys.readouterr().out.splitlines() == [told]


def test_the_browser_is_told_with_the_reason_for_it() -> None:
    browser = InstalledBrowser(path=Path("/usr/bin/chromium"), name="Chromium", origin="installed")
    named = InstalledBrowser(path=Path("/srv/chrome"), name="chrome", origin="as configured")

    chosen = check_browser(BrowserChoice(browser=browser, why="a headless shell has no windows"), "Chromium 156")
    configured = check_browser(BrowserChoice(browser=named, why="as configured"), "Chrome 9")

    assert chosen.found == f"{browser.path} (Chromium 156; installed; a headless shell has no windows)"
    assert configured.found == f"{named.path} (Chrome 9; as configured)"
    assert chosen.level is CheckLevel.OK


@pytest.mark.parametrize(
    ("copied_count", "is_shell", "level", "words"),
    [
        (3, True, CheckLevel.OK, "3 cookies without an expiry, which a headless shell gets from the copy"),
        (2, True, CheckLevel.WARN, "of which 1 has no copy beside the profile: a headless shell loses them"),
        (1, False, CheckLevel.OK, "of which 2 have no copy beside the profile.*so runs use a whole browser"),
    ],
)
def test_a_login_that_does_not_carry_over_to_a_headless_shell_is_told(
    copied_count: int, is_shell: bool, level: CheckLevel, words: str
) -> None:
    check = check_session_cookies(SessionCookies(count=3, copied_count=copied_count), "anna", is_shell=is_shell)

    assert check.level is level
    assert re.search(words, check.found)
    advice = f"{check.found} {check.advice}"
    assert ("`poolwright profile login anna` makes the copies" in advice) is (copied_count < 3)
    assert ("Set browser to auto or chromium" in advice) is (level is CheckLevel.WARN)
