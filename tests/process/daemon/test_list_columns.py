"""Lists of a daemon: groups that are set aside and resumed, folders by columns, orders that are looked at again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from poolwright.archive.output_tree import PRIVATE_NAME
from poolwright.supervisor.policy import verification
from tests.process.daemon.test_client import found_daemon
from tests.process.daemon.tmp_daemons import number, running_daemon

pytestmark = pytest.mark.timeout(120)
REFUSED = "fail:no_permission"
#: Orders 1, 2, 4 and 5 are of one company, 3 is of another.
ROWS = "".join(f"{number(index)},{1000 if index == 3 else 2000},Ann\n" for index in range(1, 6))
LIST = f"PO,Company Code,Buyer\n{ROWS}"


def folders_below(out: Path) -> set[str]:
    return {path.parent.relative_to(out).as_posix() for path in out.glob("*/*/*/*/a.txt")}


async def test_a_group_without_access_is_set_aside_told_and_resumed_by_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "VERIFICATION_WAIT_S", 0.05)
    file = tmp_path / "orders.csv"
    file.write_text(LIST)
    tasks = (REFUSED, REFUSED, "finish")
    options: dict[str, Any] = {"group_by": "company code", "group_limit": 2}
    async with found_daemon(tmp_path, monkeypatch, tasks, **options) as (running, ask):
        sent = await ask("submit", str(file), "--wait")
        told = await ask("status")
        [group] = json.loads((await ask("status", "--json")).output)["groups"]
        unknown = await ask("resume-group", "1000")
        later = await ask("submit", "-", text=f"PO,Company Code\n{number(6)},2000\n")
        resumed = await ask("resume-group", "2000")
        await running.done(6)
        after = await ask("status")
        again = await ask("resume-group", "2000")

    assert sent.exit_code == 1
    assert (group["name"], group["order_count"]) == ("2000", 2)
    assert "2 orders of it in a row were refused for lack of access" in group["cause"]
    assert "The group 2000 was set aside: 2 orders of it" in told.output
    assert (
        "2 orders of it are not processed. When the access is there:\n  poolwright resume-group 2000\n" in told.output
    )
    assert (unknown.exit_code, "Set aside: 2000." in unknown.output) == (6, True)
    assert "its orders are not processed until you give the command `poolwright resume-group 2000`" in later.output
    assert resumed.exit_code == 0, resumed.output
    assert "The group 2000 is resumed: " in resumed.output
    assert "group 2000" not in after.output
    assert "No group is set aside." in again.output


async def test_a_group_stays_set_aside_when_the_daemon_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "VERIFICATION_WAIT_S", 0.05)
    files = {"file": ("orders.csv", LIST.encode())}
    options: dict[str, Any] = {"group_by": "Company Code", "group_limit": 2}
    script = {"*": {"tasks": [REFUSED, REFUSED, "finish"]}}
    async with running_daemon(tmp_path, monkeypatch, script, **options) as running:
        await running.client.post("/api/v1/lists/upload", files=files)
        await running.done(3)

    async with running_daemon(tmp_path, monkeypatch, **options) as running:
        [group] = (await running.get("/api/v1/status"))["groups"]
        more = {"file": ("more.csv", f"PO,Company Code\n{number(7)},2000\n{number(8)},3000\n".encode())}
        accepted = (await running.client.post("/api/v1/lists/upload", files=more)).json()
        await running.done(4)
        count = (await running.post("/api/v1/groups/resume", {"group": "2000"}, 202))["count"]
        await running.done(7)
        view = await running.get(f"/api/v1/lists/{accepted['list_id']}")

    assert group["name"] == "2000"
    assert "The group 2000 is set aside" in accepted["notices"][-1]
    assert count in {2, 3}, "the order of the second list may not have been set aside yet"
    assert view["outcomes"] == {"COMPLETED": 2}


async def test_columns_of_the_list_name_folders_also_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {"template": "{Buyer}/{Company Code}/{supplier}/{number}"}
    files = {"file": ("orders.csv", LIST.encode())}
    async with running_daemon(tmp_path, monkeypatch, **options) as running:
        running.daemon.pause()
        await running.client.post("/api/v1/lists/upload", files=files)
        typed = await running.client.post("/api/v1/lists", json={"numbers": [number(9)]})

    async with running_daemon(tmp_path, monkeypatch, **options) as running:
        await running.done(5)

    assert typed.status_code == 422
    assert "the list has no such column for {Buyer}, {Company Code}" in typed.json()["detail"]
    found = folders_below(tmp_path / "out")
    companies = {index: 1000 if index == 3 else 2000 for index in range(1, 6)}
    assert found == {f"Ann/{company}/Acme/{number(index)}" for index, company in companies.items()}


async def test_finished_orders_are_looked_at_again_and_the_list_and_the_report_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with found_daemon(tmp_path, monkeypatch) as (running, ask):
        await ask("submit", number(1), number(2), "--wait")
        refused = await ask("submit", number(1), "--refresh", "--redo", "all")
        grouped = await ask("submit", number(1), "--group-by", "Plant")
        again = await ask("submit", number(1), number(2), "--refresh", "--wait")
        told = await ask("status")
        [listed] = await running.get("/api/v1/lists")
        report = await running.get(f"/api/v1/lists/{listed['list_id']}/report", params={"format": "json"})

    assert (refused.exit_code, "choose one" in refused.output) == (2, True)
    assert (grouped.exit_code, "Order numbers have no columns" in grouped.output) == (2, True)
    assert again.exit_code == 0, again.output
    assert "incomplete ones are downloaded again, the others are looked at again." in again.output
    assert "Looked at again: 2 orders; 2 the same." in again.output
    assert "2 completed; 2 looked at again" in told.output
    assert listed["refresh"]["same_count"] == 2
    assert json.dumps(report).count('"is_done": true, "new": [], "changed": [], "withdrawn": [], "same_count": 1') == 2
    assert not (tmp_path / "out" / PRIVATE_NAME / "checks.json").read_text().strip("{}")
