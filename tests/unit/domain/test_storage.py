"""Errors of a file system by what they mean for whoever has to store something."""

from __future__ import annotations

import errno

import pytest

from poolwright.domain.errors import (
    DiskFullError,
    LockedError,
    StorageAwayError,
    StorageForbiddenError,
    TemporarilyUnavailableError,
)
from poolwright.domain.outcomes import Reason
from poolwright.domain.storage import STORAGE_REASONS, StorageTrouble, classify_os_error, classify_storage_error

FULL = ("ENOSPC", "EDQUOT")
AWAY = (
    *("EIO", "ENXIO", "ENODEV", "ENOMEDIUM", "EMEDIUMTYPE", "EUCLEAN", "EREMOTEIO", "ESHUTDOWN"),
    *("ESTALE", "ENOTCONN", "ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN", "ENETUNREACH", "ENETRESET"),
    *("ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "ENOLINK", "ENONET", "ECOMM", "EREMCHG", "ENOLCK"),
    *("EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"),
)
FORBIDDEN = ("EACCES", "EPERM", "EROFS", "EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "ENOKEY")
OTHER = ("ENAMETOOLONG", "EXDEV", "EEXIST", "ENOENT", "ENOTDIR", "EISDIR", "ENOTEMPTY", "EINVAL", "EFBIG", "ELOOP")


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        (name, trouble)
        for trouble, names in {
            StorageTrouble.FULL: FULL,
            StorageTrouble.AWAY: AWAY,
            StorageTrouble.FORBIDDEN: FORBIDDEN,
            StorageTrouble.OTHER: OTHER,
        }.items()
        for name in names
        if hasattr(errno, name)
    ],
)
def test_every_error_of_a_file_system_means_one_thing(name: str, trouble: StorageTrouble) -> None:
    error = OSError(getattr(errno, name), "")

    assert classify_os_error(error) is trouble
    assert classify_os_error(error).is_temporary is (trouble is not StorageTrouble.OTHER)


def test_an_order_that_cannot_be_stored_says_what_stands_in_its_way() -> None:
    assert STORAGE_REASONS == {
        StorageTrouble.FULL: Reason.DISK_FULL,
        StorageTrouble.AWAY: Reason.DISK_AWAY,
        StorageTrouble.FORBIDDEN: Reason.DISK_FORBIDDEN,
        StorageTrouble.OTHER: Reason.FILING_FAILED,
    }


def test_an_error_without_a_number_is_about_one_file() -> None:
    assert classify_os_error(OSError("it went wrong")) is StorageTrouble.OTHER


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (DiskFullError("told"), StorageTrouble.FULL),
        (StorageForbiddenError("told"), StorageTrouble.FORBIDDEN),
        (StorageAwayError("told"), StorageTrouble.AWAY),
        (LockedError("told"), StorageTrouble.AWAY),
    ],
)
def test_an_error_that_was_explained_already_means_the_same(
    error: TemporarilyUnavailableError, trouble: StorageTrouble
) -> None:
    assert classify_storage_error(error) is trouble
