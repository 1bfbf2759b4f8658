"""A worker process that shows one page in a real browser until its link is closed.

Started as ``python -m tests.browser.system.browsing_child SLOT GENERATION FRAMES``; PROFILE in its environment is the
profile.
"""

from __future__ import annotations

import os
import sys

from playwright.sync_api import sync_playwright

from tests.support.portal import CHROMIUM
from tests.support.scripted_child import ENVIRONMENT, Part

if __name__ == "__main__":
    part = Part(*sys.argv[1:])
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            ENVIRONMENT["PROFILE"],
            executable_path=CHROMIUM,
            args=["--no-sandbox"] if os.geteuid() == 0 else [],
            headless=True,
        )
        context.pages[0].set_content("<h1>PO 4500</h1>")
        part.say(str(os.getpid()))
        part.listen()
        context.close()
