"""Which program a ZIP container is of: documents of today are folders of parts, and the parts name the program."""

from __future__ import annotations

import zipfile
from pathlib import Path

from poolwright.archive.formats import FORMATS

#: Every package of Office has this part.
_TYPES_PART = "[content_types].xml"
#: Parts and the endings of what has them, the surest first.
_PARTS = (
    ("xl/workbook.bin", "xlsb"),
    ("xl/vbaproject.bin", "xlsm"),
    ("word/vbaproject.bin", "docm"),
    ("ppt/vbaproject.bin", "pptm"),
    ("word/", "docx"),
    ("xl/", "xlsx"),
    ("ppt/", "pptx"),
    ("visio/", "vsdx"),
    ("3d/", "3mf"),
    ("fixeddocumentsequence.fdseq", "xps"),
)
#: A part of other packages that says what they are.
_TYPE_PART = "mimetype"
_TYPE_MAX_BYTES = 200


def media_type_of_package(path: Path) -> str:
    """The media type of a document that is a ZIP container; empty where it is of no program that is known.

    Raises:
        OSError: The file cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as package:
            names = package.namelist()
            if _TYPE_PART in names:
                with package.open(_TYPE_PART) as part:
                    return _known(part.read(_TYPE_MAX_BYTES).decode("ascii", "replace").strip())
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError):
        return ""  # cut short, or packed in a way that is not known here
    parts = {name.replace("\\", "/").lower() for name in names}
    if _TYPES_PART not in parts:
        return ""
    ending = next((ending for begin, ending in _PARTS if any(part.startswith(begin) for part in parts)), "")
    return FORMATS[ending].media_type if ending else ""


def _known(media_type: str) -> str:
    return media_type if any(known.media_type == media_type for known in FORMATS.values()) else ""
