"""The distribution that is installed: it owns one import name, has every file of the package, and works elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGE = ROOT / "app" / "poolwright"
#: What a program says of itself that runs from another place than this checkout.
WHERE = "import json, poolwright, poolwright.cli.main; print(json.dumps(poolwright.__file__))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w"]
    subprocess.run([*pip, folder, ROOT], check=True)
    (made,) = folder.iterdir()
    return made


def test_it_owns_the_name_poolwright_and_no_other(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = {name.partition("/")[0] for name in packed.namelist()}

    assert {name for name in names if not name.endswith(".dist-info")} == {"poolwright"}


def test_every_file_of_the_package_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())

    here = {path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    assert {name for name in here - names if "__pycache__" not in name} == set()


def test_it_works_where_there_is_no_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}  # noqa: TID251 - Python's own word

    def output(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True, text=True).stdout

    assert Path(json.loads(output("-c", WHERE))).is_relative_to(tmp_path)
    assert "coupa" in output("-m", "poolwright", "portal", "list")  # read from the packs that came along
