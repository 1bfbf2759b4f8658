"""``poolwright portal``: packs are listed, and a wrong one is told problem by problem."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from tests.support.commands import Command


def test_shipped_packs_are_listed(command: Command) -> None:
    lines = command("portal", "list").stdout.splitlines()

    assert [line.split()[0] for line in lines] == ["name", "coupa", "demo"]


@pytest.mark.parametrize("width", [10, 20, 30])
def test_shipped_packs_are_listed_whole_in_a_narrow_terminal(
    command: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))

    told = " ".join(command("portal", "list").stdout.split())

    assert "\u2026" not in told
    assert all(word in told for word in ("coupa", "Coupa", "demo", "Demo", "numbers", "digits"))


def test_a_right_pack_is_told_with_what_it_says(command: Command) -> None:
    result = command("portal", "lint", "demo")

    assert result.exit_code == ExitCode.DONE
    assert "demo: valid" in result.stdout
    assert "/order_headers/{number}" in result.stdout


def test_a_pack_that_never_finds_an_empty_order_is_told_so(command: Command, desk: Path) -> None:
    text = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
    signs = text[text.index("settled = ") : text.index("[fields.supplier]")]
    (desk / "mine.toml").write_text(text.replace(signs, ""), encoding="utf-8")

    result = command("portal", "lint", "./mine.toml")

    assert result.exit_code == ExitCode.DONE
    assert "note: it has no sign of an empty list" in result.stdout
    assert "note" not in command("portal", "lint", "coupa").stdout


def test_every_problem_of_a_wrong_pack_is_told_with_its_place(command: Command, desk: Path) -> None:
    text = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
    text = text.replace('order = "/order_headers/{number}"', 'order = "/order_headers"').replace("submit =", "sumbit =")
    (desk / "mine.toml").write_text(text, encoding="utf-8")

    result = command("portal", "lint", "./mine.toml")

    assert result.exit_code == ExitCode.USAGE
    lines = result.stdout.splitlines()
    assert all(line.startswith("./mine.toml: ") for line in lines)
    for place in ("site", "login.form.submit", "login.form.sumbit"):
        assert any(place in line for line in lines), place


def test_a_pack_that_is_not_there_is_told(command: Command) -> None:
    result = command("portal", "lint", "none-such")

    assert result.exit_code == ExitCode.USAGE
    assert "coupa, demo" in result.stdout
