"""Which Office program a compound file is of: its directory names the streams that each program keeps in one."""

from __future__ import annotations

import struct
from pathlib import Path

_SECTOR_SHIFT_AT, _DIRECTORY_AT = 0x1E, 0x30
_SHIFTS = frozenset({9, 12})
_HEADER_BYTES = 512
#: Directories begin with the streams that matter.
_DIRECTORY_BYTES = 8192
_STREAMS = (
    ("__substg1.0_", "application/vnd.ms-outlook"),
    ("__nameid_version1.0", "application/vnd.ms-outlook"),
    ("__properties_version1.0", "application/vnd.ms-outlook"),
    ("WordDocument", "application/msword"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("VisioDocument", "application/vnd.visio"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
)


def media_type_of_compound(path: Path) -> str:
    """The media type of a compound file; empty where its directory does not tell.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            return ""
        (shift,) = struct.unpack_from("<H", header, _SECTOR_SHIFT_AT)
        (sector,) = struct.unpack_from("<I", header, _DIRECTORY_AT)
        if shift not in _SHIFTS:
            return ""
        file.seek((sector + 1) << shift)
        directory = file.read(_DIRECTORY_BYTES)
    return next((kind for stream, kind in _STREAMS if stream.encode("utf-16-le") in directory), "")
