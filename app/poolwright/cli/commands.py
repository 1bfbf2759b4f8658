"""The reference of all commands for docs/cli.md: what ``--help`` says, at a fixed width."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from poolwright.cli.main import HELP_WIDTH, NAME, app


def reference() -> str:
    """A table of all commands, then each with its help."""
    entries = tuple(helps())
    rows = ("| command | what it does |", "|---|---|", *(_row(name, summary) for name, summary, _ in entries))
    return "\n\n".join(("\n".join(rows), *(_entry(name, text) for name, _, text in entries)))


def helps() -> Iterator[tuple[str, str, str]]:
    """Name, summary and help of each command that does something."""
    command = get_command(app)
    context = command.make_context(NAME, [], resilient_parsing=True, terminal_width=HELP_WIDTH)
    yield from _below(command, context)


def _below(group: Any, context: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - the library's own types
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        own = command.make_context(name, [], parent=context, resilient_parsing=True, terminal_width=HELP_WIDTH)
        if isinstance(command, TyperGroup):
            yield from _below(command, own)
        else:
            yield own.command_path, command.get_short_help_str(HELP_WIDTH), command.get_help(own)


def _row(name: str, summary: str) -> str:
    return f"| [`{name}`](#{name.replace(' ', '-')}) | {summary} |"


def _entry(name: str, text: str) -> str:
    return f"## {name}\n\n```\n{text}\n```"
