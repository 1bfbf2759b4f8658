"""Pages that are drawn from the code: ``.env.example``, the diagrams of states, and marked blocks of pages in docs/.

Run as a program: ``python -m poolwright.cli.docs write`` draws them, ``check`` names those that are not what the
code says (exit code 1), ``env-example`` prints that page. Nobody edits a drawn page by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from poolwright.cli import commands, diagrams
from poolwright.cli.console import console
from poolwright.cli.exits import Exit
from poolwright.domain.errors import OptionsError
from poolwright.settings import Settings, allowed, default, face, variable

ENV_EXAMPLE, STATES = ".env.example", "docs/internals/states.md"
CLI, SETTINGS = "docs/cli.md", "docs/settings.md"
ENV_HEAD = """\
# Settings of Poolwright. Copy this file to .env, take the # away from what you want to set, and fill it in.
# The command line wins over the environment, that over .env, that over poolwright.toml, and that over the default.
# Drawn from app/poolwright/settings by `make docs`: change that, not this.
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="Draw the pages that come from the code.")
Root = Annotated[Path, typer.Option("--root", help="Top folder of the project.")]


def env_example() -> str:
    """Every setting with its meaning, commented out."""
    return ENV_HEAD + "".join(f"\n{_env_entry(name)}" for name in Settings.model_fields)


def _env_entry(name: str) -> str:
    field = Settings.model_fields[name]
    words = f" Default: {default(name)}." if face(name).default else ""
    example = next(iter(field.examples or ()), "")
    value = default(name) if not face(name).default else ""
    bounds = f"# It must be {allowed(name)}.\n" if is_bounded(name) else ""
    return f"# {field.description}{words}\n{bounds}# {variable(name)}={value or example}\n"


def is_bounded(name: str) -> bool:
    """Whether what is allowed says more than the kind of value."""
    return allowed(name) not in {"text", "a path"}


def settings_table() -> str:
    """Every setting as a row of a table."""
    rows = ["| variable | option | default | meaning |", "|---|---|---|---|", *map(_row, Settings.model_fields)]
    return "\n".join(rows)


def _row(name: str) -> str:
    options = ", ".join(f"`{flag}`" for flag in face(name).flags)
    words = face(name).default or (f"`{default(name)}`" if default(name) else "")
    bounds = f" It must be {allowed(name)}." if is_bounded(name) else ""
    meaning = f"{Settings.model_fields[name].description}{bounds}"
    return f"| `{variable(name)}` | {options} | {words} | {meaning} |"


def drawn(root: Path) -> Iterator[tuple[str, str]]:
    """Every page with the text that it must have.

    Raises:
        OptionsError: A page lacks the marks of its block.
    """
    yield ENV_EXAMPLE, env_example()
    yield STATES, diagrams.page()
    for place, name, text in ((SETTINGS, "settings", settings_table()), (CLI, "cli", commands.reference())):
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
    """The pages that are not what the code says."""
    pages = ((name, root / name, text) for name, text in drawn(root))
    return [name for name, path, text in pages if not path.is_file() or path.read_text(encoding="utf-8") != text]


@app.command()
def write(root: Root = Path()) -> None:
    """Draw every page anew."""
    for name, text in drawn(root):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


@app.command()
def check(root: Root = Path()) -> None:
    """Name the pages that are out of date; exit code 1 when there are any."""
    late = stale(root)
    if late:
        console().print(f"{', '.join(late)}: not what the code says any more; run `make docs`.")
        raise typer.Exit(Exit.NOT_ALL_DONE)


@app.command("env-example")
def print_env_example() -> None:
    """Print .env.example."""
    console().out(env_example(), end="", highlight=False)


if __name__ == "__main__":
    app()
