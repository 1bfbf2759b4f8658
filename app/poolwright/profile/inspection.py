"""Inspects named profiles for lists and reports. It only reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from poolwright.domain.errors import PoolError
from poolwright.profile.base import BaseFacts, check_base
from poolwright.profile.damage import damage_mark_path
from poolwright.profile.errors import (
    ProfileDamagedError,
    ProfileFileError,
    ProfileInUseError,
    ProfileMissingError,
    ProfileRefusedError,
)
from poolwright.profile.locks import read_locked
from poolwright.profile.repository import NamedProfile, ProfileFile
from poolwright.profile.seal import read_seal


class ProfileHealth(StrEnum):
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
_HEALTH_OF_ERROR = (
    (ProfileFileError, ProfileHealth.UNREADABLE),
    (ProfileInUseError, ProfileHealth.IN_USE),
    (ProfileMissingError, ProfileHealth.EMPTY),
    (ProfileDamagedError, ProfileHealth.DAMAGED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileInspection:
    """The result of inspecting one profile."""

    profile: NamedProfile
    health: ProfileHealth
    #: Why it can't be used, and what to do; empty when it is fit.
    why: str = ""
    #: What its file says; nothing when that can't be read.
    content: ProfileFile | None = None
    #: What is in its base; nothing when that is not fit.
    facts: BaseFacts | None = None
    #: When its login was last known good; nothing when it was never sealed.
    sealed_at: datetime | None = None


def inspect_profile(profile: NamedProfile) -> ProfileInspection:
    """Inspect a profile as a run does before it clones it. Takes a few milliseconds."""
    content = facts = None
    try:
        content = profile.read()
        with read_locked(profile.base_path):
            facts = check_base(profile.base_path)
    except PoolError as error:
        standing, why = _health(profile, error), str(error)
    else:
        standing, why = ProfileHealth.FIT, ""
    return ProfileInspection(
        profile=profile, health=standing, why=why, content=content, facts=facts, sealed_at=_sealed_at(profile)
    )


def _health(profile: NamedProfile, error: PoolError) -> ProfileHealth:
    # A mark is what a check meets first, and refuses by.
    if isinstance(error, ProfileRefusedError) and damage_mark_path(profile.base_path).exists():
        return ProfileHealth.MARKED
    return next((standing for kind, standing in _HEALTH_OF_ERROR if isinstance(error, kind)), ProfileHealth.REFUSED)


def _sealed_at(profile: NamedProfile) -> datetime | None:
    try:
        seal = read_seal(profile.base_path)
    except PoolError:
        return None
    return seal.created_at if seal else None
