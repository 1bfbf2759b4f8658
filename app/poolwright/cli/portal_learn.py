"""The command `poolwright portal learn`: learn a portal pack from pages of the portal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from poolwright.cli.process_exit import ExitCode
from poolwright.cli.terminal import console
from poolwright.domain.errors import OptionsError
from poolwright.learn.learner import Lesson, learn, seen_pages
from poolwright.learn.page_folder import check_pages, pages_folder, read_folder, write_lesson

LEARN_HELP = (
    "Learn a portal pack from saved pages of the portal.\n\n"
    "FOLDER has the pages as your browser saves them, and a file observations.toml that says which page is what and "
    "names an attachment on each order; docs/portal-learn.md shows it. The pack gets comments and is tried on every page; what is "
    "not sure is printed. The pages are kept beside the pack, and --check tries it on them again.\n\n"
    "Exit code 0 if the pack reads every page as it was shown, 1 if not, 2 if nothing can be learned from the pages."
)
LEARN_EXAMPLES = (
    "poolwright portal learn acme --from saved-pages",
    "poolwright portal learn --check acme.toml",
)

LearnedName = Annotated[
    str, typer.Argument(metavar="[NAME]", help="Name of the pack; else that of FOLDER.", show_default=False)
]
SourceFolder = Annotated[
    Path | None, typer.Option("--from", metavar="FOLDER", help="The folder with saved pages.", show_default=False)
]
PackTarget = Annotated[
    Path | None,
    typer.Option("--output", metavar="FILE", help="The file of the pack. Default: NAME.toml.", show_default=False),
]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite the file of the pack and its pages.")]
Checked = Annotated[
    Path | None,
    typer.Option("--check", metavar="FILE", help="Try a learned pack on the pages beside it.", show_default=False),
]


def learn_portal(
    *,
    name: LearnedName = "",
    source: SourceFolder = None,
    output: PackTarget = None,
    force: Overwrite = False,
    check: Checked = None,
) -> None:
    """Learn a pack, or try one on its pages."""
    if (source is None) == (check is None):
        raise OptionsError(
            "Say either --from FOLDER, to learn from saved pages, or --check FILE, to try a learned pack."
        )
    if check is not None:
        _check(check)
    elif source is not None:
        _learn(name or _name_of(source), source, output, is_forced=force)


def _learn(name: str, source: Path, output: Path | None, *, is_forced: bool) -> None:
    target = output or Path(f"{name}.toml")
    taken = [path for path in (target, pages_folder(target)) if path.exists()]
    if taken and not is_forced:
        raise OptionsError(f"{taken[0]} exists; give another name with --output, or --force to overwrite it.")
    observations, sources = read_folder(source)
    lesson = learn(name, observations, seen_pages(observations, sources))
    folder = write_lesson(lesson, observations, sources, target)
    _print(lesson)
    screen = console()
    screen.print(f"Written: {target}, and its pages in {folder}.", soft_wrap=True)
    if lesson.problems:
        raise typer.Exit(ExitCode.NOT_ALL_DONE)
    screen.print(f"Next: poolwright profile login {name} --portal {target}", soft_wrap=True)


def _check(pack_path: Path) -> None:
    count, problems = check_pages(pack_path)
    _print_lines("wrong", "red", problems)
    if problems:
        raise typer.Exit(ExitCode.NOT_ALL_DONE)
    console().print(f"{pack_path} reads all {count} pages as they were shown.", soft_wrap=True)


def _print(lesson: Lesson) -> None:
    _print_lines("found", "green", lesson.findings)
    _print_lines("not sure", "yellow", [*lesson.doubts, *lesson.pack.notices])
    _print_lines("wrong", "red", lesson.problems)


def _print_lines(word: str, style: str, sentences: Sequence[str]) -> None:
    for sentence in sentences:
        console().print(Text.assemble((word, style), f": {sentence}"), soft_wrap=True)


def _name_of(folder: Path) -> str:
    """Return the name of a folder as that of a pack."""
    return re.sub(r"[^a-z0-9_-]+", "-", folder.resolve().name.lower()).strip("-_") or "portal"
