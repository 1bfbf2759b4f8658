"""The console of a program whose reader goes away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_reader_that_goes_away_stops_nothing(tmp_path: Path) -> None:
    script = (
        "import sys; from app.cli.console import console; screen = console()\n"
        "for number in range(3_000): screen.out(number)\n"
        "print('done', file=sys.stderr)"
    )
    read_end, write_end = os.pipe()
    os.close(read_end)

    done = subprocess.run([sys.executable, "-c", script], stdout=write_end, stderr=subprocess.PIPE, check=False)
    os.close(write_end)

    assert (done.returncode, done.stderr) == (0, b"done\n")
