"""The languages in which a browser asks for pages are those of its profile."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from playwright.async_api import Playwright

from poolwright.domain.options import BrowserOptions
from poolwright.worker.browser.launcher import launch_browser, preferred_languages


@pytest.mark.parametrize(
    ("preferences", "languages"),
    [
        ('{"intl":{"selected_languages":"de-DE,de,en-US"}}', "de-DE,de,en-US"),
        ('{"intl":{"accept_languages":"pt-BR"}}', "pt-BR"),
        ('{"intl":{"selected_languages":"zh-Hant-TW","accept_languages":"pt-BR"}}', "zh-Hant-TW"),
        ('{"intl":{"selected_languages":"","accept_languages":"pt-BR,pt"}}', "pt-BR,pt"),
        ('{"intl":{"selected_languages":"de --no-sandbox"}}', "en-US,en"),
        ('{"intl":{"selected_languages":"de,"}}', "en-US,en"),
        ('{"intl":{"selected_languages":7}}', "en-US,en"),
        ('{"intl":[]}', "en-US,en"),
        ("{}", "en-US,en"),
        ("[]", "en-US,en"),
        ('{"intl"', "en-US,en"),
        ("\xff", "en-US,en"),
    ],
)
def test_they_are_what_the_profile_says_or_english(tmp_path: Path, preferences: str, languages: str) -> None:
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(preferences, encoding="latin-1")

    assert preferred_languages(tmp_path) == languages


def test_a_profile_without_settings_wants_english(tmp_path: Path) -> None:
    assert preferred_languages(tmp_path) == "en-US,en"


@pytest.mark.parametrize(("is_headless", "told"), [(True, ["--accept-lang=de-DE,de"]), (False, [])])
async def test_a_browser_without_windows_is_told_them_since_a_headless_shell_looks_for_none(
    tmp_path: Path, is_headless: bool, told: list[str]
) -> None:
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text('{"intl":{"selected_languages":"de-DE,de"}}', encoding="utf-8")
    args: list[str] = []

    async def launch(_profile: Path, **options: Any) -> None:  # noqa: ANN401 - those of the driver
        args.extend(options["args"])

    driver = SimpleNamespace(chromium=SimpleNamespace(launch_persistent_context=launch))
    await launch_browser(cast("Playwright", driver), BrowserOptions(headless_mode=is_headless), tmp_path, tmp_path)

    assert [arg for arg in args if arg.startswith("--accept-lang")] == told
