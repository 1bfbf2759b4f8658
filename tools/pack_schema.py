"""The JSON Schema of portal packs for editors, drawn from the models that read packs and from their comments."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from poolwright.portal.numbers import NumberRules
from poolwright.portal.pack import Pack
from poolwright.portal.pack_schema import PackTable

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COMMENT = "#:"


def pack_schema() -> str:
    """The schema as JSON, with the meaning of each key that a comment explains."""
    drawn = Pack.model_json_schema(by_alias=True)
    meanings = {model.__name__: dict(key_meanings(model)) for model in (NumberRules, *models(PackTable))}
    for name, table in (("Pack", drawn), *drawn.get("$defs", {}).items()):
        _explain(table, meanings.get(name, {}))
    head = {"$schema": _DIALECT, "title": "Portal pack of Poolwright"}
    return json.dumps(head | {key: value for key, value in drawn.items() if key != "title"}, indent=2) + "\n"


def models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Every model below a base."""
    for model in base.__subclasses__():
        yield model
        yield from models(model)


def key_meanings(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """The name of each key of a model as a file has it, and the comment above it; those of its bases come first."""
    for base in model.__bases__:
        if issubclass(base, BaseModel) and base.model_fields:
            yield from key_meanings(base)
    source = textwrap.dedent(inspect.getsource(model))
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            meaning = _comment_above(lines, node.lineno - 1)
            field = model.model_fields.get(node.target.id)
            if field is not None and meaning:
                yield field.alias or node.target.id, meaning


def _comment_above(lines: list[str], index: int) -> str:
    words: list[str] = []
    while index and lines[index - 1].strip().startswith(_COMMENT):
        index -= 1
        words.insert(0, lines[index].strip().removeprefix(_COMMENT).strip())
    return _plain(" ".join(words))


def _explain(table: dict[str, Any], meanings: dict[str, str]) -> None:
    """Put the meanings into one table, and take out the titles, which repeat the names."""
    table.pop("title", None)
    if "description" in table:
        table["description"] = _plain(table["description"])
    for name, key in table.get("properties", {}).items():
        key.pop("title", None)
        if name in meanings:
            key["description"] = meanings[name]


def _plain(text: str) -> str:
    return text.replace("``", "`")
