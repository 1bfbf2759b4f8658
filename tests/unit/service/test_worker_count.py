"""The start gate and ``workers = auto``: what is refused, what is told, and how many workers are taken."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from poolwright.domain.errors import SetupError
from poolwright.domain.events import Level
from poolwright.profile.clone import RESERVE_BYTES
from poolwright.service.capacity import DISK_BYTES_PER_WORKER, check_worker_count
from poolwright.system.hardware import Hardware, cpu_count, inspect_hardware
from tests.support.machine import GB, ROOMY, with_memory
from tests.unit.system.machines import Machine as MadeUp

SMALL_SOURCE = "the limit of this container or service, cgroup v2 /small"


class TestGate:
    def test_what_fits_is_taken_without_a_word(self) -> None:
        chosen = check_worker_count(8, 2, ROOMY)

        assert (chosen.worker_count, chosen.notices) == (8, ())

    def test_more_than_the_memory_holds_is_refused_with_every_number(self) -> None:
        with pytest.raises(SetupError) as caught:
            check_worker_count(8, 2, with_memory(2 * GB, source=SMALL_SOURCE))

        assert str(caught.value) == (
            "8 workers with 2 tabs each need about 5.5 GB of memory, but there are 2.0 GB "
            f"({SMALL_SOURCE}): --workers 2 would fit, or --workers auto."
        )

    def test_the_number_that_is_advised_passes_in_silence(self) -> None:
        for total_bytes in range(1 * GB, 7 * GB, 300_000_000):
            machine = with_memory(total_bytes, available_bytes=total_bytes - 400_000_000)
            with pytest.raises(SetupError) as caught:
                check_worker_count(8, 4, machine)
            advice = str(caught.value).partition("--workers ")[2]
            if "would fit" in advice:
                assert check_worker_count(int(advice.split()[0]), 4, machine).notices == ()
            else:
                assert check_worker_count("auto", 4, machine).notices[-1].level is Level.WARNING

    def test_where_not_even_one_is_sure_to_fit_fewer_tabs_are_advised(self) -> None:
        with pytest.raises(SetupError, match=r"even one worker may not fit; lower --tabs, or try --workers 1\.$"):
            check_worker_count(2, 2, with_memory(800_000_000))

    def test_one_worker_is_always_tried(self) -> None:
        chosen = check_worker_count(1, 2, with_memory(500_000_000))

        (notice,) = chosen.notices
        assert (chosen.worker_count, notice.level) == (1, Level.WARNING)
        assert notice.text == (
            "1 worker with 2 tabs needs about 0.7 GB of memory, and 0.5 GB of 0.5 GB are free now (physical memory): "
            "lower --tabs, or close other programs."
        )

    def test_what_takes_most_of_the_memory_is_told_and_run(self) -> None:
        chosen = check_worker_count(2, 2, with_memory(int(1.5 * GB)))

        (notice,) = chosen.notices
        assert (chosen.worker_count, notice.level) == (2, Level.WARNING)
        assert "the limit of 75% is 1.1 GB (physical memory): --workers 1 would fit" in notice.text

    def test_what_others_have_taken_is_told_and_run(self) -> None:
        chosen = check_worker_count(2, 2, with_memory(16 * GB, available_bytes=1 * GB))

        (notice,) = chosen.notices
        assert (chosen.worker_count, notice.level) == (2, Level.WARNING)
        assert "1.0 GB of 16.0 GB are free now" in notice.text

    @pytest.mark.parametrize("is_in_memory", [False, True])
    def test_clones_without_room_are_refused(self, is_in_memory: bool) -> None:
        room_bytes = RESERVE_BYTES + 3 * DISK_BYTES_PER_WORKER
        machine = replace(ROOMY, room_bytes=room_bytes, is_room_in_memory=is_in_memory)

        assert check_worker_count(3, 2, machine).worker_count == 3
        with pytest.raises(SetupError) as caught:
            check_worker_count(4, 2, machine)

        kind = ", which lies in memory" if is_in_memory else ""
        assert str(caught.value) == (
            "4 workers need about 0.4 GB of disk space for clones and temporary files, and 0.4 GB are free in /tmp/pw"
            f"{kind}: --workers 3 would fit, or --workers auto, or choose another folder with --runs-dir."
        )

    def test_without_any_room_nothing_is_tried(self) -> None:
        with pytest.raises(SetupError, match="free some space, or choose another folder with --runs-dir"):
            check_worker_count("auto", 2, replace(ROOMY, room_bytes=RESERVE_BYTES))


class TestAuto:
    @pytest.mark.parametrize(
        ("machine", "count", "why"),
        [
            (replace(ROOMY, processor_count=3), 3, "3 workers: one for each processor."),
            (replace(ROOMY, processor_count=1), 1, "1 worker: this machine has one processor."),
            (ROOMY, 8, "8 workers: the maximum of a pool."),
            (with_memory(4 * GB), 4, "4 workers: more may not fit in memory (4.0 GB of 4.0 GB are free"),
            (with_memory(32 * GB, available_bytes=2 * GB), 2, "(2.0 GB of 32.0 GB are free, physical memory)."),
            (
                replace(ROOMY, room_bytes=RESERVE_BYTES + 2 * DISK_BYTES_PER_WORKER),
                2,
                "no disk space for more clones in /tmp/pw.",
            ),
        ],
        ids=["processors", "one processor", "all", "memory", "memory of others", "room"],
    )
    def test_it_takes_what_the_scarcest_thing_allows_and_says_so(self, machine: Hardware, count: int, why: str) -> None:
        chosen = check_worker_count("auto", 2, machine)

        (notice,) = chosen.notices
        assert (chosen.worker_count, notice.level) == (count, Level.INFO)
        assert notice.text.startswith("workers = auto uses ")
        assert why in notice.text

    def test_where_none_is_sure_to_fit_it_takes_one_and_warns(self) -> None:
        chosen = check_worker_count("auto", 2, with_memory(500_000_000))

        assert chosen.worker_count == 1
        assert [notice.level for notice in chosen.notices] == [Level.INFO, Level.WARNING]

    def test_more_tabs_mean_fewer_workers(self) -> None:
        counts = [check_worker_count("auto", tabs, with_memory(4 * GB)).worker_count for tabs in (1, 4, 16)]

        assert counts == [5, 3, 1]


class TestProcessors:
    @pytest.fixture(autouse=True)
    def _four(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)

    def test_those_that_this_process_may_run_on(self, tmp_path: Path) -> None:
        assert cpu_count(tmp_path) == 4

    @pytest.mark.parametrize(
        ("granted", "count"),
        [("max 100000", 4), ("200000 100000", 2), ("150000 100000", 2), ("50000 100000", 1), ("900000 100000", 4)],
    )
    def test_a_group_of_version_2_may_give_less(self, granted: str, count: int, tmp_path: Path) -> None:
        machine = MadeUp(root=tmp_path)
        machine.v2("/a/b")
        machine.write("sys/fs/cgroup/a/cpu.max", f"{granted}\n")

        machine.write("sys/fs/cgroup/a/b/cpu.max", "max 100000\n")

        assert cpu_count(machine.boot()) == count

    @pytest.mark.parametrize(("quota", "count"), [(-1, 4), (200000, 2), (150000, 2), (20000, 1)])
    def test_a_group_of_version_1_may_give_less(self, quota: int, count: int, tmp_path: Path) -> None:
        machine = MadeUp(root=tmp_path)
        machine.mount("cgroup", "sys/fs/cgroup/cpu", options="rw,cpu,cpuacct")
        machine.own.append("2:cpu,cpuacct:/a")
        machine.write("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", f"{quota}\n")
        machine.write("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n")

        assert cpu_count(machine.boot()) == count


class TestMachine:
    def test_everything_is_looked_at_where_it_is(self, tmp_path: Path) -> None:
        made_up = MadeUp(root=tmp_path / "root")
        made_up.v2("/a")
        made_up.group_v2("a", 1 * GB)
        made_up.mount("tmpfs", str(tmp_path.resolve())[1:])

        machine = inspect_hardware(tmp_path / "runs", 0.75, made_up.boot())

        assert machine.memory.total_bytes == 1 * GB
        assert machine.is_room_in_memory
        assert machine.room_bytes > 0
        assert not (tmp_path / "runs").exists()

    def test_a_folder_on_a_disk_is_not_in_memory(self, tmp_path: Path) -> None:
        made_up = MadeUp(root=tmp_path / "root")
        made_up.mount("ext4", "")

        assert not inspect_hardware(tmp_path / "runs", 0.75, made_up.boot()).is_room_in_memory
