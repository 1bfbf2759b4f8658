"""Reads every source of settings and puts what is wrong into words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from app.domain.failures import OptionsError
from app.settings.model import Settings
from app.settings.sources import ENV_FILE, TOML_FILE
from app.settings.words import sentence


def load_settings(given: Mapping[str, Any] | None = None) -> Settings:
    """Read every source.

    Args:
        given: Settings by name as the command line gave them; those that are ``None`` were not given.

    Raises:
        OptionsError: A value is not allowed, a name is no setting, or a file is not readable. One sentence for each.
    """
    try:
        return Settings(**{name: value for name, value in (given or {}).items() if value is not None})
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        raise OptionsError("\n".join(dict.fromkeys(map(sentence, problems)))) from None
    except (OSError, ValueError) as error:
        raise OptionsError(f"{ENV_FILE} or {TOML_FILE} in this folder is not readable: {error}.") from error
