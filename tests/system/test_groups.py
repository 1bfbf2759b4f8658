"""A company code without access is set aside while the others go on, stays so, and is resumed by one command."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest
from openpyxl import Workbook

from poolwright.demo.portal_client import running_portal
from tests.support.batch_results import reported
from tests.support.portal import needs_chromium
from tests.support.program import ProgramFolder, open_program

pytestmark = [needs_chromium, pytest.mark.timeout(300)]

NARROW = ("--quiet", "--workers", "1", "--tabs", "1")


def write_list(program: ProgramFolder, companies: Mapping[str, str]) -> str:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Company Code", "PO_NUMBER"])
    for number, company in companies.items():
        sheet.append([int(company), f"PO{number}"])
    book.save(program.folder / "orders.xlsx")
    return "orders.xlsx"


def results(program: ProgramFolder) -> dict[str, tuple[str, str]]:
    return {row["PO_NUMBER"].removeprefix("PO"): (row["Outcome"], row["Reason"]) for row in reported(program)}


async def test_a_group_without_access_is_set_aside_until_it_is_resumed(tmp_path: Path) -> None:
    async with running_portal(order_count=200) as portal, open_program(tmp_path, portal) as program:
        truths = [truth for truth in (await portal.truth()).values() if truth.is_listed]
        refused = [truth.number for truth in truths if truth.outcome == "FORBIDDEN"][:4]
        empty = [truth.number for truth in truths if truth.outcome == "NO_ATTACHMENTS"][:3]
        companies = {**dict.fromkeys((*refused, *empty[:2]), "2000"), empty[2]: "1000"}
        listed = write_list(program, companies)

        first = await program.run("run", listed, *NARROW, "--group-by", "company code", "--group-limit", "3")
        after_first = results(program)
        await portal.reset_stats()
        second = await program.run("run", listed, *NARROW, "--redo", "all")
        asked = set((await portal.stats()).order_pages)
        resumed = await program.run("run", listed, *NARROW, "--resume-group", "2000")

        assert len(refused) == 4
        assert first.code == 1
        assert after_first == {
            **dict.fromkeys(refused[:3], ("FORBIDDEN", "no_permission")),
            **dict.fromkeys((refused[3], *empty[:2]), ("CANCELLED", "group_set_aside")),
            empty[2]: ("NO_ATTACHMENTS", "none_listed"),
        }
        assert "Group 2000 is set aside: 3 orders not processed." in first.out
        assert second.code == 1
        assert asked <= {empty[2]}, "no order of the group is asked for"
        assert "Group 2000 is set aside: 3 orders not processed." in second.out
        assert resumed.code == 1
        assert Counter(outcome for outcome, _ in results(program).values()) == {"FORBIDDEN": 4, "NO_ATTACHMENTS": 3}
