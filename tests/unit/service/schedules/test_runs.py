"""Lists that come from files, and the deadline."""

from __future__ import annotations

from poolwright.domain.ids import BatchId
from poolwright.service.batch import ListOptions
from poolwright.service.schedules.runs import run_schedule
from poolwright.service.schedules.schedule_definition import GlobSource
from poolwright.service.schedules.schedule_state import RunStatus
from tests.support.schedule_scenario import MONDAY, Scenario, names, run


async def test_a_file_is_submitted_with_the_column_of_its_entry(scenario: Scenario) -> None:
    schedule = scenario.schedule(column="Wanted")
    (scenario.root / "nightly.csv").write_text("PO,Wanted\nPO100001,PO100009\n")

    assert (await run(scenario, schedule)).how is RunStatus.DONE
    assert [task.portal_number for task in scenario.queue.lists[0].tasks] == ["100009"]
    assert scenario.queue.options == [ListOptions()]


async def test_a_list_is_submitted_with_what_its_entry_wants_for_it(scenario: Scenario) -> None:
    options = ListOptions(is_refresh=True, group_by="Plant")

    await run(scenario, scenario.schedule(options=options))

    assert scenario.queue.options == [options]


async def test_every_file_that_a_pattern_fits_is_a_list_of_its_own(scenario: Scenario) -> None:
    for name in ("b.csv", "a.csv"):
        (scenario.root / name).write_text(f"PO\nPO10000{ord(name[0]) % 10}\n")
    (scenario.root / "c.csv").write_text("PO\nnothing\n")
    (scenario.root / "d.csv").mkdir()

    ended = await run(scenario, scenario.schedule("x", source=GlobSource(pattern=str(scenario.root / "[a-d].csv"))))

    assert names(scenario.queue.lists) == ["a.csv", "b.csv"]
    assert ended.how is RunStatus.FAILED, "one of them was refused"
    assert "c.csv has no valid order number" in ended.detail


async def test_a_pattern_that_fits_nothing_is_told(scenario: Scenario) -> None:
    ended = await run(scenario, scenario.schedule(source=GlobSource(pattern=str(scenario.root / "*.xlsx"))))

    assert ended.how is RunStatus.FAILED
    assert "No file matches the pattern" in ended.detail


async def test_at_the_deadline_what_no_worker_has_begun_is_cancelled(scenario: Scenario) -> None:
    scenario.queue.is_quick = False

    ended = await run(scenario, scenario.schedule(deadline_s=0.3))

    assert ended.how is RunStatus.DEADLINE
    assert "2 orders that had not started were cancelled" in ended.detail
    assert scenario.queue.cancelled == [scenario.queue.lists[0].batch_id]


async def unheard(_: tuple[BatchId, ...]) -> None:
    """Takes what a run notes."""


async def test_a_deadline_right_after_a_list_was_taken_does_not_call_it_untaken(scenario: Scenario) -> None:
    scenario.queue.is_quick, scenario.queue.delay_s = False, 60.0

    ended = await run_schedule(scenario.schedule(deadline_s=0.3), MONDAY, scenario.means(), unheard)

    assert ended.how is RunStatus.DEADLINE
    assert "2 orders that had not started were cancelled" in ended.detail
    assert scenario.queue.cancelled == [scenario.queue.lists[0].batch_id]
