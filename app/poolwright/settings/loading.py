"""Reads every source of settings and puts what is wrong into words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from poolwright.domain.errors import OptionsError
from poolwright.settings.model import Settings
from poolwright.settings.sources import TOML_FILE, origin_of, unreadable
from poolwright.settings.words import sentence


def load_settings(given: Mapping[str, Any] | None = None) -> Settings:
    """Read every source.

    Args:
        given: Settings by name as the command line gave them; those that are ``None`` were not given.

    Raises:
        OptionsError: A value is not allowed, a name is no setting, or a file is not readable. One sentence for each.
    """
    if Path(TOML_FILE).is_dir():
        raise OptionsError(unreadable())
    try:
        return Settings(**{name: value for name, value in (given or {}).items() if value is not None})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        raise OptionsError("\n".join(dict.fromkeys(_sentence(problem, given or {}) for problem in problems))) from None
    except (OSError, ValueError) as error:
        why = f" ({error.__cause__})." if error.__cause__ else ""
        told = unreadable() or f"{error}{why}"
        raise OptionsError(told) from error


def _sentence(problem: ErrorDetails, given: Mapping[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else ""
    is_of_command_line = given.get(name) is not None
    return sentence(problem, "" if is_of_command_line else origin_of(Settings, name))
