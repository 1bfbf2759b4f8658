"""Describes the mistakes in a pack file: where each is, which keys are allowed there, and which one was meant. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType, UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from poolwright.portal.errors import PackProblem
from poolwright.portal.toml_positions import KeyPath, TextPosition, TomlPositions

#: Words for kinds of values; the library's own are about Python.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "missing": "it is missing",
        "tuple_type": 'it must be a list in square brackets, such as ["..."]',
        "model_type": "it must be a table",
        "dict_type": "it must be a table",
        "string_type": "it must be a text in quotation marks",
    }
)
_SYNTAX_POSITION = re.compile(r" \(at line (\d+), column (\d+)\)$")
#: Maximum of the tables that a problem names as the right place of a key.
_SHOWN_TABLES = 2
#: Levels of tables in a pack; a model that contains itself ends there.
_DEPTH_MAX = 6


def describe_syntax_error(error: tomllib.TOMLDecodeError) -> PackProblem:
    """Return the problem of a text that is not TOML."""
    position = _SYNTAX_POSITION.search(str(error))
    text = f"not readable as TOML: {_SYNTAX_POSITION.sub('', str(error))}"
    if position is None:
        return PackProblem(text=text)
    return PackProblem(text=text, line=int(position[1]), column=int(position[2]))


def describe_problems(error: ValidationError, text: str, model: type[BaseModel]) -> Iterator[PackProblem]:
    """Yield each problem of a TOML text that a model refused."""
    positions = TomlPositions.parse(text)
    for problem in error.errors(include_url=False):
        path = positions.existing(problem["loc"])
        if problem["type"] == "missing":
            path = (*path, problem["loc"][-1])
        position = positions.find(path) or TextPosition(line=1, column=1)
        yield PackProblem(
            key=_dotted(path),
            text=_text(problem, path, model),
            line=position.line,
            column=position.column,
        )


def allowed_keys(model: type[BaseModel], table: KeyPath) -> tuple[str, ...]:
    """Return the keys that a table may have; empty if the model does not know the table."""
    return tuple(dict.fromkeys(key for kind in _kinds_at(model, table) if _is_model(kind) for key in _fields(kind)))


def tables_with(model: type[BaseModel], key: str) -> tuple[str, ...]:
    """Return the tables in which a key is allowed, as they are written in a file."""
    return tuple(dict.fromkeys(table for table, kind in _tables(model, "", 0) if table and key in _fields(kind)))


def _text(problem: ErrorDetails, path: KeyPath, model: type[BaseModel]) -> str:
    match problem["type"]:
        case "extra_forbidden":
            return _unknown_key(model, path)
        case "enum" | "literal_error":
            return _wrong_word(problem)
        case "tuple_type" if all(map(_is_model, _kinds_at(model, path))):
            return f"it must be a table, such as [[{_dotted([part for part in path if isinstance(part, str)])}]]"
        case kind if kind in _WORDS:
            return _WORDS[kind]
        case _:
            return problem["msg"].removeprefix("Value error, ").replace("Input should be", "it must be", 1)


def _unknown_key(model: type[BaseModel], path: KeyPath) -> str:
    key, table = str(path[-1]), path[:-1]
    allowed = allowed_keys(model, table)
    text = f"it is not a key of [{_dotted(table)}]" if table else "it is not a key at the top of a pack"
    text += f"; allowed are {', '.join(allowed)}" if allowed else ""
    near = get_close_matches(key.lower().replace("-", "_"), allowed, n=1)
    if near:
        return f"{text}; did you mean {near[0]}?"
    others = tables_with(model, key)
    if others:
        return f"{text}; {key} is a key of {' and '.join(f'[{name}]' for name in others[:_SHOWN_TABLES])}"
    return text


def _wrong_word(problem: ErrorDetails) -> str:
    words = re.findall(r"'([^']*)'", str(problem.get("ctx", {}).get("expected", "")))
    near = get_close_matches(str(problem["input"]).lower(), words, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"{problem['msg'].replace('Input should be', 'it must be', 1)}{hint}"


def _dotted(path: Sequence[str | int]) -> str:
    return ".".join(map(str, path))


def _fields(model: type[BaseModel]) -> dict[str, Any]:
    """Return the type of each key, by the name that it has in a file."""
    return {field.alias or name: field.annotation for name, field in model.model_fields.items()}


def _kinds_at(model: type[BaseModel], path: KeyPath) -> list[Any]:
    """Return the types of a value, or of its entries if it is a list: its only table may stand in its place."""
    kinds: list[Any] = [model]
    for part in path:
        kinds = [below for kind in kinds for below in _below(kind, part)]
    entries = ((_alternatives(get_args(kind)[0]) if get_origin(kind) in {tuple, list} else (kind,)) for kind in kinds)
    return [kind for group in entries for kind in group]


def _below(kind: Any, part: str | int) -> Iterator[Any]:  # noqa: ANN401 - any type that a field can have
    """Yield the types of a key, or of an entry of a list, in a value of this type."""
    if _is_model(kind):
        yield from _alternatives(_fields(kind).get(str(part)))
    elif get_origin(kind) in {tuple, list}:
        entries = _alternatives(get_args(kind)[0])
        yield from entries if isinstance(part, int) else (below for entry in entries for below in _below(entry, part))
    elif get_origin(kind) is dict:
        yield from _alternatives(get_args(kind)[1])


def _alternatives(kind: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Yield a type, or the members of a union."""
    if hasattr(kind, "__metadata__"):
        yield from _alternatives(kind.__origin__)
    elif get_origin(kind) in {Union, UnionType}:
        for member in get_args(kind):
            yield from _alternatives(member)
    elif kind is not None:
        yield kind


def _is_model(kind: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _tables(model: type[BaseModel], name: str, depth: int) -> Iterator[tuple[str, type[BaseModel]]]:
    yield name, model
    if depth == _DEPTH_MAX:
        return
    for key, kind in _fields(model).items():
        path = f"{name}.{key}" if name else key
        for below, label in _entries(kind, path):
            yield from _tables(below, label, depth + 1)


def _entries(kind: Any, path: str) -> Iterator[tuple[type[BaseModel], str]]:  # noqa: ANN401 - as above
    """Yield the tables that a key can hold, each with its name in a file."""
    for below in _alternatives(kind):
        if _is_model(below):
            yield below, path
        elif get_origin(below) in {dict, tuple, list}:
            label = f"{path}.NAME" if get_origin(below) is dict else path
            values = get_args(below)[1 if get_origin(below) is dict else 0]
            yield from ((entry, label) for entry in _alternatives(values) if _is_model(entry))
