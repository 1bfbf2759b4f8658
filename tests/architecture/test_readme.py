"""What README promises is what the program does."""

from __future__ import annotations

import re

from app.cli.exits import MEANINGS
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_exit_codes_are_those_of_the_program() -> None:
    rows = re.findall(r"^\| (\d) \| (.+) \|$", README, re.MULTILINE)

    assert rows == [(str(code.value), meaning) for code, meaning in MEANINGS.items()]


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    named = set(re.findall(r"\bmake\s([a-z]+(?:-[a-z]+)*)\b", README))

    assert {"demo", "test"} <= named <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_every_page_that_is_linked_exists() -> None:
    linked = re.findall(r"\]\(([^):]+)\)", README)

    assert linked
    assert [page for page in linked if not (ROOT / page).is_file()] == []


def test_the_machine_that_checks_runs_what_is_offered_here() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")

    commands = [line for line in script.splitlines() if line and not line.startswith(("#", "set ", "cd "))]

    assert [command.split(" ARGS=")[0] for command in commands] == ["make test", "make chaos", "make image-test"]
