"""Settings as options of commands. Flags, help, defaults and bounds come from the settings model alone.

A command with settings is declared with ``@SettingsCommand.with_settings(...)`` and receives the loaded settings.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Annotated, Any, Self, get_args, get_origin

import typer
from typer.models import OptionInfo

from poolwright.settings import Settings, default_text, load_settings, setting_help

#: The panels of the help, in their order.
ORDERS, PORTAL, BROWSERS, RUNNING = "Orders", "Portal and profile", "Browsers", "Running"
SERVICE, OUTPUT = "Service", "Output"
PANELS = (ORDERS, PORTAL, BROWSERS, RUNNING, SERVICE, OUTPUT)
#: Settings that only the daemon uses.
SERVICE_SETTINGS = ("host", "port", "allow_remote", "retention_days")
#: Panel and metavar in the help for each setting that has a flag.
SETTING_OPTIONS = {
    "out": (ORDERS, "FOLDER"),
    "folder_template": (ORDERS, "PATTERN"),
    "group_by": (ORDERS, "NAME"),
    "group_limit": (ORDERS, "N"),
    "retention_days": (ORDERS, "DAYS"),
    "profile": (PORTAL, "NAME"),
    "profiles_dir": (PORTAL, "FOLDER"),
    "portal": (PORTAL, "NAME|FILE"),
    "packs_dir": (PORTAL, "FOLDER"),
    "base_url": (PORTAL, "URL"),
    "workers": (BROWSERS, "N|auto"),
    "tabs_per_worker": (BROWSERS, "N"),
    "headless": (BROWSERS, None),
    "browser": (BROWSERS, "KIND|PROGRAM"),
    "browser_path": (BROWSERS, "PROGRAM"),
    "sandbox": (BROWSERS, "auto|on|off"),
    "rate": (RUNNING, "N"),
    "concurrency": (RUNNING, "N"),
    "ignore_hours": (RUNNING, None),
    "max_attempts": (RUNNING, "N"),
    "task_timeout_s": (RUNNING, "SECONDS"),
    "file_max_mb": (RUNNING, "MB"),
    "order_max_mb": (RUNNING, "MB"),
    "page_evidence": (ORDERS, "off|screenshot|pdf"),
    "unpack_archives": (ORDERS, None),
    "unpack_mails": (ORDERS, None),
    "mail_pdf": (ORDERS, None),
    "shutdown_timeout_s": (RUNNING, "SECONDS"),
    "memory_threshold": (RUNNING, "PART"),
    "recycle_after_tasks": (RUNNING, "N"),
    "recycle_after_minutes": (RUNNING, "MINUTES"),
    "runs_dir": (RUNNING, "FOLDER"),
    "host": (SERVICE, "ADDRESS"),
    "port": (SERVICE, "PORT"),
    "allow_remote": (SERVICE, None),
    "log_level": (OUTPUT, "LEVEL"),
    "log_file": (OUTPUT, "FILE"),
}
#: Settings that a daemon uses.
SERVE_SETTINGS = tuple(SETTING_OPTIONS)
#: Settings that a batch uses.
RUN_SETTINGS = tuple(name for name in SETTING_OPTIONS if name not in SERVICE_SETTINGS)

AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object per line, for scripts.", rich_help_panel=OUTPUT)
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print the summary only.", rich_help_panel=OUTPUT)]
Verbose = Annotated[
    bool,
    typer.Option("--verbose", "-v", help="Print lines and the log instead of the live view.", rich_help_panel=OUTPUT),
]
ProfileName = Annotated[str, typer.Argument(metavar="NAME", help="Name of the profile.", show_default=False)]

#: A command with a parameter of this name gets the values of the command line, to reload the settings later.
_GIVEN = "given"


class SettingsCommand:
    """Makes a function ``(settings, *, ...) -> None`` a command with its own options and those of its settings."""

    def __init__(self, function: Callable[..., None], names: tuple[str, ...]) -> None:
        """Wrap ``function``; ``names`` are the settings with a flag. All settings can also come from other sources."""
        _, *own_parameters = inspect.signature(function, eval_str=True).parameters.values()
        self._wants_given = any(parameter.name == _GIVEN for parameter in own_parameters)
        own_parameters = [parameter for parameter in own_parameters if parameter.name != _GIVEN]
        parameters = sorted((*own_parameters, *map(_parameter, names)), key=_panel_position)
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__signature__ = Signature(parameters)
        self.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        self._function = function
        self._names = names

    @classmethod
    def with_settings(cls, *names: str) -> Callable[[Callable[..., None]], Self]:
        """Declare which settings the command offers as options."""
        return lambda function: cls(function, names)

    def __call__(self, **values: Any) -> None:  # noqa: ANN401 - values of different types
        """Load the settings and run the command.

        Raises:
            OptionsError: A setting has an invalid value.
        """
        given = {name: values.pop(name) for name in self._names}
        self._function(load_settings(given), **values, **({_GIVEN: given} if self._wants_given else {}))


def _parameter(name: str) -> Parameter:
    panel, metavar = SETTING_OPTIONS[name]
    default = f" Default: {default_text(name)}." if default_text(name) else ""
    option = typer.Option(
        *setting_help(name).flags,
        help=f"{Settings.model_fields[name].description}{default}",
        metavar=metavar,
        rich_help_panel=panel,
        show_default=False,
    )
    kind = bool | None if Settings.model_fields[name].annotation is bool else str | None
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def _panel_position(parameter: Parameter) -> int:
    """Return the sort key: arguments first, then the panels in their order."""
    annotations = get_args(parameter.annotation)[1:] if get_origin(parameter.annotation) is Annotated else ()
    panels = [option.rich_help_panel for option in annotations if isinstance(option, OptionInfo)]
    return 1 + PANELS.index(panels[0]) if panels and panels[0] in PANELS else 0
