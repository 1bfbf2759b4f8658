"""The program of docs/processors.md, run as it is there by somebody who has Poolwright installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import anyio
import psutil
import pytest

from poolwright.demo.portal_client import running_portal
from tests.support.paths import ROOT
from tests.support.portal import SHELL, needs_chromium

pytestmark = [needs_chromium, pytest.mark.timeout(120)]

EXAMPLE = re.search(
    r"<!-- library:begin -->\s+```python\n(.+?)```",
    (ROOT / "docs/processors.md").read_text(encoding="utf-8"),
    re.DOTALL,
)


def environment_of(folder: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("POOLWRIGHT_")}  # noqa: TID251
    return {
        **own,
        "PYTHONPATH": str(ROOT),
        "POOLWRIGHT_RUNS_DIR": str(folder / "runs"),
        "POOLWRIGHT_BROWSER_PATH": SHELL or "",
    }


def left_below(folder: Path) -> list[psutil.Process]:
    def is_marked(process: psutil.Process) -> bool:
        try:
            return f"{folder}/" in " ".join([*process.cmdline(), process.environ().get("TMPDIR", "")])
        except psutil.Error:
            return False

    return [process for process in psutil.process_iter() if is_marked(process)]


async def run(folder: Path, *arguments: str) -> str:
    done = await anyio.run_process(
        [sys.executable, "titles.py", *arguments],
        cwd=folder,
        env=environment_of(folder),
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
    return done.stdout.decode()


def test_the_example_is_short() -> None:
    assert EXAMPLE is not None
    assert len([line for line in EXAMPLE[1].splitlines() if line]) <= 15


async def test_the_example_brings_pages_home_and_does_nothing_twice(tmp_path: Path) -> None:
    assert EXAMPLE is not None
    (tmp_path / "titles.py").write_text(EXAMPLE[1], encoding="utf-8")

    async with running_portal() as portal:
        login, other = f"{portal.url}/sessions/new", f"{portal.url}/sessions/new?again"
        folder = tmp_path / "pages" / re.sub(r"[:/]", "_", login)
        first = await run(tmp_path, login)
        manifest = folder / "manifest.json"
        made_at = manifest.stat().st_mtime_ns
        second = await run(tmp_path, other, login)

    assert [line.split()[:2] for line in first.splitlines()] == [[login, "COMPLETED"]]
    assert [line.split()[:2] for line in second.splitlines()] == [[other, "COMPLETED"], [login, "COMPLETED"]]
    assert second.splitlines()[1:] == first.splitlines()
    assert manifest.stat().st_mtime_ns == made_at
    page = (folder / "page.html").read_text(encoding="utf-8")
    title = json.loads(manifest.read_text(encoding="utf-8"))["fields"]["title"]
    assert title
    assert f"<title>{title}</title>" in page
    log = (tmp_path / "pages" / ".poolwright" / "log.jsonl").read_text(encoding="utf-8")
    assert [json.loads(line)["outcome"] for line in log.splitlines() if "outcome" in line] == ["COMPLETED"] * 2
    assert list((tmp_path / "runs").glob("*")) == []
    assert left_below(tmp_path) == []
