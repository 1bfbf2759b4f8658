"""A short soak with a real pool. Its figures are not judged: they are for longer times and calmer machines."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.soak.samples import columns
from tests.support.paths import ROOT
from tests.support.portal import needs_chromium

PNG = b"\x89PNG\r\n"


@pytest.mark.timeout(180)
@needs_chromium
def test_a_short_soak_loses_no_order_and_leaves_its_figures(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.soak", "--minutes", "0.06", "--workers", "1", "--interval-s", "0.5"]
    command += ["--page-mb", "8", "--folder", str(tmp_path)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode in {0, 1}, done.stderr
    assert "throughput" in done.stdout
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    orders = told["orders"]
    assert orders["submitted_count"] == orders["right_count"] > 0
    assert (orders["lost_count"], orders["wrong_count"], orders["repeated_count"]) == (0, 0, 0)
    assert (told["plan"]["workers"], told["restarts"]) == (1, [])
    assert {"supervisor memory", "supervisor open files", "supervisor tasks", "worker 1 memory"} < {*told["figures"]}
    with (tmp_path / "samples.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == columns(1)
    assert len(rows) == told["sample_count"] > 3
    assert (tmp_path / "soak.png").read_bytes().startswith(PNG)
