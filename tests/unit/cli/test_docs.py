"""Drawn pages are what the code says, and a stale one is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from poolwright.domain.errors import OptionsError
from poolwright.domain.states import TABLES, TASK
from poolwright.settings import Settings, load_settings, variable_name
from tests.support.paths import ROOT
from tools.docs import (
    CLI,
    ENV_EXAMPLE,
    PACK_SCHEMA,
    SETTINGS,
    STATES,
    app,
    diagram,
    drawn,
    env_example,
    stale,
    with_block,
)

MARKED = {SETTINGS: "settings", CLI: "cli"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose pages are still to be drawn."""
    (tmp_path / "docs").mkdir()
    for place, name in MARKED.items():
        (tmp_path / place).write_text(f"# {name}\n<!-- {name}:begin -->\n<!-- {name}:end -->\n")
    return tmp_path


def test_the_pages_of_this_project_are_what_the_code_says() -> None:
    assert stale(ROOT) == []


def test_writing_makes_every_page_right_and_checking_says_so(project: Path) -> None:
    assert CliRunner().invoke(app, ["check", "--root", str(project)]).exit_code == 1

    CliRunner().invoke(app, ["write", "--root", str(project)])

    assert CliRunner().invoke(app, ["check", "--root", str(project)]).exit_code == 0
    pages = {path.relative_to(project).as_posix() for path in project.rglob("*.*")}
    assert pages == {ENV_EXAMPLE, STATES, PACK_SCHEMA, *MARKED}


def test_every_page_that_was_changed_by_hand_is_named(project: Path) -> None:
    CliRunner().invoke(app, ["write", "--root", str(project)])

    for name in (ENV_EXAMPLE, STATES, *MARKED):
        page = project / name
        text = page.read_text()
        page.write_text(text.replace("Browser workers;", "Robots;").replace("READY", "STEADY"))
        assert page.read_text() != text
        result = CliRunner().invoke(app, ["check", "--root", str(project)])
        page.write_text(text)

        assert result.exit_code == 1
        assert result.stdout.startswith(f"{name}: ")


def test_what_people_wrote_around_a_block_stays(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("before\n<!-- cli:begin -->\nold\n<!-- cli:end -->\nafter\n")

    page = with_block(tmp_path, "page.md", "cli", "new")

    assert page == "before\n<!-- cli:begin -->\n\nnew\n\n<!-- cli:end -->\nafter\n"


@pytest.mark.parametrize("page", ["no marks", "<!-- cli:begin -->\n<!-- cli:end -->\n" * 2])
def test_a_block_needs_its_marks_once(page: str, tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(page)

    with pytest.raises(OptionsError, match=r"page\.md .*cli:begin"):
        with_block(tmp_path, "page.md", "cli", "new")


def test_the_example_names_every_setting_and_no_secret() -> None:
    text = env_example()

    assert [line.split("=")[0] for line in text.splitlines() if re.match(r"# [A-Z_]+=", line)] == [
        f"# {variable_name(name)}" for name in Settings.model_fields
    ]
    assert "POOLWRIGHT_PASSWORD=\n" in text


def test_the_example_works_as_it_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_name(name), raising=False)
    Path(".env").write_text(re.sub(r"^# (?=[A-Z_]+=)", "", env_example(), flags=re.MULTILINE))

    settings = load_settings()

    assert (settings.portal, settings.base_url) == ("coupa", "https://example.coupahost.com")
    assert settings.workers == 2


def test_every_machine_is_drawn_with_all_its_moves() -> None:
    page = dict(drawn(ROOT))[STATES]

    for table in TABLES:
        text = diagram(table)
        assert text in page
        for state, row in table.rows.items():
            for event, target in row.items():
                assert re.search(rf"{state.name} --> {target.name}: .*\b{event.name.lower()}\b", text)


def test_events_that_lead_the_same_way_share_an_arrow() -> None:
    lines = diagram(TASK).splitlines()

    assert len({line.split(":")[0] for line in lines}) == len(lines)
