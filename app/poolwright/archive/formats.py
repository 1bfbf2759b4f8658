"""The one table of endings: what each promises, and which ending a media type gets. Pure; shared with the worker.

A dot in a name makes no ending: what stands behind the last one counts only when it is in this table. A name promises
a kind, and sometimes several: a spreadsheet with a password is a compound file whatever its name, and programs export
tables of HTML as ``.xls``. Kinds are coarse for that reason: they tell a document from an error page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """The kind of content of a file, as a phrase for an error sentence."""

    PDF = "a PDF"
    ZIP = "a ZIP container"
    COMPOUND = "an Office compound file"
    RTF = "rich text"
    HTML = "a web page"
    OFFICE_HTML = "a web page made by an Office program"
    XML = "XML"
    JSON = "JSON"
    TEXT = "text"
    IMAGE = "an image"
    BINARY = "binary data"


@dataclass(frozen=True, slots=True)
class Format:
    """What the ending of a name promises."""

    media_type: str
    kinds: frozenset[Kind]


_PDF = frozenset({Kind.PDF})
_ZIP = frozenset({Kind.ZIP})
_COMPOUND = frozenset({Kind.COMPOUND})
_PACKED = _ZIP | _COMPOUND
_LOOSE_OFFICE = _PACKED | {Kind.RTF, Kind.OFFICE_HTML, Kind.XML, Kind.TEXT}
_BINARY = frozenset({Kind.BINARY})
_PICTURE = frozenset({Kind.IMAGE, Kind.BINARY})
_BYTES = _BINARY | _ZIP
#: UTF-16 without a mark looks like binary data.
_WORDS = frozenset({Kind.TEXT, Kind.XML, Kind.JSON, Kind.BINARY})
#: Data in letters; what is JSON or XML has a name of its own.
_DATA = frozenset({Kind.TEXT, Kind.BINARY})
_MARKUP = frozenset({Kind.XML, Kind.TEXT, Kind.BINARY})
_WEB = frozenset({Kind.HTML, Kind.OFFICE_HTML, Kind.XML, Kind.TEXT})
_DRAWING = _WORDS | _PACKED
_POSTSCRIPT = frozenset({Kind.PDF, Kind.TEXT, Kind.BINARY})
#: Whatever has a file of its own; a page of a portal has none.
_ANYTHING = frozenset(Kind) - {Kind.HTML, Kind.OFFICE_HTML}
#: What people write in words, or what may hold anything: a sentence is a whole file of such a kind.
PROSE_TYPES = frozenset({"text/plain", "text/markdown", "application/msword", "message/rfc822", "multipart/related"})
#: What may be a code from its first letter to its last: keys, seals, certificates.
CODE_TYPES = frozenset(
    {
        "application/pkcs7-mime",
        "application/pkcs7-signature",
        "application/pgp-signature",
        "application/x-pem-file",
        "application/pkix-cert",
        "application/vnd.apple.keynote",
    }
)
#: The media type of which nothing is known.
ANY_BYTES = "application/octet-stream"
_OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"

#: Endings without their dot. Of several with one media type, the first is the one that a nameless file gets.
FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "pdf": Format("application/pdf", _PDF),
        "xlsx": Format(f"{_OOXML}.spreadsheetml.sheet", _PACKED),
        "xlsm": Format("application/vnd.ms-excel.sheet.macroenabled.12", _PACKED),
        "xlsb": Format("application/vnd.ms-excel.sheet.binary.macroenabled.12", _PACKED),
        "xltx": Format(f"{_OOXML}.spreadsheetml.template", _PACKED),
        "docx": Format(f"{_OOXML}.wordprocessingml.document", _PACKED),
        "docm": Format("application/vnd.ms-word.document.macroenabled.12", _PACKED),
        "dotx": Format(f"{_OOXML}.wordprocessingml.template", _PACKED),
        "pptx": Format(f"{_OOXML}.presentationml.presentation", _PACKED),
        "pptm": Format("application/vnd.ms-powerpoint.presentation.macroenabled.12", _PACKED),
        "ppsx": Format(f"{_OOXML}.presentationml.slideshow", _PACKED),
        "vsdx": Format("application/vnd.ms-visio.drawing", _PACKED),
        "odt": Format(f"{_ODF}.text", _ZIP),
        "ods": Format(f"{_ODF}.spreadsheet", _ZIP),
        "odp": Format(f"{_ODF}.presentation", _ZIP),
        "odg": Format(f"{_ODF}.graphics", _ZIP),
        "zip": Format("application/zip", _ZIP),
        "jar": Format("application/java-archive", _ZIP),
        "epub": Format("application/epub+zip", _ZIP),
        "xps": Format("application/vnd.ms-xpsdocument", _ZIP),
        "3mf": Format("model/3mf", _ZIP),
        "kmz": Format("application/vnd.google-earth.kmz", _ZIP),
        "hwpx": Format("application/hwp+zip", _ZIP),
        "ofd": Format("application/ofd", _ZIP),
        "pages": Format("application/vnd.apple.pages", _ZIP),
        "numbers": Format("application/vnd.apple.numbers", _ZIP),
        "key": Format("application/vnd.apple.keynote", _ZIP | _WORDS),
        "msg": Format("application/vnd.ms-outlook", _COMPOUND),
        "xls": Format("application/vnd.ms-excel", _LOOSE_OFFICE),
        "doc": Format("application/msword", _LOOSE_OFFICE),
        "ppt": Format("application/vnd.ms-powerpoint", _PACKED),
        "pps": Format("application/vnd.ms-powerpoint", _PACKED),
        "vsd": Format("application/vnd.visio", _COMPOUND),
        "mpp": Format("application/vnd.ms-project", _COMPOUND),
        "pub": Format("application/vnd.ms-publisher", _COMPOUND | _WORDS),
        "hwp": Format("application/x-hwp", _COMPOUND),
        "msi": Format("application/x-msi", _COMPOUND),
        "rtf": Format("application/rtf", frozenset({Kind.RTF})),
        "7z": Format("application/x-7z-compressed", _BYTES),
        "rar": Format("application/vnd.rar", _BYTES),
        "gz": Format("application/gzip", _BYTES),
        "tgz": Format("application/gzip", _BYTES),
        "bz2": Format("application/x-bzip2", _BYTES),
        "xz": Format("application/x-xz", _BYTES),
        "zst": Format("application/zstd", _BYTES),
        "tar": Format("application/x-tar", _WORDS | _BYTES),
        "iso": Format("application/x-iso9660-image", _BINARY),
        "exe": Format("application/vnd.microsoft.portable-executable", _BINARY),
        "dll": Format("application/vnd.microsoft.portable-executable", _BINARY),
        "jpg": Format("image/jpeg", _PICTURE),
        "jpeg": Format("image/jpeg", _PICTURE),
        "jfif": Format("image/jpeg", _PICTURE),
        "png": Format("image/png", _PICTURE),
        "gif": Format("image/gif", _PICTURE),
        "bmp": Format("image/bmp", _PICTURE),
        "tif": Format("image/tiff", _PICTURE),
        "tiff": Format("image/tiff", _PICTURE),
        "heic": Format("image/heic", _PICTURE),
        "webp": Format("image/webp", _PICTURE),
        "avif": Format("image/avif", _PICTURE),
        "ico": Format("image/vnd.microsoft.icon", _PICTURE),
        "psd": Format("image/vnd.adobe.photoshop", _PICTURE),
        "svg": Format("image/svg+xml", _MARKUP),
        "mp3": Format("audio/mpeg", _BINARY),
        "wav": Format("audio/wav", _BINARY),
        "m4a": Format("audio/mp4", _BINARY),
        "ogg": Format("audio/ogg", _BINARY),
        "mp4": Format("video/mp4", _BINARY),
        "mov": Format("video/quicktime", _BINARY),
        "avi": Format("video/x-msvideo", _BINARY),
        "wmv": Format("video/x-ms-wmv", _BINARY),
        "webm": Format("video/webm", _BINARY),
        "ps": Format("application/postscript", _POSTSCRIPT),
        "eps": Format("application/postscript", _POSTSCRIPT),
        "ai": Format("application/illustrator", _POSTSCRIPT),
        "dwg": Format("image/vnd.dwg", _PICTURE),
        "dxf": Format("image/vnd.dxf", _WORDS | _PICTURE),
        "dgn": Format("image/vnd.dgn", _BINARY | _COMPOUND),
        "step": Format("model/step", _DATA | {Kind.XML}),
        "stp": Format("model/step", _DATA | {Kind.XML}),
        "igs": Format("model/iges", _DATA),
        "iges": Format("model/iges", _WORDS),
        "stl": Format("model/stl", _DATA),
        "ifc": Format("application/x-step", _WORDS),
        "sldprt": Format("application/sldworks", _DRAWING),
        "sldasm": Format("application/sldworks", _DRAWING),
        "slddrw": Format("application/sldworks", _DRAWING),
        "ipt": Format("application/x-inventor", _DRAWING),
        "idw": Format("application/x-inventor", _DRAWING),
        "rvt": Format("application/x-revit", _DRAWING),
        "bin": Format(ANY_BYTES, _ANYTHING),
        "dat": Format(ANY_BYTES, _ANYTHING),
        "txt": Format("text/plain", _WORDS),
        "log": Format("text/plain", _WORDS),
        "md": Format("text/markdown", _WORDS),
        "csv": Format("text/csv", _DATA),
        "tsv": Format("text/tab-separated-values", _DATA),
        "edi": Format("application/edifact", _DATA),
        "json": Format("application/json", _WORDS),
        "yaml": Format("application/yaml", _WORDS),
        "ics": Format("text/calendar", _DATA),
        "vcf": Format("text/vcard", _DATA),
        "eml": Format("message/rfc822", _WORDS),
        "mht": Format("multipart/related", _WORDS | _WEB),
        "mhtml": Format("multipart/related", _WORDS | _WEB),
        "xml": Format("application/xml", _MARKUP),
        "xsd": Format("application/xml", _MARKUP),
        "jnlp": Format("application/x-java-jnlp-file", _MARKUP),
        "kml": Format("application/vnd.google-earth.kml+xml", _MARKUP),
        "p7m": Format("application/pkcs7-mime", _WORDS),
        "p7s": Format("application/pkcs7-signature", _WORDS),
        "sig": Format("application/pgp-signature", _WORDS),
        "asc": Format("application/pgp-signature", _WORDS),
        "pem": Format("application/x-pem-file", _WORDS),
        "cer": Format("application/pkix-cert", _WORDS),
        "crt": Format("application/pkix-cert", _WORDS),
        "htm": Format("text/html", _WEB),
        "html": Format("text/html", _WEB),
        "xhtml": Format("application/xhtml+xml", _WEB),
    }
)
#: Other words for the same media type, as servers and libraries write them.
_SAME: Mapping[str, str] = MappingProxyType(
    {
        "application/x-pdf": "application/pdf",
        "application/acrobat": "application/pdf",
        "application/x-zip-compressed": "application/zip",
        "application/x-zip": "application/zip",
        "application/x-rar-compressed": "application/vnd.rar",
        "application/x-gzip": "application/gzip",
        "application/x-rtf": "application/rtf",
        "text/rtf": "application/rtf",
        "application/excel": "application/vnd.ms-excel",
        "application/x-excel": "application/vnd.ms-excel",
        "application/x-msexcel": "application/vnd.ms-excel",
        "application/doc": "application/msword",
        "application/powerpoint": "application/vnd.ms-powerpoint",
        "application/x-msdownload": "application/vnd.microsoft.portable-executable",
        "application/acad": "image/vnd.dwg",
        "application/dwg": "image/vnd.dwg",
        "image/x-dwg": "image/vnd.dwg",
        "image/jpg": "image/jpeg",
        "image/pjpeg": "image/jpeg",
        "image/x-png": "image/png",
        "image/tif": "image/tiff",
        "image/x-ms-bmp": "image/bmp",
        "image/x-icon": "image/vnd.microsoft.icon",
        "text/xml": "application/xml",
        "text/json": "application/json",
        "text/x-csv": "text/csv",
        "application/csv": "text/csv",
        "audio/x-wav": "audio/wav",
        "application/x-pkcs7-signature": "application/pkcs7-signature",
        "application/x-pkcs7-mime": "application/pkcs7-mime",
        "application/x-7z": "application/x-7z-compressed",
        "application/rar": "application/vnd.rar",
        "application/msexcel": "application/vnd.ms-excel",
        "application/x-ms-excel": "application/vnd.ms-excel",
        "application/vnd.msexcel": "application/vnd.ms-excel",
        "application/x-msword": "application/msword",
        "application/vnd.ms-word": "application/msword",
        "application/mspowerpoint": "application/vnd.ms-powerpoint",
        "application/x-json": "application/json",
        "text/comma-separated-values": "text/csv",
        "image/x-tiff": "image/tiff",
        "application/xhtml": "application/xhtml+xml",
    }
)
_FIRST: Mapping[str, str] = MappingProxyType(
    {known.media_type: ending for ending, known in reversed(tuple(FORMATS.items()))} | {"text/html": "html"}
)


#: Endings are short; a name may be of any length.
_ENDING_WITHIN_CHARS = 200
#: What no system keeps at the end of a name, and what nobody sees there.
_BEHIND_NAME = re.compile(r"[\s.\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+$")


def format_of(name: str) -> Format | None:
    """The format that a name's ending promises; None if the ending is unknown."""
    _, dot, ending = _BEHIND_NAME.sub("", name[-_ENDING_WITHIN_CHARS:]).rpartition(".")
    return FORMATS.get(ending.lower()) if dot else None


def format_of_type(media_type: str) -> Format | None:
    """The format of a media type (lower case, without parameters); None if it is unknown."""
    ending = ending_of(media_type)
    return FORMATS[ending] if ending else None


def ending_of(media_type: str) -> str:
    """The ending that files of this media type get, without its dot; empty when none is known."""
    return "" if media_type == ANY_BYTES else _FIRST.get(_SAME.get(media_type, media_type), "")
