"""The mark of a damaged profile: it refuses every further run until a person has decided.

It lies beside the base of a named profile (``base.damaged.json``). The ``Profile`` that is found damaged writes it at
once, also when only a clone was harmed: what harms one clone harms the next. Only a person's command takes it away.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from poolwright.files.disk import replace_private_file
from poolwright.profile.failures import ProfileRefusedError, unreadable
from poolwright.profile.guidance import guided, is_named, ways_out
from poolwright.profile.layout import refuse_newer


class Marker(BaseModel):
    """What was found, and when."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Version of this file's layout.
    schema_version: Literal[1] = Field(default=1, alias="schema")
    found_at: AwareDatetime
    #: One or more whole sentences.
    why: str


def marker_path(base: Path) -> Path:
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
    if not is_named(base):
        return False
    path = marker_path(base)
    if not path.exists():
        replace_private_file(path, Marker(found_at=now, why=why).model_dump_json(by_alias=True, indent=1).encode())
    return True


def read_marker(base: Path) -> Marker | None:
    """The mark of a base; nothing when there is none.

    Raises:
        ProfileDamagedError: It can't be read.
        ProfileRefusedError: There is one, and nobody knows what it says.
    """
    path = marker_path(base)
    try:
        written = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(path, error) from error
    try:
        return Marker.model_validate_json(written)
    except ValidationError as error:
        refuse_newer(path, written)
        raise ProfileRefusedError(f"{path} marks {base} as damaged without a reason. {ways_out(base)}") from error


def refuse_marked(base: Path) -> None:
    """Make sure that no damage of a base, or of a clone of it, is still undecided.

    Raises:
        ProfileRefusedError: One is. The sentence names the commands that lead out.
        ProfileDamagedError: The mark can't be read.
    """
    marker = read_marker(base)
    if marker is not None:
        found = f"A run ended on {marker.found_at:%d %b %Y at %H:%M} UTC because {base} or a clone of it was damaged"
        raise ProfileRefusedError(guided(f"{found}: {marker.why}", base))


def clear_mark(base: Path) -> None:
    """Take the mark away, because a person has decided. A missing mark is no error.

    Raises:
        OSError: It can't be removed.
    """
    marker_path(base).unlink(missing_ok=True)
