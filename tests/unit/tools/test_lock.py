"""The pinned lists hold nothing of the machine that wrote them, and agree with each other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

LISTS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.mark.parametrize("path", LISTS, ids=lambda path: path.name)
def test_a_list_holds_names_versions_and_hashes_alone(path: Path) -> None:
    pin = r"[a-z0-9.-]+(\[[a-z,-]+\])?==[\w.!+]+( ; [\w\s.'<>=!*()-]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+\n"

    lines = "".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[2:])

    assert re.fullmatch(f"({pin})+", lines)


def test_the_lists_agree_on_versions() -> None:
    """A list may pin one version for older Pythons and another for newer ones; two lists may not differ in that."""
    pins: dict[str, set[frozenset[tuple[str, str]]]] = {}
    for path in LISTS:
        in_list: dict[str, set[tuple[str, str]]] = {}
        for name, version, where in re.findall(
            r"^([a-z0-9.-]+)(?:\[[a-z,-]+\])?==(\S+)(?: ; ([^\\\n]+))? \\$",
            path.read_text(encoding="utf-8"),
            re.MULTILINE,
        ):
            in_list.setdefault(name, set()).add((version, where.strip()))
        for name, found in in_list.items():
            pins.setdefault(name, set()).add(frozenset(found))

    assert "numpy" in pins
    assert {name: found for name, found in pins.items() if len(found) > 1} == {}
