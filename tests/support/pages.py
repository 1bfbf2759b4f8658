"""The pages of the project, and what stands in them: links, anchors, blocks of code, commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

README = ROOT / "README.md"
PAGES = sorted(
    {README, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "profiles").glob("README.md")},
    key=lambda page: page.as_posix(),
)

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_PROGRAM = re.compile(r"^(?:\.venv/bin/)?poolwright ")


def text_of(page: Path) -> str:
    """The page without its blocks of code."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def name_of(page: Path) -> str:
    """The page as it is named from the root of the project."""
    return page.relative_to(ROOT).as_posix()


def links_of(page: Path) -> list[str]:
    """Where the page leads to within the project."""
    return [link for link in _LINK.findall(text_of(page)) if "://" not in link]


def anchors_of(page: Path) -> set[str]:
    """The headings of a page, as an address names them on the usual hosts of repositories."""
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(text_of(page)))
    return {heading.strip().replace(" ", "-") for heading in plain}


def is_met(page: Path, link: str) -> bool:
    """Whether a file, and the heading in it that the link names, are there."""
    place, _, anchor = link.partition("#")
    target = (page.parent / place).resolve() if place else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    return not anchor or (target.is_file() and anchor in anchors_of(target))


def commands_of(page: Path) -> Iterator[list[str]]:
    """The words of each line in a block of code that starts our program."""
    for kind, block in _FENCED.findall(page.read_text(encoding="utf-8")):
        if not kind:
            lines = block.replace("\\\n", " ").splitlines()
            yield from (shlex.split(line, comments=True)[1:] for line in lines if _PROGRAM.match(line))
