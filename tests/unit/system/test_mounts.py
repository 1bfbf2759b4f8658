"""Which mount a folder lies on."""

from __future__ import annotations

from pathlib import Path

import pytest

from poolwright.system.cgroups import mount_of
from tests.unit.system.machines import Machine


@pytest.mark.parametrize(
    ("path", "kind"), [("/srv/x", "ext4"), ("/tmp", "tmpfs"), ("/tmp/pw/r-1", "tmpfs"), ("/tmpx", "ext4")]
)
def test_the_nearest_mount_above_a_folder_is_its_own(path: str, kind: str, tmp_path: Path) -> None:
    machine = Machine(root=tmp_path)
    machine.mount("ext4", "")
    machine.mount("tmpfs", "tmp")

    found = mount_of(Path(path), machine.boot())

    assert found is not None
    assert found.kind == kind


def test_a_later_mount_hides_an_earlier_one(tmp_path: Path) -> None:
    machine = Machine(root=tmp_path)
    machine.mount("ext4", "tmp")
    machine.mount("tmpfs", "tmp")

    found = mount_of(Path("/tmp/x"), machine.boot())

    assert found is not None
    assert found.kind == "tmpfs"


def test_a_system_without_such_a_file_tells_nothing(tmp_path: Path) -> None:
    assert mount_of(Path("/tmp"), tmp_path) is None
