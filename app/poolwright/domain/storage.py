"""Classifies file system errors: which ones pass by themselves, and which ones concern a single file.

Filing, monitors, reports and clones all use this classification, so they agree on which errors to wait for. Pure.
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

    #: No space is left: it passes when a person frees some.
    FULL = "full"
    #: The storage does not answer, or answers with errors of its own: it may recover.
    AWAY = "away"
    #: Writing is not permitted: it passes when a person grants the permission.
    FORBIDDEN = "forbidden"
    #: It concerns this file alone, or is permanent: try another name, try again, or fail.
    OTHER = "other"

    @property
    def is_temporary(self) -> bool:
        """Whether waiting can help, while an immediate retry cannot."""
        return self is not StorageTrouble.OTHER


#: By name, because no system has them all. Errors that are not listed concern one file.
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
            # A ticket for a network share has expired.
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


#: The reason of an order that failed because of it.
STORAGE_REASONS: Mapping[StorageTrouble, Reason] = MappingProxyType(
    {
        StorageTrouble.FULL: Reason.DISK_FULL,
        StorageTrouble.AWAY: Reason.DISK_AWAY,
        StorageTrouble.FORBIDDEN: Reason.DISK_FORBIDDEN,
        StorageTrouble.OTHER: Reason.FILING_FAILED,
    }
)


def classify_os_error(error: OSError) -> StorageTrouble:
    """Return the classification of an error of the system."""
    return _BY_NUMBER.get(error.errno or 0, StorageTrouble.OTHER)


def classify_storage_error(error: TemporarilyUnavailableError) -> StorageTrouble:
    """Return the classification of an error that already has a type of its own."""
    match error:
        case DiskFullError():
            return StorageTrouble.FULL
        case StorageForbiddenError():
            return StorageTrouble.FORBIDDEN
        case _:
            return StorageTrouble.AWAY
