"""What an error of a file system means for whoever has to store something: one classification for all of Poolwright.

Filing, monitors, reports and clones ask here, so that none of them waits for what another one calls a failure. Pure.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from poolwright.domain.errors import DiskFullError, StorageForbiddenError, TemporarilyUnavailableError
from poolwright.domain.outcomes import Reason


class StorageTrouble(StrEnum):
    """Why something could not be stored."""

    #: There is no room: it passes when somebody makes some.
    FULL = "full"
    #: The storage does not answer, or answers with errors of its own: it may come back.
    AWAY = "away"
    #: We may not write there: it passes when somebody gives us the right.
    FORBIDDEN = "forbidden"
    #: It is about this one file, or cannot pass: another name, another try, or an end.
    OTHER = "other"

    @property
    def may_pass(self) -> bool:
        """Whether waiting can help, and trying again at once cannot."""
        return self is not StorageTrouble.OTHER


#: By name, because no system knows them all. What is not named here is about one file.
_NAMES: Mapping[StorageTrouble, tuple[str, ...]] = MappingProxyType(
    {
        StorageTrouble.FULL: ("ENOSPC", "EDQUOT"),
        StorageTrouble.AWAY: (
            # A disk or a mount that broke, went to sleep or was pulled out.
            *("EIO", "ENXIO", "ENODEV", "ENOMEDIUM", "EMEDIUMTYPE", "EUCLEAN", "EREMOTEIO", "ESHUTDOWN"),
            # A share whose server does not answer, or answers for another export than before.
            *("ESTALE", "ENOTCONN", "ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ENETRESET"),
            *("ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "ENOLINK", "ENONET", "ECOMM", "EREMCHG", "ENOLCK"),
            # The system is short of what every file needs.
            *("EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"),
        ),
        StorageTrouble.FORBIDDEN: (
            *("EACCES", "EPERM", "EROFS"),
            # A ticket for a network share has run out.
            *("EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "ENOKEY"),
        ),
    }
)
_BY_NUMBER: Mapping[int, StorageTrouble] = MappingProxyType(
    {
        number: trouble
        for trouble, names in _NAMES.items()
        for name in names
        if (number := getattr(errno, name, None)) is not None
    }
)


#: Why an order could not be done for it.
STORAGE_REASONS: Mapping[StorageTrouble, Reason] = MappingProxyType(
    {
        StorageTrouble.FULL: Reason.DISK_FULL,
        StorageTrouble.AWAY: Reason.DISK_AWAY,
        StorageTrouble.FORBIDDEN: Reason.DISK_FORBIDDEN,
        StorageTrouble.OTHER: Reason.FILING_FAILED,
    }
)


def trouble_of(error: OSError) -> StorageTrouble:
    """What an error of the system means for what was to be stored."""
    return _BY_NUMBER.get(error.errno or 0, StorageTrouble.OTHER)


def trouble_told(error: TemporarilyUnavailableError) -> StorageTrouble:
    """The same of an error that a room has explained already."""
    match error:
        case DiskFullError():
            return StorageTrouble.FULL
        case StorageForbiddenError():
            return StorageTrouble.FORBIDDEN
        case _:
            return StorageTrouble.AWAY
