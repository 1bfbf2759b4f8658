"""Reloads the settings of a running daemon: what takes effect at once, and what needs a restart. Pure.

The settings model marks the settings that take effect at once. The others keep their values until the daemon is
restarted, and are reported again at each reload until then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import SecretStr

from poolwright.settings import Settings, load_settings, setting_help


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingChange:
    """One changed setting."""

    name: str
    #: Displayed values; empty for a secret.
    before: str
    after: str
    acts_at_once: bool

    @property
    def text(self) -> str:
        """Return the change, and when it takes effect, in one sentence."""
        values = f" from {self.before} to {self.after}" if self.before else ""
        since = "; in effect now." if self.acts_at_once else "; takes effect after a restart of the daemon."
        return f"{self.name} was changed{values}{since}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadResult:
    """The settings after a reload, and the changes."""

    #: The settings in effect from now on.
    settings: Settings
    changes: tuple[SettingChange, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Return one sentence for each change, or one sentence that there is none."""
        return tuple(change.text for change in self.changes) or ("No setting was changed.",)


def reload_settings(running: Settings, given: Mapping[str, Any]) -> ReloadResult:
    """Read all settings sources again.

    Args:
        running: The settings in effect.
        given: Settings of the daemon's command line, which still take precedence.

    Raises:
        OptionsError: A value is not valid. The settings in effect stay.
    """
    return compare_settings(running, load_settings(given))


def compare_settings(running: Settings, wanted: Settings) -> ReloadResult:
    """Return the changes, and apply those that take effect at once."""
    changes = tuple(
        _setting_change(name, getattr(running, name), getattr(wanted, name))
        for name in Settings.model_fields
        if getattr(running, name) != getattr(wanted, name)
    )
    applied = {change.name: getattr(wanted, change.name) for change in changes if change.acts_at_once}
    return ReloadResult(settings=running.model_copy(update=applied), changes=changes)


def _setting_change(name: str, before: object, after: object) -> SettingChange:
    is_secret = isinstance(before, SecretStr)
    return SettingChange(
        name=name,
        before="" if is_secret else _display_value(before),
        after="" if is_secret else _display_value(after),
        acts_at_once=setting_help(name).acts_at_once,
    )


def _display_value(value: object) -> str:
    if isinstance(value, tuple):  # schedules: their names suffice
        return ", ".join(str(getattr(item, "name", item)) for item in cast("tuple[object, ...]", value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(str(value)) if value not in {None, ""} else "nothing"
