"""Reads all settings: no other package reads the environment, ``.env`` or ``poolwright.toml``.

One model defines every setting with its meaning, its unit and its allowed values; the help of the command line,
``.env.example`` and docs/settings.md are generated from it. The command line takes precedence over the environment,
``.env``, ``poolwright.toml`` and the default, in this order. Only ``cli`` and ``service`` import this package; all
others get options.
"""

from poolwright.settings.config_sources import SystemdEnvironment, has_proxy_script
from poolwright.settings.field_types import LogLevel, SettingHelp
from poolwright.settings.loader import allowed_text, default_text, load_settings
from poolwright.settings.model import Settings, setting_help, variable_name
from poolwright.settings.pool_settings import PoolSettings, refuse_foreign_settings
from poolwright.settings.schedule_entry import MissedRunPolicy, OverlapPolicy, ScheduleEntry

__all__ = [
    "LogLevel",
    "MissedRunPolicy",
    "OverlapPolicy",
    "PoolSettings",
    "ScheduleEntry",
    "SettingHelp",
    "Settings",
    "SystemdEnvironment",
    "allowed_text",
    "default_text",
    "has_proxy_script",
    "load_settings",
    "refuse_foreign_settings",
    "setting_help",
    "variable_name",
]
