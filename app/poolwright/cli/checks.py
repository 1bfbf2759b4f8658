"""One line of the doctor, and of other commands that look at many things: what there is, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """What a check found."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the doctor."""

    name: str
    level: Level
    #: What there is.
    found: str
    #: What to do about it; empty when it is in order.
    advice: str = ""


def ok(name: str, found: str) -> Check:
    """In order."""
    return Check(name=name, level=Level.OK, found=found)


def warn(name: str, found: str, advice: str) -> Check:
    """A run works, with a drawback."""
    return Check(name=name, level=Level.WARN, found=found, advice=advice)


def fail(name: str, found: str, advice: str) -> Check:
    """A run cannot work."""
    return Check(name=name, level=Level.FAIL, found=found, advice=advice)
