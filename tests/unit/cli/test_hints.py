"""A sentence that tells a person to give a command gives it whole: no command is without the name that it needs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from poolwright.cli.main import COMMANDS
from tests.support.paths import ROOT

PACKAGE = ROOT / "app/poolwright"
#: Sentences that say what a command does, and tell nobody to give it.
DESCRIBED = frozenset(
    {
        ("cli/portal.py", "portal new"),
        ("cli/portal_tools/replay.py", "portal record"),
        ("cli/remote/submit.py", "run"),
        ("cli/serve.py", "submit"),
        ("learn/page_folder.py", "portal record"),
        ("learn/page_folder.py", "portal replay"),
        ("portal/examination/saved_page.py", "portal replay"),
    }
)
_COMMAND = re.compile(
    r"poolwright ((?:(?:profile|journal|portal|schedule) )?[a-z]+(?:-[a-z]+)*)(?P<next> ?\S?)", re.DOTALL
)
#: The place of a value in a text that is put together.
_VALUE = "VALUE"


def commands_with_names() -> frozenset[str]:
    """The commands that cannot be given without an argument."""
    return frozenset(
        name
        for name, entry in COMMANDS.items()
        if any(one.param_type_name == "argument" and one.required for one in entry.load(name).params)
    )


def texts(source: str) -> Iterator[str]:
    """The texts of a module that can be shown to somebody, whole, with ``VALUE`` for each value in them."""
    tree = ast.parse(source)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    documented = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    )
    docstrings = {id(node.body[0].value) for node in documented if node.body and isinstance(node.body[0], ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else _VALUE for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts | docstrings:
            yield node.value


def nameless(source: str, commands: frozenset[str]) -> list[str]:
    """The commands of a module's texts that lack the argument that they need."""
    return [
        found[1]
        for text in texts(source)
        for found in _COMMAND.finditer(text)
        if found[1] in commands and not re.fullmatch(r" [\w./{\"'-]", found["next"])
    ]


def test_every_command_that_somebody_is_told_to_give_has_its_name() -> None:
    commands = commands_with_names()
    found = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in PACKAGE.rglob("*.py")
        for name in nameless(path.read_text(encoding="utf-8"), commands)
    }

    assert found == DESCRIBED


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('say("Run `poolwright profile login`.")', ["profile login"]),
        ('say("Give poolwright resume-group, or wait.")', ["resume-group"]),
        ('say("It is poolwright profile login")', ["profile login"]),
        ('say(f"Run `poolwright profile login {name}`.")', []),
        ('say(f"Run `poolwright profile login` for {name}.")', ["profile login"]),
        ('say("Run `poolwright profile login NAME`.")', []),
        ('say("Run `poolwright doctor`.")', []),
        ('"""What `poolwright profile login` does."""', []),
    ],
)
def test_a_command_without_its_name_is_found(source: str, expected: list[str]) -> None:
    assert nameless(source, commands_with_names()) == expected


def test_the_commands_that_need_a_name_are_known_from_the_program() -> None:
    commands = commands_with_names()

    assert {"run", "resume-group", "profile login", "portal lint", "schedule run"} <= commands
    assert not {"doctor", "serve", "pause", "profile list"} & commands
