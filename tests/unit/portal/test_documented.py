"""Who writes a pack finds every key of it in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from poolwright.portal import pack_schema, step_schema
from poolwright.portal.numbers import NumberRules
from poolwright.portal.pack import Pack

PAGE = (Path(__file__).parents[3] / "docs" / "portal-packs.md").read_text(encoding="utf-8")
MODELS: list[type[BaseModel]] = [
    Pack,
    NumberRules,
    *(
        one
        for module in (pack_schema, step_schema)
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, pack_schema.PackTable)
    ),
]
KEYS = sorted({field.alias or name for model in MODELS for name, field in model.model_fields.items()})


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_told(key: str) -> None:
    assert f"`{key}`" in PAGE or f"[{key}" in PAGE


WORDS = (pack_schema.LoginStep, pack_schema.NameSource, pack_schema.DialogPolicy, step_schema.SourceTrigger)


@pytest.mark.parametrize("word", [word for words in WORDS for word in words])
def test_every_word_that_a_key_can_have_is_told(word: str) -> None:
    assert f"`{word}`" in PAGE
