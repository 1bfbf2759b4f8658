"""Loads the settings from all sources, and describes defaults, allowed values and errors in sentences."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from poolwright.domain.errors import OptionsError
from poolwright.settings.config_sources import ENV_PREFIX, TOML_FILE, setting_origin, unreadable_file
from poolwright.settings.field_types import CONTROL_KIND, QUOTED_KIND
from poolwright.settings.model import Settings, setting_help, variable_name
from poolwright.settings.schedule_entry import PROBLEM_KIND

#: What makes a value none, whatever setting it is for.
_ODD: Mapping[str, str] = MappingProxyType(
    {
        CONTROL_KIND: "it contains an invisible character, perhaps the line ending of a Windows file",
        QUOTED_KIND: "its quotation marks are part of the value: remove them",
    }
)


def default_text(name: str) -> str:
    """The default of a setting in words; empty when it has none."""
    field = Settings.model_fields[name]
    words = setting_help(name).default
    if words or field.default in {None, "", SecretStr("")}:
        return words
    return str(field.default).lower() if isinstance(field.default, bool) else f"{field.default}".removesuffix(".0")


def allowed_text(name: str) -> str:
    """What a setting may be, in words that follow "it must be"."""
    words = setting_help(name).allowed
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


def error_sentence(problem: ErrorDetails, origin: str) -> str:
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
    name = next((field for field in Settings.model_fields if name in {field, variable_name(field)}), name)
    is_secret = Settings.model_fields[name].annotation is SecretStr or "@" in str(problem["input"])
    value = "has an invalid value" if is_secret else f"is {str(problem['input'])!r}"
    value = " ".join(filter(None, (value, origin)))
    if problem["type"] in _ODD:
        return f"{name} {value}; {_ODD[problem['type']]}."
    ways = ", ".join(filter(None, [*setting_help(name).flags, variable_name(name), f"{name} in {TOML_FILE}"]))
    return f"{name} {value}; it must be {allowed_text(name)} ({ways})."


def _stray(name: str, origin: str) -> str:
    plain = name.lower().removeprefix(ENV_PREFIX.lower())
    if plain in Settings.model_fields and plain != name:
        return f"{name} is called {plain} in {TOML_FILE}."
    near = difflib.get_close_matches(plain, Settings.model_fields, n=1)
    hint = f" Did you mean {variable_name(near[0])} or {near[0]} in {TOML_FILE}?" if near else ""
    where = f"; it stands {origin}" if origin else ""
    return f"{ENV_PREFIX}{plain.upper()} ({plain} in {TOML_FILE}) is not a setting of Poolwright{where}.{hint}"


def load_settings(given: Mapping[str, Any] | None = None) -> Settings:
    """Read every source.

    Args:
        given: Settings by name as the command line gave them; those that are ``None`` were not given.

    Raises:
        OptionsError: A value is not allowed, a name is no setting, or a file is not readable. One sentence for each.
    """
    if Path(TOML_FILE).is_dir():
        raise OptionsError(unreadable_file())
    try:
        return Settings(**{name: value for name, value in (given or {}).items() if value is not None})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        raise OptionsError("\n".join(dict.fromkeys(_sentence(problem, given or {}) for problem in problems))) from None
    except (OSError, ValueError) as error:
        why = f" ({error.__cause__})." if error.__cause__ else ""
        told = unreadable_file() or f"{error}{why}"
        raise OptionsError(told) from error


def _sentence(problem: ErrorDetails, given: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    is_of_command_line = given.get(name) is not None
    return error_sentence(problem, "" if is_of_command_line else setting_origin(Settings, name))
