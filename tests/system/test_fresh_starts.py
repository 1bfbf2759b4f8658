"""Workers that are started anew in the middle of a run: their login goes on, and no order notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.demo.portal_client import running_portal
from poolwright.profile.backups import login_backup_path
from tests.support.batch_results import assert_all_right, numbers_of, reported
from tests.support.portal import needs_chromium
from tests.support.program import open_program

pytestmark = [needs_chromium, pytest.mark.timeout(240)]


async def test_a_planned_fresh_start_keeps_the_login_and_costs_no_order(tmp_path: Path) -> None:
    async with running_portal(order_count=10) as portal, open_program(tmp_path, portal) as program:
        await portal.require_visit_cookie(is_required=True)  # of the session alone: it is in no file of the profile
        login_backup_path(program.folder / "profiles" / "demo" / "base").unlink()  # it would be taken from there
        numbers = await numbers_of(portal, 10)
        truths = await portal.truth(*numbers)
        await portal.reset_stats()
        options = ("--tabs", "1", "--recycle-after-tasks", "3", "--json")

        ended = await program.run("run", program.list_of(numbers), *options)

        assert ended.code == 1, ended.errors
        assert_all_right(program, truths)
        assert {row["Attempts"] for row in reported(program)} <= {"1", "3"}, "3 where the portal's own faults want it"
        stats = await portal.stats()
        # The profile does not have that cookie, so that the run begins with a login; no fresh start needs another.
        assert (stats.logins, stats.refused_logins) == (1, 0)
        moves = [line["transition"] for line in ended.objects() if line["type"] == "moved"]
        targets = [move["target"] for move in moves if move["machine"] == "worker"]
        assert "CRASHED" not in targets
        assert targets.count("RESTARTING") >= 2
