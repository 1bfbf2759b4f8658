"""Hold every module of app/ that has coroutines to the rules of flake8-async that ruff has not.

The rules read the plain syntax tree, which takes a moment. flake8-async's own program also walks a second, concrete
tree of every file several times over, for rules that are not asked for here and for finding `# noqa`: half a minute.
"""

from __future__ import annotations

import ast
import re
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from flake8_async import Plugin  # pyright: ignore[reportMissingTypeStubs]
from flake8_async.base import Options  # pyright: ignore[reportMissingTypeStubs]
from flake8_async.runner import Flake8AsyncRunner  # pyright: ignore[reportMissingTypeStubs]

ROOT = Path(__file__).resolve().parent.parent
RULES = "ASYNC102,ASYNC103,ASYNC104,ASYNC120"


def options() -> Options:
    """What flake8-async is told on its command line."""
    parser = ArgumentParser()
    Plugin.add_options(parser)
    Plugin.parse_options(parser.parse_args(["--anyio", f"--enable={RULES}"]))
    return Plugin(ast.parse(""), []).options


def complaints(source: str, told: Options) -> Iterator[str]:
    """What the rules have against a module, except on lines whose `# noqa` names the rule."""
    lines = source.splitlines()
    for error in sorted(Flake8AsyncRunner.run(ast.parse(source), told)):
        if not re.search(rf"# noqa:[A-Z0-9, ]*\b{error.code}\b", lines[error.line - 1]):
            yield str(error)


def main() -> int:
    """Print every complaint with its place; 1 when there are any."""
    told = options()
    found = [
        f"{path.relative_to(ROOT)}:{complaint}"
        for path in sorted((ROOT / "app").rglob("*.py"))
        if "async" in (source := path.read_text(encoding="utf-8"))
        for complaint in complaints(source, told)
    ]
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
