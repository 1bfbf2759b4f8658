"""What the examples tell a newcomer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.paths import ROOT

EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_tells_a_newcomer_how_to_run_it(example: Path) -> None:
    assert f"python examples/{example.name} " in example.read_text(encoding="utf-8").split('"""')[1]
