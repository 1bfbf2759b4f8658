"""What the tests of the program rest on: that they see every process of their program."""

from __future__ import annotations

from pathlib import Path

from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import numbers_of
from tests.support.portal import needs_chromium
from tests.support.program import open_program, read_lines
from tests.support.target_process import Kind, find

pytestmark = needs_chromium


async def test_every_process_of_a_run_is_seen(tmp_path: Path) -> None:
    folder = tmp_path / "a folder with a path that is too long for the temporary files of a browser"
    folder.mkdir()
    seen: set[Kind] = set()
    async with running_portal() as portal, open_program(folder, portal) as program:
        numbers = await numbers_of(portal, 4)
        async with program.started("run", program.list_of(numbers), "--workers", "1", "--json") as process:
            async for line in read_lines(process):
                if line["type"] == "task_ended":
                    seen |= {kind for kind in Kind if any(program.is_ours(one) for one in find(process.pid, kind))}

    assert seen == set(Kind)
