"""Every key of a TOML text is found where an editor shows it, also in a text that is no TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poolwright.files.toml_positions import KeyPath, TextPosition, TomlPositions

TEXT = """\
schema = 1
[site]
  probe = "/po"  # the list
[triage."session lost"]
address = ["ü", "^/login",
  "^/sso"]
'Größe' = {"ü" = 1, status = [401]}
[[steps]]
click = "a"
[[steps]]
fill.user = "b"
[steps.until]
text = "c"
"""


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("schema",), 1, 1),
        (("site",), 2, 2),
        (("site", "probe"), 3, 3),
        (("triage",), 4, 2),
        (("triage", "session lost"), 4, 9),
        (("triage", "session lost", "address"), 5, 1),
        (("triage", "session lost", "address", 1), 5, 17),
        (("triage", "session lost", "address", 2), 6, 3),
        (("triage", "session lost", "Größe", "status"), 7, 21),
        (("triage", "session lost", "Größe", "status", 0), 7, 31),
        (("steps", 0, "click"), 9, 1),
        (("steps", 1, "fill", "user"), 11, 6),
        (("steps", 1, "until", "text"), 13, 1),
    ],
)
def test_a_key_is_found_in_its_line_and_column(path: KeyPath, line: int, column: int) -> None:
    assert TomlPositions.parse(TEXT).find(path) == TextPosition(line=line, column=column)


def test_a_key_that_is_missing_is_found_where_its_table_is() -> None:
    positions = TomlPositions.parse(TEXT)

    assert positions.find(("site", "order")) == TextPosition(line=2, column=2)
    assert positions.find(("limits", "page_s")) is None


def test_names_that_only_the_model_has_are_left_out_of_a_path() -> None:
    positions = TomlPositions.parse(TEXT)

    assert positions.existing(("steps", 0, "ClickStep", "click")) == ("steps", 0, "click")


def test_the_keys_before_a_broken_line_are_found() -> None:
    positions = TomlPositions.parse("[site]\nprobe = '/po'\norder = \n")

    assert positions.find(("site", "probe")) == TextPosition(line=2, column=1)


@given(st.text())
def test_any_text_has_positions_or_none(text: str) -> None:
    TomlPositions.parse(text.encode(errors="replace").decode())


def _paths(value: object, path: KeyPath = ()) -> Iterator[KeyPath]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield (*path, key)
            yield from _paths(below, (*path, key))


def test_no_key_of_a_text_is_missed() -> None:
    positions = TomlPositions.parse(TEXT)

    for path in _paths(tomllib.loads(TEXT)):
        assert positions.existing(path) == path
