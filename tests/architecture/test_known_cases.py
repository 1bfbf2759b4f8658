"""Every fault that was found once has a test that fails when it comes back; ``tests/known_cases`` says which.

Each entry has the fault in ``says``, what is right in ``right``, and the tests by file, name and, where it matters, the
parameter in brackets.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT

FOLDER = ROOT / "tests/known_cases"
CASES: list[dict[str, Any]] = [
    {**case, "file": path.name}
    for path in sorted(FOLDER.glob("*.toml"))
    for case in tomllib.loads(path.read_text(encoding="utf-8"))["case"]
]
_NODE = re.compile(r"(?P<file>tests/[\w/]+\.py)::(?P<name>[\w:]+)(?:\[(?P<parameter>.+)\])?")


@cache
def names_in(path: Path) -> frozenset[str]:
    """The tests of a file; one of a class has its name before it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    for kind in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        found |= {
            f"{kind.name}::{node.name}"
            for node in kind.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    return frozenset(found)


def problem_of(node: str, root: Path = ROOT) -> str:
    """What is wrong with the name of a test; empty if it is there."""
    found = _NODE.fullmatch(node)
    if not found:
        return f"{node} is no test by file and name"
    path = root / found["file"]
    if not path.is_file():
        return f"there is no {found['file']}"
    if found["name"] not in names_in(path):
        return f"{found['file']} has no {found['name']}"
    parameter = found["parameter"] or ""
    tables = [path, *(item for item in path.parent.glob("*/*.*") if item.suffix in {".json", ".toml"})]
    if not any(parameter in table.read_text(encoding="utf-8") for table in tables):
        return f"{node} has no such parameter"
    return ""


@pytest.mark.parametrize("case", CASES, ids=[f"{case['file']}-{case['id']}" for case in CASES])
def test_a_known_fault_has_a_test_that_is_there(case: dict[str, Any]) -> None:
    assert set(case) == {"file", "id", "says", "right", "tests"}
    assert case["tests"], "no test"
    assert [problem for node in case["tests"] if (problem := problem_of(node))] == []
    assert case["says"].strip()
    assert case["right"].strip()


def test_each_case_stands_once() -> None:
    twice = [key for key, count in Counter((case["file"], case["id"]) for case in CASES).items() if count > 1]

    assert twice == []
    assert len({case["file"] for case in CASES}) == len(list(FOLDER.iterdir()))


@pytest.mark.parametrize(
    ("node", "problem"),
    [
        ("tests/a.py::test_one", ""),
        ("tests/a.py::test_one[blue]", ""),
        ("tests/a.py::Of::test_two", ""),
        ("tests/a.py::test_two", "has no test_two"),
        ("tests/a.py::test_one[red]", "no such parameter"),
        ("tests/b.py::test_one", "there is no tests/b.py"),
        ("test_one", "is no test by file and name"),
    ],
)
def test_a_test_that_is_not_there_is_found(tmp_path: Path, node: str, problem: str) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/a.py").write_text("def test_one(blue): ...\nclass Of:\n    def test_two(self): ...\n")

    found = problem_of(node, tmp_path)

    assert problem in found
    assert bool(problem) == bool(found)
