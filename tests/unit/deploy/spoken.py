"""What the command line would make of arguments, without doing it."""

from __future__ import annotations

from collections.abc import Sequence

from typer.core import TyperGroup
from typer.main import get_command

from poolwright.cli.main import PROGRAM_NAME, app
from poolwright.settings import Settings, load_settings


def understood(arguments: Sequence[str]) -> str:
    """The command that the arguments name, as ``poolwright profile login``.

    Raises:
        Exception: The command line takes no such command, argument, option or value; which one, it says itself.
    """
    command = get_command(app)
    context = command.make_context(PROGRAM_NAME, list(arguments))
    while isinstance(command, TyperGroup):
        name, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    load_settings({name: value for name, value in context.params.items() if name in Settings.model_fields})
    return context.command_path
