"""Files of an earlier run are read again at the start: a signal ends that soon, and nothing is lost by it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import psutil
import pytest
from anyio.abc import Process

from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import assert_all_right, numbers_of
from tests.support.portal import needs_chromium
from tests.support.program import open_program, read_lines, send

pytestmark = [needs_chromium, pytest.mark.timeout(240)]

EXIT_STOPPED = 7
#: Nobody reads so much within the time of a test.
HUGE_BYTES = 2**40


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
async def test_a_signal_while_files_are_read_again_ends_the_start(tmp_path: Path, number: signal.Signals) -> None:
    async with running_portal(order_count=6) as portal, open_program(tmp_path, portal) as program:
        numbers = await numbers_of(portal, 6)
        orders = program.list_of(numbers)
        first = await program.run("run", orders, "--json")

        with one_huge_file(program.out) as huge:
            async with program.started("run", orders, "--json") as process:
                await until_read(process, huge)
                send(process, number)
                lines = [line async for line in read_lines(process)]
                code = await process.wait()

        assert code == EXIT_STOPPED
        assert (lines[-1]["ending"], lines[-1]["exit_code"]) == ("stopped", EXIT_STOPPED)
        assert "Run the batch again to continue." in lines[-1]["detail"]
        again = await program.run("run", orders, "--json")
        assert (again.code, again.objects()[-1]["outcomes"]) == (first.code, first.objects()[-1]["outcomes"])
        assert_all_right(program, await portal.truth(*numbers))


@contextmanager
def one_huge_file(out: Path) -> Generator[Path]:
    """Let a filed file be so large that reading it does not end; its disk needs no room for that."""
    manifests = {path: json.loads(path.read_text("utf-8")) for path in out.glob("*/*/manifest.json")}
    page, manifest = next((page, each) for page, each in manifests.items() if each["outcome"] == "COMPLETED")
    entry = manifest["files"][0]
    huge, text = page.parent / entry["name"], page.read_text("utf-8")
    size_bytes = huge.stat().st_size
    entry["size_bytes"] = HUGE_BYTES
    os.truncate(huge, HUGE_BYTES)
    page.write_text(json.dumps(manifest), "utf-8")
    yield huge
    os.truncate(huge, size_bytes)
    page.write_text(text, "utf-8")


async def until_read(process: Process, path: Path) -> None:
    """Wait until the program has a file open."""
    program = psutil.Process(process.pid)
    while str(path) not in {each.path for each in program.open_files()}:
        await anyio.lowlevel.checkpoint()
