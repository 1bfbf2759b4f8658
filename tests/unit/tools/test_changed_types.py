"""Which files must be checked again after a change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tools.changed_types import digests, imports_in, known_as_right

IMPORTS = {"a.py": ["b.py", "c.py"], "b.py": ["c.py"], "c.py": [], "d.py": []}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in IMPORTS:
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("changed", "again"), [("c.py", {"a.py", "b.py", "c.py"}), ("a.py", {"a.py"}), ("d.py", {"d.py"})]
)
def test_what_changed_and_all_that_imports_it_is_checked_again(folder: Path, changed: str, again: set[str]) -> None:
    before = digests(folder, IMPORTS, "rules")
    (folder / changed).write_text("another")

    after = digests(folder, IMPORTS, "rules")

    assert {path for path in IMPORTS if before[path] != after[path]} == again


def test_other_rules_have_everything_checked_again(folder: Path) -> None:
    before, after = (digests(folder, IMPORTS, rules) for rules in ("rules", "others"))

    assert not before.items() & after.items()


def test_a_script_is_checked_again_after_any_change(tmp_path: Path) -> None:
    imports = imports_in(ROOT, cache=tmp_path)

    assert "tests/unit/tools/test_changed_types.py" in imports["tools/lock.py"]
    assert "tests/support/paths.py" in imports["tests/unit/tools/test_changed_types.py"]
    assert "tests/support/paths.py" not in imports["app/poolwright/domain/ids.py"]


@pytest.mark.parametrize("text", ["", "{", "[1]", None])
def test_without_a_memory_nothing_is_known_as_right(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "types.json"
    if text is not None:
        file.write_text(text)

    assert known_as_right(file) == {}
