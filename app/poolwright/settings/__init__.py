"""The only reader of the environment, of ``.env`` and of ``poolwright.toml``.

One model holds every setting with its meaning, its unit and what is allowed; the command line's help, ``.env.example``
and the table of docs/settings.md are drawn from it. A value on the command line wins over the environment, that over
``.env``, that over ``poolwright.toml``, and that over the default. Rooms below never import this: they get options.
"""

from poolwright.settings.face import Face, LogLevel
from poolwright.settings.loading import load_settings
from poolwright.settings.model import Settings, face, variable
from poolwright.settings.schedule import Missed, Overlap, ScheduleEntry
from poolwright.settings.supervision import Supervision
from poolwright.settings.words import allowed, default

__all__ = [
    "Face",
    "LogLevel",
    "Missed",
    "Overlap",
    "ScheduleEntry",
    "Settings",
    "Supervision",
    "allowed",
    "default",
    "face",
    "load_settings",
    "variable",
]
