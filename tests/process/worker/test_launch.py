"""A browser that does not start says why, and what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from poolwright.domain.options import BrowserOptions, Sandbox
from poolwright.worker.browser.launcher import launch_browser, open_driver
from poolwright.worker.errors import CannotStartError

NEXT_STEP = (
    "`poolwright doctor` names the setting to change, and --sandbox auto starts the browser without it if necessary"
)


#: What a browser writes before it ends, as it was seen with the user namespaces of an ordinary user used up.
REFUSED = """#!/bin/sh
echo "[7:7:ERROR:zygote_host_impl_linux.cc:130] No usable sandbox! If this is a Debian system, ..." >&2
exit 1
"""
#: The same in a container whose filter of system calls knows no ``unshare``.
UNKNOWN = """#!/bin/sh
echo "[18:18:FATAL:sandbox/linux/services/credentials.cc:137] Check failed: . : Function not implemented (38)" >&2
kill -ABRT $$
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the browser is a shell script")
@pytest.mark.parametrize(
    ("text", "words"),
    [(REFUSED, NEXT_STEP), (UNKNOWN, NEXT_STEP), ("#!/bin/sh\nexit 1\n", "it exited at once with exit code 1")],
)
async def test_a_system_that_forbids_the_sandbox_is_named_as_the_cause(tmp_path: Path, text: str, words: str) -> None:
    browser = tmp_path / "browser"
    browser.write_text(text)
    browser.chmod(0o755)
    options = BrowserOptions(executable_path=str(browser), headless_mode=True, sandbox=Sandbox.ON)

    async with open_driver() as playwright:
        with pytest.raises(CannotStartError) as caught:
            await launch_browser(playwright, options, tmp_path / "profile", tmp_path)

    assert words in str(caught.value)
    assert ("this system forbids it" in str(caught.value)) is (text in {REFUSED, UNKNOWN})
