"""What a worker process loads before its first order: eight of them start side by side."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.support.paths import ROOT

#: Libraries of other parts of the program, and those that only a terminal needs.
KEPT_OUT = {
    "click",
    "fastapi",
    "openpyxl",
    "pygments",
    "pydantic_settings",
    "rich",
    "sqlite3",
    "starlette",
    "typer",
    "uvicorn",
}


def test_a_worker_loads_nothing_that_only_others_need() -> None:
    command = [sys.executable, "-X", "importtime", "-P", "-m", "app.worker", "1", "1", "stdio"]

    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )

    loaded = set(re.findall(r"^import time:[^|]*\|[^|]*\|\s*(\w+)", done.stderr, re.MULTILINE))
    assert {"httpx", "playwright", "pydantic"} <= loaded, done.stderr[-2000:]
    assert loaded & KEPT_OUT == set()
