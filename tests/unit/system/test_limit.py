"""The memory that there is for us, on made-up machines: versions 1 and 2, nested, in containers, and odd ones."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from poolwright.system import memory_limit
from poolwright.system.memory_limit import oom_kill_count, read_limit
from tests.unit.system.machines import GB, MB, UNLIMITED_V1, Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine of 16 GB with 12 GB to be had, and nothing mounted yet."""
    return Machine(root=tmp_path)


def read(machine: Machine) -> tuple[int, int]:
    found = read_limit(machine.boot())
    return found.total_bytes, found.available_bytes


def test_without_groups_the_machine_is_the_limit(machine: Machine) -> None:
    assert read(machine) == (16 * GB, 12 * GB)
    assert read_limit(machine.root).source == "physical memory"


def test_a_kernel_that_does_not_tell_what_is_available_is_estimated(machine: Machine) -> None:
    machine.boot()
    machine.write("proc/meminfo", "MemTotal: 2000000 kB\nMemFree: 100000 kB\nBuffers: 1000 kB\nCached: 200000 kB\n")

    found = read_limit(machine.root)

    assert (found.total_bytes, found.available_bytes) == (2_000_000 * 1024, 301_000 * 1024)


def test_a_system_without_proc_is_asked_another_way(tmp_path: Path) -> None:
    found = read_limit(tmp_path)

    assert found.total_bytes == psutil.virtual_memory().total
    assert 0 < found.available_bytes <= found.total_bytes


class TestVersion1:
    def test_the_limit_of_our_own_group_counts(self, machine: Machine) -> None:
        machine.v1("/batch")
        machine.group_v1("", UNLIMITED_V1)
        machine.group_v1("batch", 2 * GB, usage=500 * MB, idle=200 * MB)

        assert read(machine) == (2 * GB, 1700 * MB)
        assert read_limit(machine.root).source == "the limit of this container or service, cgroup v1 /batch"
        assert read_limit(machine.root).is_of_group

    def test_the_long_name_of_a_container_is_told_short(self, machine: Machine) -> None:
        name = f"pod-{'4f07dab60bca' * 5}fac9"
        machine.v1(f"/{name}")
        machine.group_v1("", UNLIMITED_V1)
        machine.group_v1(name, 2 * GB)

        assert read(machine)[0] == 2 * GB
        assert read_limit(machine.root).source.endswith("cgroup v1 /pod-4f07dab60bca")

    def test_unlimited_is_no_limit(self, machine: Machine) -> None:
        machine.v1("/batch")
        machine.group_v1("", UNLIMITED_V1, usage=14 * GB)
        machine.group_v1("batch", UNLIMITED_V1, usage=14 * GB)

        assert read(machine) == (16 * GB, 12 * GB)

    def test_a_container_that_is_named_by_the_hosts_path_is_found(self, machine: Machine) -> None:
        machine.v1("/libpod_parent/libpod-1", top="/libpod_parent/libpod-1")
        machine.group_v1("", 512 * MB, usage=12 * MB)

        assert read(machine) == (512 * MB, 500 * MB)
        assert "/libpod_parent/libpod-1" in read_limit(machine.root).source

    def test_a_container_with_a_namespace_of_its_own_is_found(self, machine: Machine) -> None:
        machine.v1("/")
        machine.group_v1("", 512 * MB)

        assert read(machine)[0] == 512 * MB

    def test_a_group_inside_a_container_is_found(self, machine: Machine) -> None:
        machine.v1("/docker/1/inner", top="/docker/1")
        machine.group_v1("", 2 * GB)
        machine.group_v1("inner", 1 * GB)

        assert read(machine)[0] == 1 * GB

    def test_a_group_around_one_that_shares_nothing_does_not_count(self, machine: Machine) -> None:
        machine.v1("/outer/middle/inner")
        machine.group_v1("", UNLIMITED_V1, use_hierarchy=0)
        machine.group_v1("outer", 1 * GB)
        machine.group_v1("outer/middle", 2 * GB, use_hierarchy=0)
        machine.group_v1("outer/middle/inner", 4 * GB, use_hierarchy=0)

        assert read(machine)[0] == 4 * GB

    def test_a_limit_that_lies_outside_of_what_we_see_counts_by_its_size(self, machine: Machine) -> None:
        machine.v1("/pod/1", top="/pod/1")
        machine.group_v1("", UNLIMITED_V1, usage=200 * MB, stat=f"hierarchical_memory_limit {1 * GB}\n")

        assert read(machine) == (1 * GB, 800 * MB)

    def test_a_limit_outside_is_not_set_against_the_usage_of_an_inner_group(self, machine: Machine) -> None:
        machine.v1("/outer/inner")
        machine.group_v1("", UNLIMITED_V1)
        machine.group_v1("outer", 1 * GB, usage=900 * MB)
        machine.group_v1("outer/inner", UNLIMITED_V1, usage=1 * MB, stat=f"hierarchical_memory_limit {1 * GB}\n")

        assert read(machine) == (1 * GB, 100 * MB)


class TestVersion2:
    def test_the_limit_of_our_own_group_counts(self, machine: Machine) -> None:
        machine.v2("/system.slice/pool.service")
        machine.group_v2("system.slice", "max", usage=3 * GB)
        machine.group_v2("system.slice/pool.service", 2 * GB, usage=500 * MB, idle=200 * MB)

        assert read(machine) == (2 * GB, 1700 * MB)
        assert read_limit(machine.root).source.endswith("cgroup v2 /system.slice/pool.service")

    def test_max_is_no_limit(self, machine: Machine) -> None:
        machine.v2("/a")
        machine.group_v2("a", "max", usage=15 * GB)

        assert read(machine) == (16 * GB, 12 * GB)

    def test_a_limit_from_which_on_the_kernel_slows_us_down_counts(self, machine: Machine) -> None:
        machine.v2("/a")
        machine.group_v2("a", 4 * GB, usage=1 * GB, high=3 * GB)

        assert read(machine) == (3 * GB, 2 * GB)

    def test_a_container_with_a_namespace_of_its_own_is_found(self, machine: Machine) -> None:
        machine.v2("/")
        machine.group_v2("", 1 * GB, usage=400 * MB)

        assert read(machine) == (1 * GB, 600 * MB)

    @pytest.mark.parametrize(
        ("own", "top"), [("/", "/../.."), ("/../../elsewhere", "/"), ("/docker/1", "/docker/2"), ("/gone", "/")]
    )
    def test_where_path_and_mount_do_not_fit_the_mounts_top_counts(self, own: str, top: str, machine: Machine) -> None:
        machine.v2(own, top=top)
        machine.group_v2("", 1 * GB)

        assert read(machine)[0] == 1 * GB

    def test_the_mount_that_shows_our_group_is_taken(self, machine: Machine) -> None:
        machine.mount("cgroup2", "other", top="/elsewhere")
        machine.v2("/docker/1", top="/docker/1")
        machine.group_v2("", 1 * GB)

        assert read(machine)[0] == 1 * GB

    def test_a_path_with_blanks_and_colons_is_found(self, machine: Machine) -> None:
        machine.v2("/a:b c", point="my groups")
        machine.write("my groups/a:b c/memory.max", f"{1 * GB}\n")

        assert read(machine)[0] == 1 * GB


class TestBoth:
    def test_a_hybrid_system_has_its_limit_where_the_controller_is(self, machine: Machine) -> None:
        machine.v1("/batch")
        machine.v2("/session", point="sys/fs/cgroup/unified")
        machine.group_v1("batch", 1 * GB)
        machine.write("sys/fs/cgroup/unified/session/cgroup.procs", "1\n")

        assert read(machine)[0] == 1 * GB

    def test_other_controllers_of_version_1_do_not_matter(self, machine: Machine) -> None:
        machine.mount("cgroup", "sys/fs/cgroup/cpu", options="rw,cpu,cpuacct")
        machine.own.append("2:cpu,cpuacct:/small")
        machine.v2("/")
        machine.write("sys/fs/cgroup/cpu/small/memory.limit_in_bytes", "1")
        machine.group_v2("", 1 * GB)

        assert read(machine)[0] == 1 * GB


class TestNested:
    def test_the_smallest_limit_is_the_total_and_the_least_room_is_available(self, machine: Machine) -> None:
        machine.v2("/outer/inner")
        machine.group_v2("outer", 8 * GB, usage=7500 * MB)
        machine.group_v2("outer/inner", 2 * GB, usage=100 * MB)

        assert read(machine) == (2 * GB, 500 * MB)
        assert read_limit(machine.root).source.endswith("/outer/inner")

    def test_an_outer_limit_counts_for_an_inner_group_without_one(self, machine: Machine) -> None:
        machine.v2("/outer/inner")
        machine.group_v2("outer", 2 * GB, usage=1500 * MB, idle=500 * MB)
        machine.group_v2("outer/inner", "max", usage=1 * MB)

        assert read(machine) == (2 * GB, 1 * GB)

    def test_the_machines_own_room_counts_too(self, machine: Machine) -> None:
        machine.available_bytes = 300 * MB // 1024 * 1024
        machine.v2("/a")
        machine.group_v2("a", 2 * GB)

        assert read(machine) == (2 * GB, machine.available_bytes)

    def test_a_group_in_overdraft_has_nothing_left(self, machine: Machine) -> None:
        machine.v2("/a")
        machine.group_v2("a", 1 * GB, usage=2 * GB)

        assert read(machine) == (1 * GB, 0)

    @pytest.mark.parametrize("size", [16 * GB, 64 * GB])
    def test_a_limit_that_is_not_below_the_machines_memory_is_none(self, size: int, machine: Machine) -> None:
        machine.v2("/a")
        machine.group_v2("a", size, usage=size - 1)

        assert read(machine) == (16 * GB, 12 * GB)


class TestOddFiles:
    @pytest.mark.parametrize("content", ["", "lots", "-1"])
    def test_a_limit_that_is_no_number_is_none(self, content: str, machine: Machine) -> None:
        machine.v2("/a")
        machine.group_v2("a", content)

        assert read(machine) == (16 * GB, 12 * GB)

    def test_a_group_without_the_controller_is_passed_over(self, machine: Machine) -> None:
        machine.v2("/outer/inner")
        machine.group_v2("outer", 1 * GB)
        machine.write("sys/fs/cgroup/outer/inner/cgroup.procs", "1\n")

        assert read(machine)[0] == 1 * GB

    def test_a_limit_whose_usage_is_not_told_counts_whole(self, machine: Machine) -> None:
        machine.v2("/a")
        machine.write("sys/fs/cgroup/a/memory.max", str(1 * GB))

        assert read(machine) == (1 * GB, 1 * GB)

    def test_files_that_cannot_be_read_are_none(self, machine: Machine) -> None:
        machine.v2("/a")
        (machine.root / "sys/fs/cgroup/a/memory.max").mkdir(parents=True)

        assert read(machine) == (16 * GB, 12 * GB)

    def test_lines_that_nobody_understands_are_passed_over(self, machine: Machine) -> None:
        machine.mounts += ["", "36 25 0:30", "36 25 0:30 / /x rw - "]
        machine.own += ["", "nonsense", "1:memory"]
        machine.v2("/a")
        machine.group_v2("a", 1 * GB)

        assert read(machine)[0] == 1 * GB

    def test_a_limit_that_changes_is_seen(self, machine: Machine) -> None:
        machine.v2("/a")
        machine.group_v2("a", 1 * GB)
        assert read(machine)[0] == 1 * GB

        machine.group_v2("a", 2 * GB)

        assert read_limit(machine.root).total_bytes == 2 * GB


class TestOomKills:
    def test_version_1_counts_in_our_own_group(self, machine: Machine) -> None:
        machine.v1("/a")
        machine.group_v1("", UNLIMITED_V1, oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 9\n")
        machine.group_v1("a", 1 * GB, oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")

        assert oom_kill_count(machine.boot()) == 2

    def test_version_2_counts_in_our_own_group(self, machine: Machine) -> None:
        machine.v2("/a/b")
        machine.group_v2("a", "max", events="low 0\noom 4\noom_kill 3\noom_group_kill 0\n")
        machine.group_v2("a/b", 1 * GB, events="low 0\noom 1\noom_kill 0\noom_group_kill 0\n")

        assert oom_kill_count(machine.boot()) == 0

    def test_a_group_that_does_not_count_leaves_it_to_the_one_around_it(self, machine: Machine) -> None:
        machine.v2("/a/b")
        machine.group_v2("a", "max", events="oom 4\noom_kill 3\n")
        (machine.root / "sys/fs/cgroup/a/b").mkdir()

        assert oom_kill_count(machine.boot()) == 3

    def test_without_groups_the_whole_machine_counts(self, machine: Machine) -> None:
        assert oom_kill_count(machine.boot()) == 5

    def test_an_old_kernel_does_not_count(self, machine: Machine) -> None:
        machine.v1("/a")
        machine.group_v1("a", 1 * GB, oom_control="oom_kill_disable 0\nunder_oom 0\n")
        machine.boot()
        machine.write("proc/vmstat", "pgfault 7\n")

        assert oom_kill_count(machine.root) is None

    def test_a_system_without_proc_does_not_count(self, tmp_path: Path) -> None:
        assert oom_kill_count(tmp_path) is None


def test_this_machine_has_some_memory() -> None:
    found = memory_limit.read_limit()

    assert 0 < found.available_bytes <= found.total_bytes <= psutil.virtual_memory().total
