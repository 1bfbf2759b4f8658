"""A browser that is asked for its version; shell scripts stand for it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from poolwright.domain.errors import SetupError
from poolwright.domain.options import BrowserKind
from poolwright.system.browser_choice import BrowserWish, find_browser
from poolwright.system.browsers import InstalledBrowser, read_version
from tests.support.shell_programs import program


def test_the_real_disk_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = program(tmp_path / "bin/google-chrome", "#!/bin/sh\necho 'Made-up Chrome 1.2.3'\n")
    monkeypatch.setenv("PATH", f"{mine.parent}{os.pathsep}{os.defpath}")

    browser = find_browser(BrowserWish()).browser

    assert browser == InstalledBrowser(path=mine, name="Google Chrome", origin="installed", kind=BrowserKind.CHROME)
    assert read_version(browser) == "Made-up Chrome 1.2.3"


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 3\n", "#!/nowhere/at-all\n"])
def test_a_browser_that_does_not_start_is_told(tmp_path: Path, script: str) -> None:
    broken = program(tmp_path / "chrome", script)

    with pytest.raises(SetupError, match="does not start"):
        read_version(InstalledBrowser(path=broken, name="chrome", origin="as configured"))
