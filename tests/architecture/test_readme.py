"""What the pages promise is what the program does, and what they lead to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poolwright.cli.process_exit import EXIT_CODE_MEANINGS
from poolwright.settings import Settings, variable_name
from tests.support.pages import PAGES, README, anchors_of, is_met, links_of, name_of
from tests.support.paths import ROOT

#: Two screens.
README_LINES_MAX = 110
#: Whoever follows an order reads no more.
ORDER_FILES_MAX = 60
TABLE_OF_CODES = [(str(code.value), meaning) for code, meaning in EXIT_CODE_MEANINGS.items()]


def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def named_in(text: str) -> set[str]:
    """What ``make`` is asked for, in code alone: prose makes many things."""
    return set(re.findall(r"(?:`|^)make ([a-z]+(?:-[a-z]+)*)", text, re.MULTILINE))


def test_the_first_page_stays_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= README_LINES_MAX


@pytest.mark.parametrize("page", ["README.md", "docs/operations/exit-codes.md"])
def test_the_exit_codes_are_those_of_the_program(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8").partition("## What to do")[0]

    assert re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE) == TABLE_OF_CODES


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    assert named_in(page.read_text(encoding="utf-8")) <= targets()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert [link for link in links_of(page) if not is_met(page, link)] == []


def test_every_page_is_reached_from_the_first() -> None:
    reached, waiting = {README}, [README]
    while waiting:
        page = waiting.pop()
        found = {(page.parent / link.partition("#")[0]).resolve() for link in links_of(page)} - reached
        waiting += [one for one in found if one.suffix == ".md" and one.is_file()]
        reached |= found

    assert [name_of(page) for page in PAGES if page not in reached] == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    assert is_met(README, "docs/quickstart.md#3-run-your-list")
    assert not is_met(README, "docs/quickstart.md#nowhere")
    assert not is_met(README, "docs/no-page.md")
    assert "4-read-the-report" in anchors_of(ROOT / "docs/quickstart.md")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_setting_that_is_named_is_one(page: Path) -> None:
    known = {variable_name(name) for name in Settings.model_fields}

    assert set(re.findall(r"\bPOOLWRIGHT_[A-Z_]+", page.read_text(encoding="utf-8"))) <= known


@pytest.mark.parametrize("page", [page for page in PAGES if name_of(page).startswith("docs/")], ids=name_of)
def test_every_module_that_is_named_is_where_the_page_says(page: Path) -> None:
    named = re.findall(r"`((?:app|tests|deploy|tools|examples)/[\w./-]+)`", page.read_text(encoding="utf-8"))

    assert [place for place in named if not (ROOT / place).exists()] == []


def test_the_number_of_files_of_an_order_is_that_of_the_steps() -> None:
    text = (ROOT / "docs/internals/architecture.md").read_text(encoding="utf-8")
    section = text.partition("## One order")[2].partition("\n## ")[0]
    introduction, _, steps = section.partition("**The list is read.**")

    files = set(re.findall(r"`(app/[\w/]+\.py)`", steps))

    assert f"The steps name {len(files)} files" in introduction
    assert len(files) <= ORDER_FILES_MAX


def test_the_machine_that_checks_runs_what_is_offered_here() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")

    lines = [line for line in script.splitlines() if line and not line.startswith(("#", "set ", "cd "))]
    commands = [line.split(" ARGS=")[0] for line in lines]

    assert commands == ["make test", "make chaos", "make image-test"]
    assert {"demo", *(command.removeprefix("make ") for command in commands)} <= named_in(
        README.read_text(encoding="utf-8")
    )
