"""The page about the policy names every event, message and command, with the file of its handler, and no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from inspect import getsourcefile
from pathlib import Path
from typing import get_args

from poolwright.supervisor.policy.commands import Command
from poolwright.supervisor.policy.decide import HANDLERS, MESSAGE_HANDLERS
from tests.support.paths import ROOT

TEXT = (ROOT / "docs/internals/policy.md").read_text(encoding="utf-8")
POLICY = ROOT / "app/poolwright/supervisor/policy"


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of each row of the table under a heading, without its head."""
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    for line in re.findall(r"^\| (.+) \|$", section, re.MULTILINE)[1:]:
        yield line.split(" | ")


def in_code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_event_stands_beside_the_file_of_its_handler() -> None:
    handlers = {**HANDLERS, **MESSAGE_HANDLERS}
    expected = {kind.__name__: Path(getsourcefile(handler) or "").stem for kind, handler in handlers.items()}

    named = {event: Path(in_code(place)[0]).stem for _, events, place in rows("Events") for event in in_code(events)}

    assert named == expected


def test_every_command_is_named_once() -> None:
    named = [command for _, commands in rows("Commands") for command in in_code(commands)]

    assert sorted(named) == sorted(kind.__name__ for kind in get_args(Command))


def test_every_place_of_a_rule_exists() -> None:
    for _, places in rows("Rules"):
        for names, file in re.findall(r"((?:`\w+`(?:, | and )?)+) in `(\w+\.py)`", places):
            source = (POLICY / file).read_text(encoding="utf-8")
            assert [name for name in in_code(names) if not re.search(rf"(?:def|class) {name}\b", source)] == []
        assert [file for file in in_code(places) if file.endswith(".py") and not (POLICY / file).exists()] == []
