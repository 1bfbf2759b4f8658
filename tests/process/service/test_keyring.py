"""The search for a keyring starts no other program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import anyio
import pytest

from tests.support.paths import ROOT

pytestmark = [pytest.mark.timeout(60), pytest.mark.skipif(sys.platform != "linux", reason="of Linux alone")]

READ = "from poolwright.service.keyring import read_secret; print(read_secret('somebody')[1])"


async def test_no_compiler_is_started(tmp_path: Path) -> None:
    started = tmp_path / "started"
    for name in ("gcc", "cc", "ld"):
        tool = tmp_path / name
        tool.write_text(f"#!/bin/sh\necho {name} >> {started}\nexit 1\n", encoding="utf-8")
        tool.chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHON_KEYRING_BACKEND"}  # noqa: TID251
    environment = inherited | {"PATH": str(tmp_path), "HOME": str(tmp_path)}

    done = await anyio.run_process([sys.executable, "-c", READ], env=environment, cwd=ROOT, check=False)

    assert done.returncode == 0, done.stderr.decode()
    assert "keyring" in done.stdout.decode()
    assert not started.exists(), started.read_text(encoding="utf-8")
