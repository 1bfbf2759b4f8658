"""The reference of all commands for the README: what ``--help`` says, at a fixed width."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command

from app.cli.main import HELP_WIDTH, NAME, app


def reference() -> str:
    """Every command with its help, folded."""
    return "\n\n".join(_entry(name, summary, text) for name, summary, text in helps())


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


def _entry(name: str, summary: str, text: str) -> str:
    title = f"<summary><code>{name}</code>: {summary}</summary>"
    return f"<details>{title}\n\n```\n{text}\n```\n\n</details>"
