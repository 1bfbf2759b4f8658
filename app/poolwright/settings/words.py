"""Settings in words: their defaults, what they may be, and one sentence for a value that is not allowed."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr
from pydantic_core import ErrorDetails

from poolwright.settings.checks import CONTROL_KIND, QUOTED_KIND
from poolwright.settings.model import Settings, face, variable
from poolwright.settings.schedule import PROBLEM_KIND
from poolwright.settings.sources import ENV_PREFIX, TOML_FILE

#: What makes a value none, whatever setting it is for.
_ODD: Mapping[str, str] = MappingProxyType(
    {
        CONTROL_KIND: "it contains an invisible character, perhaps the line ending of a Windows file",
        QUOTED_KIND: "its quotation marks are part of the value: remove them",
    }
)


def default(name: str) -> str:
    """The default of a setting in words; empty when it has none."""
    field = Settings.model_fields[name]
    words = face(name).default
    if words or field.default in {None, "", SecretStr("")}:
        return words
    return str(field.default).lower() if isinstance(field.default, bool) else f"{field.default}".removesuffix(".0")


def allowed(name: str) -> str:
    """What a setting may be, in words that follow "it must be"."""
    words = face(name).allowed
    return words or _choices(Settings.model_fields[name].annotation) or _range(name)


def _choices(annotation: object) -> str:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        *most, last = (str(choice.value) for choice in annotation)
        return f"{', '.join(most)} or {last}"
    return "true or false" if annotation is bool else ""


def _range(name: str) -> str:
    schema = _schemas()[name]
    kind = schema.get("format", schema.get("type"))
    words = {"integer": "a whole number", "number": "a number", "string": "text", "password": "text"}
    what = words.get(kind, "a path")
    if "exclusiveMinimum" in schema:
        return f"{what} above {schema['exclusiveMinimum']:g} and at most {schema['maximum']:g}"
    if "minimum" in schema:
        return f"{what} from {schema['minimum']} to {schema['maximum']}"
    return f"{what} that is not empty" if schema.get("minLength") else what


@functools.cache
def _schemas() -> dict[str, Any]:
    return Settings.model_json_schema(by_alias=False)["properties"]


def sentence(problem: ErrorDetails, origin: str) -> str:
    """One wrong setting in one sentence. A secret's value is never told, nor an address that may hold one.

    Args:
        problem: What the model says.
        origin: Where it was given, in words that follow the value; empty for the command line.
    """
    if problem["type"] == PROBLEM_KIND:
        return problem["msg"] if TOML_FILE in problem["msg"] else f"{problem['msg']} ({TOML_FILE})"
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return _stray(name, origin)
    name = next((field for field in Settings.model_fields if name in {field, variable(field)}), name)
    is_secret = Settings.model_fields[name].annotation is SecretStr or "@" in str(problem["input"])
    value = "has an invalid value" if is_secret else f"is {str(problem['input'])!r}"
    value = " ".join(filter(None, (value, origin)))
    if problem["type"] in _ODD:
        return f"{name} {value}; {_ODD[problem['type']]}."
    ways = ", ".join(filter(None, [*face(name).flags, variable(name), f"{name} in {TOML_FILE}"]))
    return f"{name} {value}; it must be {allowed(name)} ({ways})."


def _stray(name: str, origin: str) -> str:
    plain = name.lower().removeprefix(ENV_PREFIX.lower())
    if plain in Settings.model_fields and plain != name:
        return f"{name} is called {plain} in {TOML_FILE}."
    near = difflib.get_close_matches(plain, Settings.model_fields, n=1)
    hint = f" Did you mean {variable(near[0])} or {near[0]} in {TOML_FILE}?" if near else ""
    where = f"; it stands {origin}" if origin else ""
    return f"{ENV_PREFIX}{plain.upper()} ({plain} in {TOML_FILE}) is not a setting of Poolwright{where}.{hint}"
