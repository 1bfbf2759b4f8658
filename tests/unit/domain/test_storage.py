"""Errors of a file system by what they mean for whoever has to store something."""

from __future__ import annotations

import errno

import pytest

from app.domain.storage import StorageTrouble, trouble_of

FULL = ("ENOSPC", "EDQUOT")
AWAY = (
    "EIO",
    "ENXIO",
    "ENODEV",
    "ESTALE",
    "ENOTCONN",
    "ETIMEDOUT",
    "EHOSTDOWN",
    "EHOSTUNREACH",
    "ENETDOWN",
    "ENETUNREACH",
    "ECONNREFUSED",
    "EMFILE",
    "ENFILE",
)
FORBIDDEN = ("EACCES", "EPERM", "EROFS", "EKEYEXPIRED")
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

    assert trouble_of(error) is trouble
    assert trouble_of(error).may_pass is (trouble is not StorageTrouble.OTHER)


def test_an_error_without_a_number_is_about_one_file() -> None:
    assert trouble_of(OSError("it went wrong")) is StorageTrouble.OTHER
