"""Where settings come from beside the command line: the environment, ``.env`` and ``poolwright.toml``."""

from __future__ import annotations

import re
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource

ENV_PREFIX = "POOLWRIGHT_"
ENV_FILE = ".env"
TOML_FILE = "poolwright.toml"
#: Kubernetes puts such variables into every container beside a service named ``poolwright``.
_OF_KUBERNETES = re.compile(r"poolwright_(service_host|(service_)?port)(_|$)")


def variable_of(name: str, field: FieldInfo) -> str:
    """The environment variable of a field of the model."""
    alias = field.validation_alias
    return alias if isinstance(alias, str) else f"{ENV_PREFIX}{name.upper()}"


class Environment(EnvSettingsSource):
    """The environment, with names that begin like ours and are no setting: a typing error must not pass in silence."""

    def __call__(self) -> dict[str, Any]:
        """What the environment says, strays included: the model refuses these by name."""
        known = {variable_of(name, field).lower() for name, field in self.settings_cls.model_fields.items()}
        prefix = ENV_PREFIX.lower()
        strays = {
            name.removeprefix(prefix): value
            for name, value in self.env_vars.items()
            if name.startswith(prefix) and name not in known and value and not _OF_KUBERNETES.match(name)
        }
        # Kubernetes calls one like a setting of ours, with an address where that is a number.
        own = {name: value for name, value in super().__call__().items() if name != "port" or "://" not in str(value)}
        return {**own, **strays}
