"""The schema that editors get says what the program takes, and explains the keys."""

from __future__ import annotations

import json
import tomllib
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from poolwright.portal.pack import shipped_names
from tests.unit.portal.authoring import written

FOLDER = resources.files("poolwright.portal")
SCHEMA: dict[str, Any] = json.loads(FOLDER.joinpath("pack.schema.json").read_text(encoding="utf-8"))


def mistakes(text: str) -> list[str]:
    """Where an editor shows a mistake."""
    errors = Draft202012Validator(SCHEMA).iter_errors(tomllib.loads(text))
    return [".".join(map(str, error.absolute_path)) for error in errors]


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", [*(f"packs/{name}.toml" for name in shipped_names()), "pack_skeleton.toml"])
def test_every_pack_that_comes_along_is_right_by_it(name: str) -> None:
    assert mistakes(FOLDER.joinpath(name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"site.prob": "/x"}, "site"),
        ({"attachments.links": "a"}, "attachments.links"),
        ({"login.ladder": ["prayer"]}, "login.ladder.0"),
        ({"limits.page_s": 0}, "limits.page_s"),
    ],
)
def test_a_mistake_is_one_by_it(changes: dict[str, Any], place: str) -> None:
    assert mistakes(written(changes)) == [place]


def test_it_explains_keys_in_the_words_of_the_code() -> None:
    site = SCHEMA["$defs"]["OrderSite"]["properties"]

    assert site["probe"]["description"] == "A page that only a logged-in user sees."
    assert "``" not in json.dumps(SCHEMA)
