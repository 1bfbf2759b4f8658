"""``poolwright portal``: packs are listed, and a wrong one is told problem by problem."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from poolwright.cli.process_exit import ExitCode
from poolwright.portal.pack import parse_toml
from poolwright.profile.repository import ProfileFile, ProfileRepository
from tests.support.commands import BASE_URL, Command


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


def test_a_pack_that_never_finds_an_empty_order_is_told_so(command: Command, program: Path) -> None:
    text = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
    signs = text[text.index("settled = ") : text.index("[fields.supplier]")]
    (program / "mine.toml").write_text(text.replace(signs, ""), encoding="utf-8")

    result = command("portal", "lint", "./mine.toml")

    assert result.exit_code == ExitCode.DONE
    assert "note: it has no sign of an empty list" in result.stdout
    assert "note" not in command("portal", "lint", "coupa").stdout


def test_every_problem_of_a_wrong_pack_is_told_with_its_place(command: Command, program: Path) -> None:
    text = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
    text = text.replace('order = "/order_headers/{number}"', 'order = "/order_headers"').replace("submit =", "sumbit =")
    (program / "mine.toml").write_text(text, encoding="utf-8")

    result = command("portal", "lint", "./mine.toml")

    assert result.exit_code == ExitCode.USAGE
    lines = result.stdout.splitlines()
    assert [line.partition(": ")[2].partition(":")[0] for line in lines] == [
        "site",
        "login.form.submit",
        "login.form.sumbit",
        "login.second_factor.submit",
        "login.second_factor.sumbit",
    ]
    row = 1 + text.splitlines().index('sumbit = "#login_submit"')
    assert lines[2].startswith(f"./mine.toml:{row}:1: login.form.sumbit: it is not a key of [login.form]")
    assert lines[2].endswith("allowed are user, password, submit; did you mean submit?")


def test_a_pack_that_is_not_there_is_told(command: Command) -> None:
    result = command("portal", "lint", "none-such")

    assert result.exit_code == ExitCode.USAGE
    assert "coupa, demo" in result.stdout


def own_pack(folder: Path, file: str, name: str) -> Path:
    """The demo portal's pack under another name, in a folder."""
    text = resources.files("poolwright.portal").joinpath("packs", "demo.toml").read_text(encoding="utf-8")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(text.replace('name = "demo"', f'name = "{name}"'), encoding="utf-8")
    return folder / file


@pytest.mark.parametrize(
    ("sign", "note"),
    [
        ("", "no sign of an empty list (attachments.empty, count or answered; settled is none): an order without"),
        (
            "empty.selector = ['#attachments:not(:has(a.attachment_link))']",
            "if the portal renames them, a full list looks empty; name what any row has, such as li, tr or a",
        ),
        ("answered = ['^/list$']", "an order has no attachments is concluded from attachments.answered alone"),
    ],
)
def test_a_pack_without_words_or_a_number_for_an_empty_list_is_told_so(
    sign: str, note: str, command: Command, program: Path
) -> None:
    path = own_pack(program, "mine.toml", "mine")
    text = path.read_text(encoding="utf-8")
    count = text[text.index("[attachments.count]") : text.index("[fields.supplier]")]
    path.write_text(text.replace(count, "").replace("[attachments]\n", f"[attachments]\n{sign}\n"), encoding="utf-8")

    result = command("portal", "lint", "mine.toml")

    assert result.exit_code == ExitCode.DONE
    assert note in result.stdout


def test_packs_of_all_places_are_listed_with_what_they_hide(command: Command, program: Path) -> None:
    own_pack(program / "packs", "coupa.toml", "coupa")
    (program / "packs" / "torn.toml").write_text("schema =\n")
    ProfileRepository(program / "profiles").create("mine", ProfileFile(pack="own", base_url="http://127.0.0.1:9"))
    own_pack(program / "profiles" / "mine", "own.toml", "own")

    listed = command("portal", "list", "--packs-dir", "packs", "--json").stdout
    told = " ".join(command("portal", "list", "--packs-dir", "packs").stdout.split())

    rows = [json.loads(line) for line in listed.splitlines()]
    assert [(row["name"], row["origin"], row["is_valid"]) for row in rows] == [
        ("own", "profile", True),
        ("coupa", "packs_dir", True),
        ("torn", "packs_dir", False),
        ("coupa", "Poolwright", True),
        ("demo", "Poolwright", True),
    ]
    assert rows[1]["hides"] == ["Poolwright itself"]
    assert "coupa: that of packs/coupa.toml hides that of Poolwright itself." in told
    assert "torn: packs/torn.toml is not valid: `poolwright portal lint packs/torn.toml` says why." in told


def test_a_folder_of_packs_that_is_not_there_is_told(command: Command) -> None:
    assert "The folder of packs none does not exist." in command("portal", "list", "--packs-dir", "none").stdout


def test_one_pack_is_shown_with_its_place_or_as_its_file(command: Command, program: Path) -> None:
    path = own_pack(program / "packs", "coupa.toml", "coupa")

    shown = " ".join(command("portal", "show", "coupa", "--packs-dir", "packs").stdout.split())
    file = command("portal", "show", "coupa", "--packs-dir", "packs", "--toml").stdout

    assert "place packs/coupa.toml hides that of Poolwright itself sha256" in shown
    assert file == path.read_text(encoding="utf-8")


def test_a_problem_of_a_named_pack_is_told_with_its_file(command: Command, program: Path) -> None:
    path = own_pack(program / "packs", "mine.toml", "mine")
    path.write_text(path.read_text(encoding="utf-8") + "\n[limit]\npage_s = 1\n", encoding="utf-8")

    result = command("portal", "lint", "mine", "--packs-dir", "packs")

    assert result.exit_code == ExitCode.USAGE
    assert result.stdout.startswith("packs/mine.toml:")
    assert result.stdout.rstrip().endswith("did you mean limits?")


def test_a_new_pack_is_valid_and_has_a_schema_beside_it(command: Command, program: Path) -> None:
    made = command("portal", "new", "acme")
    lint = command("portal", "lint", "acme.toml")

    text = (program / "acme.toml").read_text(encoding="utf-8")
    assert (made.exit_code, lint.exit_code) == (ExitCode.DONE, ExitCode.DONE), made.output + lint.output
    assert "note" not in lint.stdout
    assert "poolwright profile login acme --portal acme.toml" in made.stdout
    assert text.splitlines()[0] == "#:schema ./pack.schema.json"
    assert (program / "pack.schema.json").read_text(encoding="utf-8") == command("portal", "schema").stdout


def test_every_example_of_a_new_pack_is_valid(command: Command, program: Path) -> None:
    command("portal", "new", "acme")
    lines = (program / "acme.toml").read_text(encoding="utf-8").splitlines()
    example = re.compile(r"# (?=\[|\w+ = )")
    examples = [example.sub("", line, count=1) if example.match(line) else line for line in lines]

    pack = parse_toml("\n".join(examples), "acme.toml")

    assert pack.attachments.count is not None
    assert pack.fields.keys() == {"supplier"}


def test_a_new_pack_replaces_none_and_needs_a_name(command: Command, program: Path) -> None:
    (program / "packs").mkdir()
    (program / "packs" / "acme.toml").write_text("mine")

    there = command("portal", "new", "acme", "--packs-dir", "packs")
    wrong = command("portal", "new", "Acme Inc.")

    assert (there.exit_code, wrong.exit_code) == (ExitCode.USAGE, ExitCode.USAGE)
    assert "packs/acme.toml is there already" in there.stderr
    assert "is not a name for a pack" in wrong.stderr
    assert (program / "packs" / "acme.toml").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("no number",), ExitCode.INPUT, "'no number' is not an order number of this portal"),
        (("12345678", "--profile", "nobody"), ExitCode.PROFILE, "There is no profile nobody"),
    ],
)
def test_what_cannot_be_probed_is_told_before_a_browser_starts(
    command: Command, arguments: tuple[str, ...], code: ExitCode, told: str
) -> None:
    result = command("portal", "probe", "demo", *arguments, "--base-url", BASE_URL)

    assert result.exit_code == code
    assert told in result.stderr
