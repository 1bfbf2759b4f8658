"""What ``make mutants`` decides; that its mutants are found is proven by running it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("mutmut", reason="libcst has no wheel for it here")

from tools import mutants
from tools.mutants import Explanation, Tally, Verdict
from tools.outside_mutants import Change, changed_lines, outside_mutants

MODULE = "poolwright/portal/numbers.py"
CHANGE = Change(MODULE, "_shown", "x <= 1", "x < 1")
EQUAL = Explanation(module=MODULE, function="_shown", before="x <= 1", after="x < 1", because="There is no 1.")


def mutants_of(code: str) -> list[tuple[str, str, str]]:
    found = [one.change for one in outside_mutants("poolwright/one.py", code)]
    return [(one.function, one.before, one.after) for one in found]


def test_a_row_may_be_missing_and_a_move_may_lead_nowhere() -> None:
    code = "ROWS = {\n    A: {\n        Go: B,\n    },\n    B: {},\n}\n"

    assert mutants_of(code) == [
        ("(module)", "A: { Go: B, },", ""),
        ("(module)", "Go: B,", "Go: A,"),
        ("(module)", "B: {},", ""),
        ("(module)", "Go: B,", ""),
    ]


def test_a_move_that_stays_where_it_is_cannot_be_led_back() -> None:
    assert ("(module)", "Go: A,", "Go: A,") not in mutants_of("ROWS = {\n    A: {\n        Go: A,\n    },\n}\n")


def test_an_element_may_be_missing_unless_it_is_the_only_one() -> None:
    assert [after for _, _, after in mutants_of("ONES = {A, B}\n")] == ["ONES = {B}", "ONES = {A, }"]
    assert mutants_of("ONE = {A}\n") == []


def test_what_a_module_offers_is_no_rule() -> None:
    assert mutants_of('__all__ = ["a", "b"]\n') == []


def test_figures_and_answers_outside_functions_are_changed() -> None:
    code = "LIMIT = 3\n\n\nclass Slot:\n    is_up: bool = False\n    age_s: float | None = None\n"

    assert mutants_of(code) == [
        ("(module)", "LIMIT = 3", "LIMIT = 4"),
        ("Slot", "is_up: bool = False", "is_up: bool = True"),
    ]


def test_a_property_is_changed_here_and_a_plain_function_by_mutmut() -> None:
    code = (
        "class Slot:\n"
        "    @property\n"
        "    def is_over(self) -> bool:\n"
        "        return self.used > 1\n\n"
        "    @classmethod\n"
        "    def make(cls) -> bool:\n"
        "        return 1 > 2\n\n"
        "    def plain(self) -> bool:\n"
        "        return 1 > 2\n"
    )

    assert mutants_of(code) == [
        ("Slot.is_over", "return self.used > 1", "return self.used >= 1"),
        ("Slot.is_over", "return self.used > 1", "return self.used > 2"),
    ]


def test_every_mutant_holds_the_rest_of_its_module() -> None:
    (one,) = outside_mutants("poolwright/one.py", '"""Words."""\n\nLIMIT = 3  # few\nOTHER = "3"\n')

    assert one.code == '"""Words."""\n\nLIMIT = 4  # few\nOTHER = "3"\n'


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a\nb\nc\n", "a\nx\nc\n", ("b", "x")),
        ("a\nb\nc\n", "a\nc\n", ("b", "")),
        ("a\na\n", "a\n", ("a", "")),
        ("f(\n    a,\n    b,\n)\n", "f(\n    a,\n    None,\n)\n", ("b,", "None,")),
        ("a\n", "a\n", ("", "")),
    ],
)
def test_a_mutant_is_told_by_the_lines_that_differ(before: str, after: str, told: tuple[str, str]) -> None:
    assert changed_lines(before, after) == told


def test_words_narrow_a_run_to_modules_whose_path_holds_one() -> None:
    there = ["poolwright/portal/triage.py", MODULE, "poolwright/domain/states.py", "poolwright/cli/main.py"]
    patterns = ["poolwright/portal/*.py", "poolwright/domain/*.py"]

    assert mutants.chosen_modules(patterns, there, []) == [there[2], MODULE, there[0]]
    assert mutants.chosen_modules(patterns, there, ["states", "numbers"]) == [there[2], MODULE]
    assert mutants.chosen_modules(patterns, there, ["cli"]) == []


def test_a_module_is_held_by_the_tests_of_its_room() -> None:
    selection = ["tests/contract/domain", "tests/unit/portal/test_numbers.py", "tests/unit/domain"]

    assert mutants.tests_for(MODULE, selection) == ["tests/unit/portal/test_numbers.py"]
    assert mutants.tests_for("poolwright/domain/states.py", selection) == [selection[0], selection[2]]


def test_what_is_changed_and_what_holds_it_is_there() -> None:
    known = mutants.settings()

    assert [one for one in known["pytest_add_cli_args_test_selection"] if not (mutants.ROOT / one).exists()] == []
    assert [one for one in known["only_mutate"] if not list(mutants.SOURCE.glob(one))] == []


def test_every_survivor_is_explained_or_named() -> None:
    other = Change(MODULE, "_plain", "a", "b")

    verdict = mutants.judge({MODULE: Tally(killed=1, survivors=[other, CHANGE])}, [EQUAL])

    assert verdict == Verdict(explained={MODULE: 1}, unexplained=[other], stale=[])


def test_an_explanation_without_a_place_speaks_of_the_change_wherever_it_is() -> None:
    anywhere = Explanation(before="x <= 1", after="x < 1", because="There is no 1.")

    assert anywhere.fits(CHANGE)
    assert not anywhere.fits(Change(MODULE, "_shown", "x <= 1", "x <= 2"))
    assert not EQUAL.fits(Change(MODULE, "_plain", "x <= 1", "x < 1"))
    assert not EQUAL.fits(Change("poolwright/other.py", "_shown", "x <= 1", "x < 1"))


def test_an_explanation_of_what_no_longer_survives_is_named_where_its_module_was_looked_at() -> None:
    assert mutants.judge({MODULE: Tally(killed=3)}, [EQUAL]).stale == [f"{MODULE}, _shown: x < 1"]
    assert mutants.judge({"poolwright/other.py": Tally(killed=3)}, [EQUAL]).stale == []


def test_an_explanation_without_a_sentence_is_refused() -> None:
    entry = '[[equal]]\nmodule = "m"\nfunction = "f"\nbefore = "a"\nafter = ""\nbecause = "{}"\n'

    assert mutants.explanations(entry.format("It is so.")) == [
        Explanation(module="m", function="f", before="a", after="", because="It is so.")
    ]
    with pytest.raises(ValueError, match=r"m, f: \(nothing\): `because` must hold a sentence"):
        mutants.explanations(entry.format("so"))


def test_the_list_of_the_explained_can_be_read() -> None:
    assert mutants.explanations(mutants.EXPLAINED.read_text(encoding="utf-8"))


def test_what_cannot_be_noticed_counts_neither_way() -> None:
    tally = Tally(killed=19, survivors=[CHANGE, CHANGE])

    assert mutants.share(tally, 0) == 19 / 21
    assert mutants.share(tally, 1) == 0.95
    assert mutants.share(Tally(), 0) == 1.0


def test_the_table_has_a_line_for_each_module_and_one_for_all() -> None:
    tallies = {
        MODULE: Tally(killed=8, survivors=[CHANGE, CHANGE]),
        "poolwright/other.py": Tally(killed=10, open_count=5),
    }

    _, *rows = [line.split() for line in mutants.table(tallies, {MODULE: 1}).splitlines()]

    assert rows == [
        [MODULE, "10", "8", "1", "1", "88.9%"],
        ["poolwright/other.py", "15", "10", "0", "0", "100.0%"],
        ["all", "25", "18", "1", "1", "94.7%"],
    ]


@pytest.mark.parametrize(
    ("tally", "code"),
    [
        (Tally(killed=1), 0),
        (Tally(killed=1, survivors=[CHANGE]), 1),
        (Tally(killed=1, open_count=1), 1),
    ],
)
def test_a_survivor_and_one_that_was_not_judged_make_the_run_fail(
    tally: Tally, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutants, "EXPLAINED", tmp_path / "none.toml")
    mutants.EXPLAINED.touch()

    assert mutants.report({MODULE: tally}) == code


@pytest.mark.parametrize(
    ("module", "name"),
    [(MODULE, "poolwright.portal.numbers"), ("poolwright/domain/states/__init__.py", "poolwright.domain.states")],
)
def test_a_module_is_called_as_mutmut_calls_it(module: str, name: str) -> None:
    assert mutants.dotted(module) == name


def test_a_module_without_functions_holds_nothing_for_mutmut() -> None:
    assert mutants.has_functions(MODULE)
    assert not mutants.has_functions("poolwright/domain/__init__.py")
