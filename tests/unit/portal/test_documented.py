"""Who writes a pack finds every key of it in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from poolwright.portal import file_rules, login_schema, pack_schema, step_schema, triage_marks
from poolwright.portal.calls import post_rule
from poolwright.portal.numbers import NumberRules
from poolwright.portal.pack import Pack

PAGE = (Path(__file__).parents[3] / "docs" / "portal-packs.md").read_text(encoding="utf-8")
MODELS: list[type[BaseModel]] = [
    Pack,
    NumberRules,
    *(
        one
        for module in (pack_schema, file_rules, login_schema, step_schema, triage_marks, post_rule)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, BaseModel)
    ),
]
WORDS = [*login_schema.LoginStep, *login_schema.HttpScheme, *pack_schema.NameSource, *pack_schema.DialogPolicy]
KEYS = sorted({field.alias or name for model in MODELS for name, field in model.model_fields.items()})


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_told(key: str) -> None:
    assert f"`{key}`" in PAGE or f"[{key}" in PAGE


@pytest.mark.parametrize("word", [*WORDS, *triage_marks.PageKind, *step_schema.SourceTrigger])
def test_every_word_that_a_key_can_have_is_told(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("secret", login_schema.SecretName)
def test_every_secret_that_a_pack_can_name_is_told(secret: str) -> None:
    assert f"`{{{secret}}}`" in PAGE
