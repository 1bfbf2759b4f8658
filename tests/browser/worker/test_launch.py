"""A real browser that refuses to start with its sandbox for root."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from poolwright.domain.options import BrowserOptions, Sandbox
from poolwright.worker.browser.launcher import launch_browser, open_driver
from poolwright.worker.errors import CannotStartError
from tests.support.sessions import CHROMIUM

NEXT_STEP = (
    "`poolwright doctor` names the setting to change, and --sandbox auto starts the browser without it if necessary"
)


@pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="needs root on Linux")
async def test_a_sandbox_that_root_asked_for_is_named_as_the_cause(tmp_path: Path) -> None:
    options = BrowserOptions(executable_path=CHROMIUM, headless_mode=True, sandbox=Sandbox.ON)

    async with open_driver() as playwright:
        with pytest.raises(CannotStartError) as caught:
            await launch_browser(playwright, options, tmp_path / "profile", tmp_path)

    assert str(caught.value) == (
        f"The browser does not start (Chromium's own sandbox was requested, but root cannot use it; {NEXT_STEP})."
    )
