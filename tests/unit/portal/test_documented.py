"""Who writes a pack finds every key of it in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from poolwright.portal import login_schema, pack_schema
from poolwright.portal.numbers import NumberRules
from poolwright.portal.pack import Pack

PAGE = (Path(__file__).parents[3] / "docs" / "portal-packs.md").read_text(encoding="utf-8")
MODELS: list[type[BaseModel]] = [
    Pack,
    NumberRules,
    *(
        one
        for schema in (pack_schema, login_schema)
        for one in vars(schema).values()
        if isinstance(one, type) and issubclass(one, pack_schema.PackTable)
    ),
]
WORDS = [*login_schema.LoginStep, *login_schema.HttpScheme, *pack_schema.NameSource, *pack_schema.DialogPolicy]
KEYS = sorted({field.alias or name for model in MODELS for name, field in model.model_fields.items()})


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_told(key: str) -> None:
    assert f"`{key}`" in PAGE or f"[{key}" in PAGE


@pytest.mark.parametrize("word", WORDS)
def test_every_word_that_a_key_can_have_is_told(word: str) -> None:
    assert f"`{word}`" in PAGE


@pytest.mark.parametrize("secret", login_schema.SecretName)
def test_every_secret_that_a_pack_can_name_is_told(secret: str) -> None:
    assert f"`{{{secret}}}`" in PAGE
