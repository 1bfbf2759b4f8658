"""The service file, held against systemd itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FILE = ROOT / "deploy/poolwright.service"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    copy = tmp_path / "poolwright.service"
    told = FILE.read_text(encoding="utf-8")
    copy.write_text(told.replace("/usr/local/bin/poolwright", shutil.which("true") or "/bin/true"), encoding="utf-8")

    verdict = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )

    about = [line for line in verdict.stderr.splitlines() if "poolwright.service" in line]
    assert (verdict.returncode, about) == (0, []), verdict.stderr
