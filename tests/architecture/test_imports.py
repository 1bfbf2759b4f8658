"""The import contracts hold, and they bite: one wrong import is planted for each, and each must be reported.

A contract that nobody has seen fail is not yet a contract: a typing error in a module's name makes it keep for ever.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.asks_a_program("import-linter is asked as `make check` does")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedImport:
    """One wrong import: put into a package as a module of its own, or at the end of a module."""

    contract: str
    importer: str
    imports: str

    @property
    def name(self) -> str:
        """The planted module's name; speaks of its import so that a report can be read."""
        return f"planted_{self.imports.replace('.', '_')}"

    @property
    def reported_as(self) -> str:
        """How the linter shows this import; of libraries it knows the top name alone."""
        target = self.imports if self.imports.startswith("poolwright.") else self.imports.split(".")[0]
        return f"{self.importer if self.file.is_file() else f'{self.importer}.{self.name}'} -> {target} "

    @property
    def file(self) -> Path:
        """The file of `importer`, which is none where it is a package."""
        return ROOT.joinpath("app", *self.importer.split(".")).with_suffix(".py")


def plants(contract: str, *pairs: tuple[str, str]) -> list[PlantedImport]:
    """The plants of one contract, as importing package and imported module."""
    return [PlantedImport(contract=contract, importer=importer, imports=imports) for importer, imports in pairs]


PLANTS = [
    *plants(
        "One direction",
        ("poolwright.service", "poolwright.cli"),
        ("poolwright.supervisor", "poolwright.service"),
        ("poolwright.supervisor", "poolwright.journal"),
        ("poolwright.supervisor", "poolwright.worker.main"),
        ("poolwright.journal", "poolwright.supervisor"),
        ("poolwright.intake", "poolwright.settings"),
        ("poolwright.worker", "poolwright.supervisor"),
        ("poolwright.profile", "poolwright.journal"),
        ("poolwright.portal", "poolwright.archive"),
        ("poolwright.ipc", "poolwright.portal"),
        ("poolwright.sdk", "poolwright.portal"),
        ("poolwright.system", "poolwright.ipc"),
        ("poolwright.files", "poolwright.system"),
        ("poolwright.domain", "poolwright.files"),
    ),
    *plants(
        "A worker starts by python -m, never by an import",
        ("poolwright.service", "poolwright.worker"),
        ("poolwright.cli", "poolwright.worker"),
    ),
    *plants("A worker holds its own end of the pipe", ("poolwright.worker", "poolwright.ipc.process")),
    *plants(
        "The supervisor holds its own end of the pipe",
        ("poolwright.supervisor", "poolwright.ipc.child"),
        ("poolwright.supervisor", "poolwright.ipc.inherited_pipes"),
        ("poolwright.service", "poolwright.ipc.child"),
    ),
    *plants(
        "A worker checks and names files, it does not file them",
        ("poolwright.worker", "poolwright.archive.output_tree"),
        ("poolwright.worker", "poolwright.files.disk"),
        ("poolwright.worker", "poolwright.profile"),
    ),
    *plants(
        "A worker stays light",
        ("poolwright.worker", "sqlite3"),
        ("poolwright.worker", "openpyxl"),
        ("poolwright.ipc", "rich.console"),
        ("poolwright.ipc", "fastapi"),
    ),
    *plants(
        "Only the faces read settings",
        ("poolwright.journal", "poolwright.settings"),
        ("poolwright.worker", "poolwright.settings"),
    ),
    *plants(
        "The demo portal stands apart",
        ("poolwright.service", "poolwright.demo"),
        ("poolwright.worker", "poolwright.demo"),
    ),
    *plants(
        "The demo portal knows nothing of the program",
        ("poolwright.demo", "poolwright.ipc"),
        ("poolwright.demo", "poolwright.portal"),
    ),
    *plants(
        "The domain is pure",
        ("poolwright.domain", "asyncio"),
        ("poolwright.domain", "pydantic"),
        ("poolwright.domain", "subprocess"),
    ),
    *plants("The protocol does no I/O", ("poolwright.ipc.messages", "anyio"), ("poolwright.ipc.codec", "socket")),
    *plants(
        "Playwright lives in the worker",
        ("poolwright.supervisor", "playwright.async_api"),
        ("poolwright.cli", "playwright"),
        ("poolwright.sdk", "playwright.async_api"),
    ),
    *plants(
        "SQLite lives in the journal, and in the profile's checks",
        ("poolwright.service", "sqlite3"),
        ("poolwright.archive", "sqlite3"),
    ),
    *plants(
        "psutil looks at the machine and at processes in two rooms",
        ("poolwright.cli", "psutil"),
        ("poolwright.supervisor", "psutil"),
    ),
    *plants(
        "The HTTP framework lives in the service and the demo portal",
        ("poolwright.intake", "uvicorn"),
        ("poolwright.cli", "starlette"),
        ("poolwright.supervisor", "fastapi"),
    ),
    *plants("The environment is read in the settings", ("poolwright.service", "pydantic_settings")),
    *plants("The keyring is opened in one place", ("poolwright.worker", "keyring"), ("poolwright.cli", "keyring")),
    *plants(
        "The terminal belongs to the command line",
        ("poolwright.service", "rich.live"),
        ("poolwright.supervisor", "typer"),
    ),
]


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run the linter over a tree as `make check` does."""
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert program is not None
    environment = {**os.environ, "PYTHONPATH": str(tree / "app")}  # noqa: TID251 - its code before what is installed
    return subprocess.run(
        [program, "--no-logo"], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def copy_tree(folder: Path) -> Path:
    """The package and its contracts as they are, for planting into."""
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def sections(report: str) -> dict[str, str]:
    """What the report says of each broken contract, by the contract's name."""
    parts = re.split(r"^(\S.*)\n-{3,}\n", report.partition("Broken contracts")[2], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def put(tree: Path, plant: PlantedImport) -> None:
    """Put a plant into a tree."""
    importer = tree.joinpath("app", *plant.importer.split("."))
    module = importer.with_suffix(".py") if plant.file.is_file() else importer / f"{plant.name}.py"
    with module.open("a", encoding="utf-8") as text:
        text.write(f"import {plant.imports}\n")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the linter says of a tree that holds every plant at once."""
    tree = copy_tree(tmp_path_factory.mktemp("planted"))
    for plant in PLANTS:
        put(tree, plant)
    return sections(lint(tree).stdout)


def test_the_tree_keeps_every_contract() -> None:
    done = lint(ROOT)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.importer}-{plant.imports}")
def test_a_wrong_import_is_reported_by_its_contract(plant: PlantedImport, report: dict[str, str]) -> None:
    assert plant.reported_as in " ".join(report[plant.contract].split())  # long lines are cut


def test_rooms_that_import_each_other_are_reported(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path)
    for plant in plants(
        "No circles", ("poolwright.archive", "poolwright.ipc"), ("poolwright.ipc", "poolwright.archive")
    ):
        put(tree, plant)

    done = lint(tree)

    assert re.search(r"\.(archive -> \.ipc|ipc -> \.archive) ", sections(done.stdout)["No circles"])


def test_every_contract_has_a_plant() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    names = {contract["name"] for contract in table["tool"]["importlinter"]["contracts"]}

    assert names == {plant.contract for plant in PLANTS} | {"No circles"}


def test_a_new_room_must_be_given_a_place(tmp_path: Path) -> None:
    tree = copy_tree(tmp_path)
    (tree / "app/poolwright/attic.py").touch()

    done = lint(tree)

    assert done.returncode != 0
    assert "attic" in sections(done.stdout)["One direction"]
