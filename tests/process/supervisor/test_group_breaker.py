"""A group whose orders are refused in a row is set aside while the others go on: the pool on scripted workers."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.domain.events import Level, Notice
from poolwright.domain.outcomes import Reason
from poolwright.supervisor.policy import verification
from tests.support.scripted_pool import ScriptedPool, running_pool
from tests.support.tasks import BATCH

pytestmark = pytest.mark.timeout(60)

REFUSED = "fail:no_permission"
GROUPS = {1: "A", 2: "A", 3: "A", 4: "B", 5: "A", 6: "B", 7: "A", 8: "A"}
NOTICE = (
    "The group A was set aside: 2 orders of it in a row were refused for lack of access, the last one PO2. When the "
    "access is there, resume it: `poolwright resume-group A` with a daemon, otherwise `poolwright run LIST "
    "--resume-group A`."
)
ASIDE = ("3", "5", "7", "8")


async def reasons(scripted: ScriptedPool) -> dict[str, Reason | None]:
    records = await scripted.journal.records(BATCH)
    return {record.task.portal_number: record.report.reason if record.report else None for record in records}


@pytest.mark.parametrize("check_after_s", [0.05, 30.0], ids=["by a check", "by an order of another group"])
async def test_a_group_is_set_aside_without_an_attempt_and_the_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check_after_s: float
) -> None:
    monkeypatch.setattr(verification, "VERIFICATION_WAIT_S", check_after_s)
    script = {"*": {"tasks": [REFUSED, REFUSED, "finish"]}}

    async with running_pool(tmp_path, monkeypatch, script, *GROUPS, groups=GROUPS, group_limit=2) as scripted:
        await scripted.pool.finish()

    assert await reasons(scripted) == {
        **dict.fromkeys(("1", "2"), Reason.NO_PERMISSION),
        **dict.fromkeys(ASIDE, Reason.GROUP_SET_ASIDE),
        **dict.fromkeys(("4", "6"), Reason.ALL_SAVED),
    }
    assert {number: count for number, count in (await scripted.attempt_counts()).items() if not count} == dict.fromkeys(
        ASIDE, 0
    )
    notices = [event.text for event in scripted.events if isinstance(event, Notice) and event.level is Level.WARNING]
    assert [text for text in notices if "set aside" in text] == [NOTICE]
    assert sorted(event.task.portal_number for event in scripted.ended() if event.worker is None) == list(ASIDE)


async def test_a_log_out_sets_nothing_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = {"*": {"tasks": [REFUSED, REFUSED, "finish"], "probe": "logged_out"}}
    monkeypatch.setattr(verification, "VERIFICATION_WAIT_S", 30.0)
    groups = dict.fromkeys((1, 2, 3), "A")

    async with running_pool(tmp_path, monkeypatch, script, *groups, groups=groups, group_limit=2) as scripted:
        await scripted.pool.finish()

    assert set((await reasons(scripted)).values()) == {Reason.ALL_SAVED}


async def test_a_pool_without_a_limit_asks_for_every_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "VERIFICATION_WAIT_S", 0.05)
    groups = dict.fromkeys(range(1, 6), "A")

    async with running_pool(tmp_path, monkeypatch, {"*": {"tasks": [REFUSED]}}, *groups, groups=groups) as scripted:
        await scripted.pool.finish()

    assert set((await reasons(scripted)).values()) == {Reason.NO_PERMISSION}


async def test_a_group_is_resumed_while_the_pool_runs_and_then_its_orders_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verification, "VERIFICATION_WAIT_S", 0.05)
    script = {"*": {"tasks": [REFUSED, REFUSED, "finish"]}}
    around = {"prefix": "demo:"}

    async with running_pool(
        tmp_path, monkeypatch, script, *GROUPS, groups=GROUPS, group_limit=2, around=around
    ) as scripted:
        await scripted.pool.finish()
        assert scripted.pool.get_status().groups_set_aside == ("A",)

        scripted.pool.resume_group("A")
        await scripted.until(lambda: len(scripted.ended()) == len(GROUPS) + len(ASIDE))

        assert scripted.pool.get_status().groups_set_aside == ()

    assert await reasons(scripted) == {
        **dict.fromkeys(("1", "2"), Reason.NO_PERMISSION),
        **dict.fromkeys(("3", "4", "5", "6", "7", "8"), Reason.ALL_SAVED),
    }
    notices = [event.text for event in scripted.events if isinstance(event, Notice)]
    assert "The group A was resumed: 4 orders wait again." in notices


async def test_a_group_that_is_set_aside_from_the_start_stays_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    around = {"prefix": "demo:", "groups_set_aside": {"A": "Why."}}
    groups = {1: "A", 2: "B", 3: "A"}

    async with running_pool(
        tmp_path, monkeypatch, {"*": {"tasks": ["finish"]}}, *groups, groups=groups, around=around
    ) as scripted:
        await scripted.pool.finish()

    assert await reasons(scripted) == {
        "1": Reason.GROUP_SET_ASIDE,
        "2": Reason.ALL_SAVED,
        "3": Reason.GROUP_SET_ASIDE,
    }
