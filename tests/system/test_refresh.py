"""A list whose orders are done is looked at again: what did not change stays the same file, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import QUIET, reported, some_good_number
from tests.support.portal import needs_chromium
from tests.support.program import open_program

pytestmark = [needs_chromium, pytest.mark.timeout(600)]


def identities(folder: Path) -> dict[str, tuple[int, float]]:
    """Inode and time of each file of the orders' folders."""
    return {str(path): (path.stat().st_ino, path.stat().st_mtime) for path in folder.glob("*/*/*") if path.is_file()}


async def test_looking_again_touches_nothing_that_did_not_change_and_says_so(tmp_path: Path) -> None:
    async with running_portal(order_count=12) as portal, open_program(tmp_path, portal) as program:
        number = await some_good_number(portal)
        listed = program.list_of([number])
        first = await program.run("run", listed, *QUIET)
        before = identities(program.out)
        await portal.reset_stats()

        again = await program.run("run", listed, *QUIET, "--refresh")
        stats = await portal.stats()
        verified = await program.run("verify", str(program.out))

        assert (first.code, again.code, verified.code) == (0, 0, 0), (first, again, verified)
        assert stats.order_pages.get(number), "the page was looked at again"
        assert before
        assert {path: known for path, known in identities(program.out).items() if "/reports/" not in path} == {
            path: known for path, known in before.items() if "/reports/" not in path
        }
        assert "Looked at again: 1 order; 1 the same." in again.out
        [row] = reported(program)
        assert row["Outcome"] == "COMPLETED"
        assert "nothing changed" in row["Detail"]
