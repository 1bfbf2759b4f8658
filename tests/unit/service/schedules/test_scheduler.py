"""The timetable under a clock that is told to go on, and once with the real timer."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from poolwright.concurrency import SystemClock
from poolwright.domain.errors import PoolError
from poolwright.service.schedules.cron import OverlapDecision
from poolwright.service.schedules.scheduler import PAUSE_MAX_S, Scheduler, UnknownScheduleError
from poolwright.settings import MissedRunPolicy, OverlapPolicy
from tests.support.schedule_scenario import MONDAY, Scenario, SetClock, hows, is_idle, names, until


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def scenario(tmp_path: Path, clock: SetClock) -> Scenario:
    return Scenario(root=tmp_path, clock=clock)


async def test_three_days_pass_and_it_fires_every_morning(scenario: Scenario, clock: SetClock) -> None:
    fired: list[datetime] = []
    async with scenario.timetable(scenario.schedule()) as timetable:
        while clock.now() < MONDAY + timedelta(days=3):
            clock.go(seconds=max(await timetable.run_due(), 0.001))
            if len(scenario.queue.lists) > len(fired):
                fired.append(clock.now())
            await until(lambda: is_idle(timetable))

    assert [f"{at:%d %H}" for at in fired] == ["30 05", "01 05", "02 05"]
    assert names(scenario.queue.lists) == ["nightly.csv"] * 3
    assert scenario.texts.count("The schedule nightly starts.") == 3


async def test_the_timer_waits_for_the_next_fire_and_no_longer_than_a_clock_may_be_trusted(
    scenario: Scenario, clock: SetClock
) -> None:
    async with scenario.timetable(
        scenario.schedule(cron="* * * * *"), scenario.schedule("hourly", "0 * * * *")
    ) as timetable:
        clock.go(seconds=40)
        assert await timetable.run_due() == 20
    async with scenario.timetable(scenario.schedule()) as timetable:
        assert await timetable.run_due() == PAUSE_MAX_S


async def test_a_real_timer_fires(tmp_path: Path) -> None:
    """The clock is set so that the next minute begins in less than a second; the rest is real."""

    class Ahead(SystemClock):
        offset = timedelta(seconds=59.5 - SystemClock().now().timestamp() % 60)

        def now(self) -> datetime:
            return super().now() + self.offset

    scenario = Scenario(root=tmp_path, clock=Ahead())
    async with scenario.timetable(scenario.schedule(cron="* * * * *")) as timetable, anyio.create_task_group() as group:
        group.start_soon(timetable.run)
        await until(lambda: hows(timetable, "nightly") == ["done"])
        group.cancel_scope.cancel()

    assert names(scenario.queue.lists) == ["nightly.csv"]


async def test_new_entries_wake_the_timer(tmp_path: Path) -> None:
    scenario = Scenario(root=tmp_path, clock=(clock := SetClock()))
    async with scenario.timetable() as timetable, anyio.create_task_group() as group:
        group.start_soon(timetable.run)
        await anyio.wait_all_tasks_blocked()
        await timetable.replace([scenario.schedule()])
        clock.go(hours=5)
        await timetable.replace([scenario.schedule()])
        await until(lambda: hows(timetable, "nightly") == ["done"])
        group.cancel_scope.cancel()


async def test_what_was_missed_is_known_after_a_restart_and_left_out(scenario: Scenario, clock: SetClock) -> None:
    async with scenario.timetable(scenario.schedule()):
        pass
    clock.go(days=3)
    async with scenario.timetable(scenario.schedule()) as timetable:
        await timetable.run_due()
        assert hows(timetable, "nightly") == ["missed"]

    assert scenario.queue.lists == []
    assert any("missed 3 times" in text and "missed = skip" in text for text in scenario.texts)


async def test_what_was_missed_is_made_up_for_by_one_run(scenario: Scenario, clock: SetClock) -> None:
    async with scenario.timetable(scenario.schedule(missed=MissedRunPolicy.RUN)):
        pass
    clock.go(days=3)
    async with scenario.timetable(scenario.schedule(missed=MissedRunPolicy.RUN)) as timetable:
        await timetable.run_due()
        await until(lambda: hows(timetable, "nightly") == ["done", "missed"])

    assert len(scenario.queue.lists) == 1


async def test_what_fired_does_not_fire_again_after_a_restart(scenario: Scenario, clock: SetClock) -> None:
    clock.go(hours=5)
    for _ in range(2):
        async with scenario.timetable(scenario.schedule(missed=MissedRunPolicy.RUN)) as timetable:
            await timetable.run_due()
            await until(lambda: is_idle(timetable))
    clock.go(days=1)
    for _ in range(2):
        async with scenario.timetable(scenario.schedule(missed=MissedRunPolicy.RUN)) as timetable:
            await timetable.run_due()
            await until(lambda: is_idle(timetable))

    assert len(scenario.queue.lists) == 1, "the first morning was before the entry was known"


async def test_a_clock_that_was_years_ahead_does_not_keep_an_entry_silent(scenario: Scenario, clock: SetClock) -> None:
    clock.go(days=3650)
    async with scenario.timetable(scenario.schedule()):
        pass
    clock.go(days=-3650)
    async with scenario.timetable(scenario.schedule()) as timetable:
        clock.go(hours=5)
        await timetable.run_due()
        await until(lambda: hows(timetable, "nightly") == ["done"])


async def test_a_clock_that_is_set_back_does_not_keep_an_entry_silent(scenario: Scenario, clock: SetClock) -> None:
    async with scenario.timetable(scenario.schedule(cron="*/10 * * * *")) as timetable:
        for moved in ({"minutes": 10}, {"hours": -5}, {"minutes": 10}, {"minutes": 10}):
            clock.go(**moved)
            await timetable.run_due()
            await until(lambda: is_idle(timetable))

        assert hows(timetable, "nightly") == ["done"] * 3


async def test_another_rhythm_has_missed_nothing(scenario: Scenario, clock: SetClock) -> None:
    async with scenario.timetable(scenario.schedule()):
        pass
    clock.go(days=3)
    async with scenario.timetable(scenario.schedule(cron="0 7 * * *")) as timetable:
        await timetable.run_due()
        assert hows(timetable, "nightly") == []


@pytest.mark.parametrize(("overlap", "run_count"), [(OverlapPolicy.SKIP, 1), (OverlapPolicy.QUEUE, 2)])
async def test_a_fire_during_an_earlier_run(
    overlap: OverlapPolicy, run_count: int, scenario: Scenario, clock: SetClock
) -> None:
    scenario.queue.is_quick = False
    schedule = scenario.schedule(cron="0 * * * *", overlap=overlap)
    async with scenario.timetable(schedule) as timetable:
        for _ in range(3):
            clock.go(hours=1)
            await timetable.run_due()
            await until(lambda: scenario.queue.lists)
        assert timetable.overview()[0].is_waiting is (overlap is OverlapPolicy.QUEUE)
        scenario.queue.is_quick = True
        scenario.queue.close()
        await until(lambda: is_idle(timetable) and len(scenario.queue.lists) == run_count)
        assert not timetable.overview()[0].is_waiting
        skipped = hows(timetable, "nightly").count("skipped")

    assert skipped == 3 - run_count
    assert any("is due but still running" in text for text in scenario.texts)


async def test_a_run_by_hand_is_told_what_became_of_it(scenario: Scenario) -> None:
    scenario.queue.is_quick = False
    async with scenario.timetable(scenario.schedule(overlap=OverlapPolicy.QUEUE)) as timetable:
        answers = [await timetable.run_now("nightly") for _ in range(3)]
        with pytest.raises(UnknownScheduleError, match=r"no schedule 'weekly'\. Configured schedules: nightly"):
            await timetable.run_now("weekly")
        await until(lambda: scenario.queue.lists)

    assert [answer.decision for answer in answers] == [
        OverlapDecision.START,
        OverlapDecision.QUEUE,
        OverlapDecision.SKIP,
    ]


async def test_after_a_restart_the_watch_over_submitted_orders_goes_on(scenario: Scenario, clock: SetClock) -> None:
    scenario.queue.is_quick = False
    async with scenario.timetable(scenario.schedule(deadline_s=600.0)) as timetable:
        await timetable.run_now("nightly")
        await until(lambda: 'batch_ids": [' in scenario.ledger_path.read_text() and scenario.queue.lists)
        await until(lambda: str(scenario.queue.lists[0].batch_id) in scenario.ledger_path.read_text())
    async with scenario.timetable(scenario.schedule(deadline_s=600.0)) as timetable:
        assert (await timetable.run_now("nightly")).decision is OverlapDecision.SKIP, "its orders are still open"
    clock.go(minutes=11)
    async with scenario.timetable(scenario.schedule(deadline_s=600.0)) as timetable:
        await until(lambda: hows(timetable, "nightly")[:1] == ["deadline"])

    assert len(scenario.queue.lists) == 1
    assert scenario.queue.cancelled == [scenario.queue.lists[0].batch_id]


@pytest.mark.parametrize(
    ("missed", "expected"), [(MissedRunPolicy.SKIP, ["cut_off"]), (MissedRunPolicy.RUN, ["done", "cut_off"])]
)
async def test_a_run_that_was_cut_off_before_its_list_was_taken(
    missed: MissedRunPolicy, expected: list[str], scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = scenario.schedule(missed=missed)
    with monkeypatch.context() as patch:
        patch.setattr("poolwright.service.schedules.scheduler.run_schedule", lambda *_: anyio.sleep_forever())
        async with scenario.timetable(schedule) as timetable:
            await timetable.run_now("nightly")
    async with scenario.timetable(schedule) as timetable:
        await until(lambda: is_idle(timetable) and hows(timetable, "nightly") == expected)


async def test_entries_are_replaced_while_a_run_goes_on(scenario: Scenario) -> None:
    scenario.queue.is_quick = False
    async with scenario.timetable(scenario.schedule(), scenario.schedule("weekly")) as timetable:
        await timetable.run_now("nightly")
        await until(lambda: scenario.queue.lists)
        await timetable.replace([scenario.schedule("monthly")])
        assert [sight.name for sight in timetable.overview()] == ["monthly"]
        await timetable.replace([scenario.schedule("monthly"), scenario.schedule()])
        assert (await timetable.run_now("nightly")).decision is OverlapDecision.SKIP, (
            "it came back while its run went on"
        )
        await timetable.replace([scenario.schedule("monthly")])
        scenario.queue.close()
        await until(lambda: "nightly" not in scenario.ledger_path.read_text())

    assert "weekly" not in scenario.ledger_path.read_text()
    assert any("All orders are finished." in text for text in scenario.texts)


async def test_a_damaged_memory_is_put_aside_and_told(scenario: Scenario) -> None:
    scenario.ledger_path.parent.mkdir()
    scenario.ledger_path.write_text("{")
    async with scenario.timetable(scenario.schedule()) as timetable:
        assert timetable.overview()[0].history == ()

    assert "cannot be read" in scenario.texts[0]
    assert scenario.ledger_path.with_name("schedules.json.broken").read_text() == "{"
    assert scenario.ledger_path.stat().st_mode & 0o777 == 0o600


NEWER = '{"version": 2, "entries": {"nightly": {"kind": "new"}}}'


async def test_a_memory_of_a_newer_version_is_left_as_it_is_and_told(scenario: Scenario, clock: SetClock) -> None:
    scenario.ledger_path.parent.mkdir()
    scenario.ledger_path.write_text(NEWER)
    async with scenario.timetable(scenario.schedule()) as timetable:
        clock.go(hours=5)
        await timetable.run_due()
        await until(lambda: hows(timetable, "nightly") == ["done"])
        await timetable.replace([])

    assert "was written by a newer version of Poolwright (version 2; this one knows 1)" in scenario.texts[0]
    assert "damaged" not in scenario.texts[0]
    assert scenario.ledger_path.read_text() == NEWER
    assert [path.name for path in scenario.ledger_path.parent.glob("schedules.json*")] == ["schedules.json"]


@pytest.mark.parametrize("content", ['{"version": "2"}', '{"version": 0}', '{"version": 1, "more": 1}', "[]"])
async def test_a_memory_of_no_version_is_damaged(scenario: Scenario, content: str) -> None:
    scenario.ledger_path.parent.mkdir()
    scenario.ledger_path.write_text(content)
    async with scenario.timetable(scenario.schedule()):
        pass

    assert "because it is damaged; it is kept as" in scenario.texts[0]
    assert scenario.ledger_path.with_name("schedules.json.broken").read_text() == content


async def test_a_memory_that_the_disk_does_not_give_is_never_overwritten(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: Path, *_: object) -> bytes:
        raise OSError(5, "Input/output error", str(path))

    scenario.ledger_path.parent.mkdir()
    scenario.ledger_path.write_text("{}")
    with monkeypatch.context() as broken_disk:
        broken_disk.setattr(Path, "read_bytes", fail)
        broken_disk.setattr(Path, "replace", fail)
        async with scenario.timetable(scenario.schedule()):
            pass

    assert "cannot be read (Input/output error), and cannot be put aside" in scenario.texts[0]
    assert scenario.ledger_path.read_text() == "{}"


async def test_a_disk_that_refuses_is_told_once_and_entries_still_fire(
    scenario: Scenario, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes, *, is_sole_writer: bool) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("poolwright.service.schedules.schedule_state.replace_private_file", refuse)
    async with scenario.timetable(scenario.schedule()) as timetable:
        clock.go(hours=5)
        await timetable.run_due()
        await until(lambda: hows(timetable, "nightly") == ["done"])

    assert sum("No space left" in text for text in scenario.texts) == 1


async def test_a_queue_that_refuses_is_told(scenario: Scenario) -> None:
    scenario.queue.error = PoolError("The daemon is draining; try again later.")
    async with scenario.timetable(scenario.schedule()) as timetable:
        await timetable.run_now("nightly")
        await until(lambda: hows(timetable, "nightly") == ["failed"])

    assert "The schedule nightly: The daemon is draining; try again later." in scenario.texts


async def test_a_timetable_that_cannot_take_up_what_was_going_on_leaves_nothing_running(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = scenario.schedule()
    with monkeypatch.context() as patch:
        patch.setattr("poolwright.service.schedules.scheduler.run_schedule", lambda *_: anyio.sleep_forever())
        async with scenario.timetable(schedule) as timetable:
            await timetable.run_now("nightly")

    async def refuse(*_: object) -> None:
        await anyio.lowlevel.checkpoint()
        raise PoolError("no such thing")

    monkeypatch.setattr(Scheduler, "_finish_run", refuse)

    with anyio.fail_after(20), pytest.RaisesGroup(pytest.RaisesExc(PoolError, match="no such thing")):
        async with scenario.timetable(schedule):
            pytest.fail("it has come up")
