"""Loads the settings from all sources, and describes defaults, allowed values and errors in words."""

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

#: Sentences for errors that any setting can have.
_ODD: Mapping[str, str] = MappingProxyType(
    {
        CONTROL_KIND: "it contains an invisible character, perhaps the line ending of a Windows file",
        QUOTED_KIND: "its quotation marks are part of the value: remove them",
    }
)


def default_text(name: str) -> str:
    """Return the default of a setting in words; empty when it has none."""
    field = Settings.model_fields[name]
    words = setting_help(name).default
    if words or field.default in {None, "", SecretStr("")}:
        return words
    return str(field.default).lower() if isinstance(field.default, bool) else f"{field.default}".removesuffix(".0")


def allowed_text(name: str) -> str:
    """Return the allowed values of a setting, in words that follow "it must be"."""
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
    noun = words.get(kind, "a path")
    if "exclusiveMinimum" in schema:
        return f"{noun} above {schema['exclusiveMinimum']:g} and at most {schema['maximum']:g}"
    if "minimum" in schema:
        return f"{noun} from {schema['minimum']} to {schema['maximum']}"
    return f"{noun} that is not empty" if schema.get("minLength") else noun


@functools.cache
def _schemas() -> dict[str, Any]:
    return Settings.model_json_schema(by_alias=False)["properties"]


def error_sentence(problem: ErrorDetails, origin: str) -> str:
    """Return one sentence about an invalid setting, without the value of a secret or of an address with one.

    Args:
        problem: The error of the model.
        origin: Source of the value, in words that follow it; empty for the command line.
    """
    if problem["type"] == PROBLEM_KIND:
        return problem["msg"] if TOML_FILE in problem["msg"] else f"{problem['msg']} ({TOML_FILE})"
    name = str(problem["loc"][0])
    if problem["type"] == "extra_forbidden":
        return _unknown_name(name, origin)
    name = next((field for field in Settings.model_fields if name in {field, variable_name(field)}), name)
    is_secret = Settings.model_fields[name].annotation is SecretStr or "@" in str(problem["input"])
    value = "has an invalid value" if is_secret else f"is {str(problem['input'])!r}"
    value = " ".join(filter(None, (value, origin)))
    if problem["type"] in _ODD:
        return f"{name} {value}; {_ODD[problem['type']]}."
    names = ", ".join(filter(None, [*setting_help(name).flags, variable_name(name), f"{name} in {TOML_FILE}"]))
    return f"{name} {value}; it must be {allowed_text(name)} ({names})."


def _unknown_name(name: str, origin: str) -> str:
    plain = name.lower().removeprefix(ENV_PREFIX.lower())
    if plain in Settings.model_fields and plain != name:
        return f"{name} is called {plain} in {TOML_FILE}."
    near = difflib.get_close_matches(plain, Settings.model_fields, n=1)
    hint = f" Did you mean {variable_name(near[0])} or {near[0]} in {TOML_FILE}?" if near else ""
    where = f"; it is set {origin}" if origin else ""
    return f"{ENV_PREFIX}{plain.upper()} ({plain} in {TOML_FILE}) is not a setting of Poolwright{where}.{hint}"


def load_settings(given: Mapping[str, Any] | None = None) -> Settings:
    """Load the settings from all sources.

    Args:
        given: Settings of the command line by name; ``None`` if a setting was not given there.

    Raises:
        OptionsError: A value is not allowed, a name is unknown, or a file is not readable. One sentence for each.
    """
    if Path(TOML_FILE).is_dir():
        raise OptionsError(unreadable_file())
    try:
        return Settings(**{name: value for name, value in (given or {}).items() if value is not None})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        raise OptionsError("\n".join(dict.fromkeys(_sentence(problem, given or {}) for problem in problems))) from None
    except (OSError, ValueError) as error:
        reason = f" ({error.__cause__})." if error.__cause__ else ""
        message = unreadable_file() or f"{error}{reason}"
        raise OptionsError(message) from error


def _sentence(problem: ErrorDetails, given: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    is_from_command_line = given.get(name) is not None
    return error_sentence(problem, "" if is_from_command_line else setting_origin(Settings, name))
