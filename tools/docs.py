"""Generate what comes from the code: ``.env.example``, the state diagrams, marked blocks in docs/ pages, a schema.

Run as a program: ``python -m tools.docs write`` writes them, ``check`` names those that are out of date (exit code 1),
``env-example`` prints that page. Nobody edits a generated page by hand.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from poolwright.cli.main import HELP_WIDTH, PROGRAM_NAME
from poolwright.cli.main import app as program
from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import console
from poolwright.domain.errors import OptionsError
from poolwright.domain.state_machine import TransitionTable
from poolwright.domain.states import TABLES
from poolwright.settings import Settings, allowed_text, default_text, setting_help, variable_name
from tools.pack_schema import pack_schema

ENV_EXAMPLE, STATES = ".env.example", "docs/internals/states.md"
CLI, SETTINGS = "docs/cli.md", "docs/settings.md"
PACK_SCHEMA = "app/poolwright/portal/pack.schema.json"
ENV_HEAD = """\
# Settings of Poolwright. Copy this file to .env, take the # away from what you want to set, and fill it in.
# The command line wins over the environment, that over .env, that over poolwright.toml, and that over the default.
# Drawn from app/poolwright/settings by `make docs`: change that, not this.
"""
STATES_HEAD = """\
# Lifecycles

Drawn from the tables in `app/poolwright/domain/states.py` by `make docs`: change those, not this page. One move is one
event; a move that a table does not have is a defect and raises.
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="Generate the pages that come from the code.")
Root = Annotated[Path, typer.Option("--root", help="Top folder of the project.")]


# Settings: .env.example, and the table in docs/settings.md.


def env_example() -> str:
    """Every setting with its meaning, commented out."""
    return ENV_HEAD + "".join(f"\n{_env_entry(name)}" for name in Settings.model_fields)


def _env_entry(name: str) -> str:
    field = Settings.model_fields[name]
    words = f" Default: {default_text(name)}." if setting_help(name).default else ""
    example = next(iter(field.examples or ()), "")
    value = default_text(name) if not setting_help(name).default else ""
    bounds = f"# It must be {allowed_text(name)}.\n" if is_bounded(name) else ""
    return f"# {field.description}{words}\n{bounds}# {variable_name(name)}={value or example}\n"


def is_bounded(name: str) -> bool:
    """Whether the allowed values of a setting say more than its type."""
    return allowed_text(name) not in {"text", "a path"}


def settings_table() -> str:
    """Every setting as a row of a table."""
    rows = ["| variable | option | default | meaning |", "|---|---|---|---|", *map(_setting_row, Settings.model_fields)]
    return "\n".join(rows)


def _setting_row(name: str) -> str:
    options = ", ".join(f"`{flag}`" for flag in setting_help(name).flags)
    words = setting_help(name).default or (f"`{default_text(name)}`" if default_text(name) else "")
    bounds = f" It must be {allowed_text(name)}." if is_bounded(name) else ""
    meaning = f"{Settings.model_fields[name].description}{bounds}"
    return f"| `{variable_name(name)}` | {options} | {words} | {meaning} |"


# Commands: docs/cli.md, which is the text of `--help` at a fixed width.


def command_reference() -> str:
    """A table of all commands, then each with its help."""
    entries = tuple(command_helps())
    rows = ("| command | what it does |", "|---|---|", *(_command_row(name, summary) for name, summary, _ in entries))
    return "\n\n".join(("\n".join(rows), *(_command_entry(name, text) for name, _, text in entries)))


def command_helps() -> Iterator[tuple[str, str, str]]:
    """Name, summary and help of each command; groups are left out."""
    command = get_command(program)
    context = command.make_context(PROGRAM_NAME, [], resilient_parsing=True, terminal_width=HELP_WIDTH)
    yield from _helps_below(command, context)


def _helps_below(group: Any, context: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401 - the library's own types
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        own = command.make_context(name, [], parent=context, resilient_parsing=True, terminal_width=HELP_WIDTH)
        if isinstance(command, TyperGroup):
            yield from _helps_below(command, own)
        else:
            yield own.command_path, command.get_short_help_str(HELP_WIDTH), command.get_help(own)


def _command_row(name: str, summary: str) -> str:
    return f"| [`{name}`](#{name.replace(' ', '-')}) | {summary} |"


def _command_entry(name: str, text: str) -> str:
    return f"## {name}\n\n```\n{text}\n```"


# State machines: docs/internals/states.md, as Mermaid diagrams of the tables that the program uses.


def diagram(table: TransitionTable[Any, Any]) -> str:
    """One machine as a Mermaid state diagram. Events with the same target share an arrow."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {table.start.name}"]
    for state, row in table.rows.items():
        events_by_target: dict[Enum, list[str]] = {}
        for event, target in row.items():
            events_by_target.setdefault(target, []).append(event.name.lower())
        lines += [
            f"    {state.name} --> {target.name}: {', '.join(events)}" for target, events in events_by_target.items()
        ]
        lines += [] if row else [f"    {state.name} --> [*]"]
    return "\n".join((*lines, "```"))


def states_page() -> str:
    """All machines: a list of their states, then each with its transitions."""
    parts = (f"## {_title(table)}\n\n{_purpose(table)}\n\n{diagram(table)}\n" for table in TABLES)
    return "\n".join((STATES_HEAD, *map(_states, TABLES), "", *parts))


def _states(table: TransitionTable[Any, Any]) -> str:
    return f"* **{_title(table)}**: {', '.join(state.name for state in table.rows)}"


def _title(table: TransitionTable[Any, Any]) -> str:
    return table.name.capitalize()


def _purpose(table: TransitionTable[Any, Any]) -> str:
    first: Enum = table.start
    return inspect.getdoc(type(first)) or ""


# The pages, and the program.


def drawn(root: Path) -> Iterator[tuple[str, str]]:
    """Every page with the text that it must have.

    Raises:
        OptionsError: A page lacks the marks of its block.
    """
    yield ENV_EXAMPLE, env_example()
    yield STATES, states_page()
    yield PACK_SCHEMA, pack_schema()
    for place, name, text in ((SETTINGS, "settings", settings_table()), (CLI, "cli", command_reference())):
        yield place, with_block(root, place, name, text)


def with_block(root: Path, place: str, name: str, text: str) -> str:
    """The page with new text between the marks of a block.

    Raises:
        OptionsError: The page has no such marks.
    """
    page = (root / place).read_text(encoding="utf-8")
    marks = re.compile(rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)", re.DOTALL)
    drawn_page, count = marks.subn(lambda mark: f"{mark[1]}\n{text}\n\n{mark[2]}", page)
    if count != 1:
        raise OptionsError(f"{place} must have <!-- {name}:begin --> and <!-- {name}:end --> once, it has {count}.")
    return drawn_page


def stale(root: Path) -> list[str]:
    """The pages that differ from what the code says."""
    pages = ((name, root / name, text) for name, text in drawn(root))
    return [name for name, path, text in pages if not path.is_file() or path.read_text(encoding="utf-8") != text]


@app.command()
def write(root: Root = Path()) -> None:
    """Write every page."""
    for name, text in drawn(root):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


@app.command()
def check(root: Root = Path()) -> None:
    """Name the pages that are out of date; exit code 1 if there are any."""
    late = stale(root)
    if late:
        console().print(f"{', '.join(late)}: out of date; run `make docs`.")
        raise typer.Exit(ExitCode.NOT_ALL_DONE)


@app.command("env-example")
def print_env_example() -> None:
    """Print .env.example."""
    console().out(env_example(), end="", highlight=False)


if __name__ == "__main__":
    app()
