"""How each named profile stands, at a glance: what lists and reports tell of it. It is only read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from poolwright.domain.errors import PoolError
from poolwright.profile.base import BaseFacts, check_base
from poolwright.profile.failures import (
    ProfileDamagedError,
    ProfileFileError,
    ProfileInUseError,
    ProfileMissingError,
    ProfileRefusedError,
)
from poolwright.profile.home import NamedProfile, ProfileFile
from poolwright.profile.locks import read_locked
from poolwright.profile.marker import marker_path
from poolwright.profile.seal import read_seal


class Standing(StrEnum):
    """Whether a profile can be used, in one word for a table."""

    FIT = "fit"
    #: No browser ever opened it, so nobody can be logged in.
    EMPTY = "empty"
    IN_USE = "in use"
    #: A run ended because of damage, and no person has decided yet.
    MARKED = "marked"
    DAMAGED = "damaged"
    #: Its place or its cookies forbid its use.
    REFUSED = "refused"
    #: Its ``profile.toml`` can't be read.
    UNREADABLE = "unreadable"


#: First match counts; what stands nowhere is refused.
_OF_ERROR = (
    (ProfileFileError, Standing.UNREADABLE),
    (ProfileInUseError, Standing.IN_USE),
    (ProfileMissingError, Standing.EMPTY),
    (ProfileDamagedError, Standing.DAMAGED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The result of inspecting one profile."""

    profile: NamedProfile
    standing: Standing
    #: Why it can't be used, and what to do; empty when it is fit.
    why: str = ""
    #: What its file says; nothing when that can't be read.
    content: ProfileFile | None = None
    #: What is in its base; nothing when that is not fit.
    facts: BaseFacts | None = None
    #: When its login was last known good; nothing when it was never sealed.
    sealed_at: datetime | None = None


def look_at(profile: NamedProfile) -> Sight:
    """Inspect a profile as a run does before it clones it. Takes a few milliseconds."""
    content = facts = None
    try:
        content = profile.read()
        with read_locked(profile.base_path):
            facts = check_base(profile.base_path)
    except PoolError as error:
        standing, why = _standing(profile, error), str(error)
    else:
        standing, why = Standing.FIT, ""
    return Sight(
        profile=profile, standing=standing, why=why, content=content, facts=facts, sealed_at=_sealed_at(profile)
    )


def _standing(profile: NamedProfile, error: PoolError) -> Standing:
    # A mark is what a check meets first, and refuses by.
    if isinstance(error, ProfileRefusedError) and marker_path(profile.base_path).exists():
        return Standing.MARKED
    return next((standing for kind, standing in _OF_ERROR if isinstance(error, kind)), Standing.REFUSED)


def _sealed_at(profile: NamedProfile) -> datetime | None:
    try:
        seal = read_seal(profile.base_path)
    except PoolError:
        return None
    return seal.created_at if seal else None
