"""Writes and reads the damage mark of a profile, which refuses every further run until a person decides.

It is beside the base of a named profile (``base.damaged.json``). A ``Profile`` writes it as soon as damage is found,
also if only a clone is damaged, since the next clone may be damaged by the same cause. Only the commands accept and
restore remove it.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from poolwright.files.disk import replace_private_file
from poolwright.profile.errors import ProfileNewerError, ProfileRefusedError, unreadable_error
from poolwright.profile.repository import FILE_NAME, refuse_newer_layout


def is_named_profile(base: Path) -> bool:
    """Return whether a base belongs to a named profile, for which there are commands; true if that can't be read."""
    try:
        return (base.parent / FILE_NAME).is_file()
    except OSError:  # a base on a disk that does not answer must not be removed
        return True


def remediation(base: Path) -> str:
    """Return the next step, in whole sentences."""
    if not is_named_profile(base):
        return f"Remove {base}; the next start creates it again."
    name = base.parent.name
    return (
        f"Run `poolwright profile restore {name}` to go back to the last backup, "
        f"or `poolwright profile accept {name}` if you changed the profile yourself."
    )


def with_remediation(text: str, base: Path) -> str:
    """Return the text with the next step at its end, if it has none yet."""
    step = remediation(base)
    return text if step in text else f"{text} {step}"


class DamageMark(BaseModel):
    """The content of a damage mark."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Version of this file's layout.
    schema_version: Literal[1] = Field(default=1, alias="schema")
    found_at: AwareDatetime
    #: One or more whole sentences.
    why: str


def damage_mark_path(base: Path) -> Path:
    """Return the path of the damage mark of a base."""
    return base.with_name(f"{base.name}.damaged.json")


def mark_damaged(base: Path, why: str, now: datetime) -> bool:
    """Write the mark that a run ended because a profile was damaged. An earlier mark stays.

    Args:
        base: The user-data folder from which the run's clones were made.
        why: The damage, in whole sentences.
        now: Aware UTC now.

    Returns:
        Whether the base is marked. False for a base without a named profile, as no command could remove the mark.

    Raises:
        OSError: The mark can't be written.
    """
    if not is_named_profile(base):
        return False
    path = damage_mark_path(base)
    if not path.exists():
        replace_private_file(path, DamageMark(found_at=now, why=why).model_dump_json(by_alias=True, indent=1).encode())
    return True


def read_damage_mark(base: Path) -> DamageMark | None:
    """Return the damage mark of a base; ``None`` when there is none.

    Raises:
        ProfileDamagedError: It can't be read.
        ProfileRefusedError: Its content is not valid.
    """
    path = damage_mark_path(base)
    try:
        written = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable_error(path, error) from error
    try:
        return DamageMark.model_validate_json(written)
    except ValidationError as error:
        refuse_newer_layout(path, written)
        raise ProfileRefusedError(f"{path} marks {base} as damaged without a reason. {remediation(base)}") from error


def describe_damage_mark(base: Path) -> str:
    """Return what tells the damage mark of a base from another one, to follow its name; empty when there is none.

    An invalid mark is described, too: a person decides about it as about any other one.

    Raises:
        ProfileDamagedError: It can't be read.
        ProfileNewerError: A newer version wrote it.
    """
    try:
        mark = read_damage_mark(base)
    except ProfileNewerError:
        raise
    except ProfileRefusedError:
        return "without a valid reason"
    return f"of {mark.found_at:%d %b %Y at %H:%M} UTC" if mark else ""


def refuse_newer_mark(base: Path) -> None:
    """Make sure that no newer version marked a base, as its reason is unknown and may not be removed.

    Raises:
        ProfileNewerError: A newer version marked it.
    """
    path = damage_mark_path(base)
    with contextlib.suppress(OSError):  # reported by `read_damage_mark`
        refuse_newer_layout(path, path.read_bytes())


def refuse_marked(base: Path) -> None:
    """Make sure that a base has no damage mark.

    Raises:
        ProfileRefusedError: It has one. The sentence names the commands that resolve it.
        ProfileDamagedError: The mark can't be read.
    """
    mark = read_damage_mark(base)
    if mark is not None:
        event = f"A run ended on {mark.found_at:%d %b %Y at %H:%M} UTC because {base} or a clone of it was damaged"
        raise ProfileRefusedError(with_remediation(f"{event}: {mark.why}", base))


def clear_damage_mark(base: Path) -> None:
    """Remove the mark, because a person has decided. A missing mark is no error.

    Raises:
        OSError: It can't be removed.
    """
    damage_mark_path(base).unlink(missing_ok=True)
