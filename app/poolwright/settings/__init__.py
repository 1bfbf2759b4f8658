"""The only reader of the environment, of ``.env`` and of ``poolwright.toml``.

One model holds every setting with its meaning, its unit and what is allowed; the command line's help, ``.env.example``
and the table of docs/settings.md are drawn from it. A value on the command line wins over the environment, that over
``.env``, that over ``poolwright.toml``, and that over the default. Rooms below never import this: they get options.
"""

from poolwright.settings.config_sources import SystemdEnvironment
from poolwright.settings.field_types import LogLevel, SettingHelp
from poolwright.settings.loader import allowed_text, default_text, load_settings
from poolwright.settings.model import Settings, setting_help, variable_name
from poolwright.settings.schedule_entry import MissedRunPolicy, OverlapPolicy, ScheduleEntry

__all__ = [
    "LogLevel",
    "MissedRunPolicy",
    "OverlapPolicy",
    "ScheduleEntry",
    "SettingHelp",
    "Settings",
    "SystemdEnvironment",
    "allowed_text",
    "default_text",
    "load_settings",
    "setting_help",
    "variable_name",
]
