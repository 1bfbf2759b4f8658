"""Inspects named profiles for tables and reports. It only reads."""

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
from poolwright.profile.in_use import read_locked
from poolwright.profile.repository import NamedProfile, ProfileFile
from poolwright.profile.seal import read_seal


class ProfileHealth(StrEnum):
    """The state of a profile, in one or two words for a table."""

    FIT = "fit"
    #: No browser ever opened it, so nobody can be logged in.
    EMPTY = "empty"
    IN_USE = "in use"
    #: A run ended because of damage, and no person has decided yet.
    MARKED = "marked"
    DAMAGED = "damaged"
    #: It can't be used because of its place or its cookies.
    REFUSED = "refused"
    #: Its ``profile.toml`` can't be read.
    UNREADABLE = "unreadable"


#: The first match counts; other errors mean ``REFUSED``.
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
    #: Cause and next step if it can't be used; empty when it is fit.
    why: str = ""
    #: Content of ``profile.toml``; ``None`` if that can't be read.
    content: ProfileFile | None = None
    #: Facts about its base; ``None`` if that is not fit.
    facts: BaseFacts | None = None
    #: When its login was last known to be good; ``None`` if it was never sealed.
    sealed_at: datetime | None = None


def inspect_profile(profile: NamedProfile) -> ProfileInspection:
    """Inspect a profile as a run does before it clones it. Takes a few milliseconds."""
    content = facts = None
    try:
        content = profile.read()
        with read_locked(profile.base_path):
            facts = check_base(profile.base_path)
    except PoolError as error:
        health, reason = _health(profile, error), str(error)
    else:
        health, reason = ProfileHealth.FIT, ""
    return ProfileInspection(
        profile=profile, health=health, why=reason, content=content, facts=facts, sealed_at=_sealed_at(profile)
    )


def _health(profile: NamedProfile, error: PoolError) -> ProfileHealth:
    # A check refuses a marked base before anything else.
    if isinstance(error, ProfileRefusedError) and damage_mark_path(profile.base_path).exists():
        return ProfileHealth.MARKED
    return next((health for kind, health in _HEALTH_OF_ERROR if isinstance(error, kind)), ProfileHealth.REFUSED)


def _sealed_at(profile: NamedProfile) -> datetime | None:
    try:
        seal = read_seal(profile.base_path)
    except PoolError:
        return None
    return seal.created_at if seal else None
