"""What a file is by its name, and how it is called once it was taken. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto
from pathlib import PurePath

from poolwright.intake.content_kind import LIST_SUFFIXES

#: Files that programs write beside or before the real one: office programs, browsers, copying tools.
_TEMPORARY_PREFIXES = (".", "~")
_TEMPORARY_SUFFIXES = ("~", ".part", ".partial", ".filepart", ".tmp", ".temp", ".crdownload", ".download", ".lock")
_STAMP = "%Y%m%dT%H%M%S%fZ"


class Kind(Enum):
    """Kinds of files in the inbox."""

    LIST = auto()
    #: Nothing, and nothing is told: another program will take it away or rename it.
    TEMPORARY = auto()
    #: Nothing, and that is told.
    FOREIGN = auto()


def kind_of(name: str) -> Kind:
    """Return the kind of a file by its name."""
    if name.startswith(_TEMPORARY_PREFIXES) or name.lower().endswith(_TEMPORARY_SUFFIXES):
        return Kind.TEMPORARY
    return Kind.LIST if PurePath(name).suffix.lower() in LIST_SUFFIXES else Kind.FOREIGN


def stamp(now: datetime) -> str:
    """Return a unique, sortable timestamp for file names."""
    return now.strftime(_STAMP)


def stamped(name: str, moment: str) -> str:
    """Return the file name with a timestamp, so that files of one name do not collide."""
    path = PurePath(name)
    return f"{path.stem}.{moment}{path.suffix}"
