"""The examples as a newcomer runs them."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest

from tests.support.forms import running_site
from tests.support.paths import ROOT
from tests.support.portal import SHELL, needs_chromium

pytestmark = pytest.mark.timeout(120)


async def run(folder: Path, example: str, *arguments: str) -> list[str]:
    """Run an example in a folder of its own; gives the lines that it prints."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("POOLWRIGHT_")}  # noqa: TID251
    done = await anyio.run_process(
        [sys.executable, str(ROOT / "examples" / example), *arguments],
        cwd=folder,
        env={**own, "POOLWRIGHT_RUNS_DIR": str(folder / "runs"), "POOLWRIGHT_BROWSER_PATH": SHELL or ""},
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout.decode()
    assert list((folder / "runs").glob("*")) == []
    return done.stdout.decode().splitlines()


@needs_chromium
async def test_pages_are_printed_into_folders_of_their_own(tmp_path: Path) -> None:
    with running_site() as site:
        lines = await run(tmp_path, "print_pages.py", f"{site.url}/", f"{site.url}/gone")

    assert set(lines) == {
        f"{site.url}/ COMPLETED Price list",
        f"{site.url}/gone FAILED {site.url}/gone shows no page (status 404).",
    }
    (pdf,) = (tmp_path / "printed").glob("*/page.pdf")
    assert pdf.read_bytes().startswith(b"%PDF-")


@needs_chromium
async def test_a_form_is_sent_once_for_each_row_however_often_it_is_started(tmp_path: Path) -> None:
    table = tmp_path / "requests.csv"
    with running_site() as site:
        with table.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["id", "address", "subject", "urgency"])
            rows.writerows([name, f"{site.url}/form", f"Request {name}", "high"] for name in ("A1", "A2"))
        first = await run(tmp_path, "fill_forms.py", "requests.csv")
        again = await run(tmp_path, "fill_forms.py", "requests.csv")

    assert sorted(first) == sorted(again)
    assert [line.split(" Request ")[0] for line in again] == ["A1 COMPLETED", "A2 COMPLETED"]
    assert sorted(fields["subject"] for fields in site.sent) == ["Request A1", "Request A2"]
    assert {fields["urgency"] for fields in site.sent} == {"high"}
    (kept,) = (tmp_path / "filled" / ".poolwright" / "evidence").glob("A1 */attempt-1")
    assert sorted(path.name for path in kept.iterdir()) == [
        "answer.html",
        "answer.png",
        "filled in.html",
        "filled in.png",
    ]
    assert (tmp_path / "filled" / "A1" / "answer.txt").read_text(encoding="utf-8").startswith("Request ")
