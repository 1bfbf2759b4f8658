"""What the package imports is asked for by name: nothing comes along by the grace of another package."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions

from tests.support.paths import ROOT


def imported(tree: ast.Module) -> Iterator[str]:
    """The top names of a module's imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0]


def test_every_library_that_is_imported_is_asked_for() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    asked_for = {re.split(r"[^\w-]", entry)[0].replace("-", "_") for entry in table["project"]["dependencies"]}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "app").rglob("*.py")]

    names = {name for source in sources for name in imported(ast.parse(source))}
    libraries = names - sys.stdlib_module_names - {"poolwright"}

    providers = {name: {each.replace("-", "_") for each in found} for name, found in packages_distributions().items()}
    assert {name for name in libraries if asked_for.isdisjoint(providers.get(name, []))} == set()
