"""The damage mark of a profile, which refuses every further run until a person has decided.

And the commands that resolve it.

It lies beside the base of a named profile (``base.damaged.json``). The ``Profile`` that is found damaged writes it at
once, also when only a clone was harmed: what harms one clone harms the next. Only a person's command takes it away.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from poolwright.files.disk import replace_private_file
from poolwright.profile.errors import ProfileRefusedError, unreadable_error
from poolwright.profile.repository import FILE_NAME, refuse_newer_layout


def is_named_profile(base: Path) -> bool:
    """Whether a base belongs to a named profile, so that commands can work on it; so most do, where nobody can tell."""
    try:
        return (base.parent / FILE_NAME).is_file()
    except OSError:  # nobody is told to remove what does not answer
        return True


def remediation(base: Path) -> str:
    """The next step, in whole sentences."""
    if not is_named_profile(base):
        return f"Remove {base}, and the next start makes it anew."
    name = base.parent.name
    return (
        f"Run `poolwright profile restore {name}` to go back to the last good copy, "
        f"or `poolwright profile accept {name}` if you changed the profile yourself."
    )


def with_remediation(text: str, base: Path) -> str:
    """A text that ends with the next step, once."""
    step = remediation(base)
    return text if step in text else f"{text} {step}"


class DamageMark(BaseModel):
    """What was found, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Version of this file's layout.
    schema_version: Literal[1] = Field(default=1, alias="schema")
    found_at: AwareDatetime
    #: One or more whole sentences.
    why: str


def damage_mark_path(base: Path) -> Path:
    """Where the mark of a base lies."""
    return base.with_name(f"{base.name}.damaged.json")


def mark_damaged(base: Path, why: str, now: datetime) -> bool:
    """Note that a run ended because a profile was damaged. The first note stays.

    Args:
        base: The user-data folder that the run's clones came from.
        why: What was found, in whole sentences.
        now: Aware UTC now.

    Returns:
        Whether the base is marked. One that belongs to no named profile isn't: no command could take the mark away.

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
    """The mark of a base; nothing when there is none.

    Raises:
        ProfileDamagedError: It can't be read.
        ProfileRefusedError: There is one, and nobody knows what it says.
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


def refuse_marked(base: Path) -> None:
    """Make sure that no damage of a base, or of a clone of it, is still undecided.

    Raises:
        ProfileRefusedError: One is. The sentence names the commands that lead out.
        ProfileDamagedError: The mark can't be read.
    """
    marker = read_damage_mark(base)
    if marker is not None:
        found = f"A run ended on {marker.found_at:%d %b %Y at %H:%M} UTC because {base} or a clone of it was damaged"
        raise ProfileRefusedError(with_remediation(f"{found}: {marker.why}", base))


def clear_damage_mark(base: Path) -> None:
    """Take the mark away, because a person has decided. A missing mark is no error.

    Raises:
        OSError: It can't be removed.
    """
    damage_mark_path(base).unlink(missing_ok=True)
