"""Files and functions stay small enough to be read in one go; docstrings are not counted against a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

FILE_LINES = 300
#: Files that may be longer, and why; never longer than the last resort.
LONG_FILES = {"app/poolwright/domain/states.py": "all tables side by side, as the mission shows them"}
FILE_LINES_MAX = 450
FUNCTION_LINES = 40

FOLDERS = ("app", "bench", "examples", "tools")
SOURCES = sorted(path.relative_to(ROOT) for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def function_sizes(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The name of each function and the lines of its body, without the docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_a_file_is_one_noun(source: Path) -> None:
    text = (ROOT / source).read_text(encoding="utf-8")

    lines = text.count("\n")
    long_functions = {name: size for name, size in function_sizes(ast.parse(text)) if size > FUNCTION_LINES}

    assert lines <= (FILE_LINES_MAX if source.as_posix() in LONG_FILES else FILE_LINES)
    assert not long_functions
