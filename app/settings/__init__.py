"""The only reader of the environment, of ``.env`` and of ``poolwright.toml``.

One model holds every setting with its meaning, its unit and what is allowed; the command line's help, ``.env.example``
and the table of the README are drawn from it. A value on the command line wins over the environment, that over
``.env``, that over ``poolwright.toml``, and that over the default. Rooms below never import this: they get options.
"""

from app.settings.face import Face, LogLevel
from app.settings.loading import load_settings
from app.settings.model import Settings, face, variable
from app.settings.schedule import Missed, Overlap, ScheduleEntry
from app.settings.supervision import Supervision
from app.settings.words import allowed, default

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
