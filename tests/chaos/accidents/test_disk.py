"""A disk without room: the run waits, says so, and goes on when there is room; nothing is lost, nothing half-filed."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import assert_all_right, numbers_of, reported
from tests.support.portal import needs_chromium
from tests.support.program import open_program, read_lines

pytestmark = [needs_chromium, pytest.mark.timeout(240)]

DISK_MB = 64


@contextmanager
def small_disk(place: Path) -> Generator[Path]:
    """A file system of its own, small enough to fill."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(place)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("room_mb", [3, 12], ids=["below the floor from the start", "full in the middle"])
async def test_a_full_disk_is_waited_out(tmp_path: Path, room_mb: int) -> None:
    with small_disk(tmp_path / "out") as disk:
        async with running_portal(order_count=12) as portal, open_program(tmp_path, portal) as program:
            numbers = await numbers_of(portal, 12)
            truths = await portal.truth(*numbers)
            ballast = disk / "ballast"
            ballast.write_bytes(bytes((DISK_MB - room_mb) * 1024 * 1024))

            notices: list[str] = []
            async with program.started("run", program.list_of(numbers), "--json") as process:
                async for line in read_lines(process):
                    if line["type"] == "notice":
                        notices.append(line["text"])
                        if line["text"].startswith("paused "):
                            ballast.unlink(missing_ok=True)
                code = await process.wait()

            assert code == 1, "some orders of the list cannot be done"
            assert any(text.startswith("paused ") for text in notices)
            assert_all_right(program, truths)
            assert {row["Attempts"] for row in reported(program)} == {"1"}
