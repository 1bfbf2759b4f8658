"""The table of file endings: the media type and content that each promises, and the ending of each media type.

The text after the last dot of a name is an ending only if it is in this table. An ending promises one kind of content,
and sometimes several: a spreadsheet with a password is a compound file whatever its name, and programs export HTML
tables as ``.xls``. So the kinds are coarse: they only distinguish a document from an error page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class ContentType(StrEnum):
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
class FileFormat:
    """The media type and the kinds of content that an ending promises."""

    media_type: str
    kinds: frozenset[ContentType]


_PDF = frozenset({ContentType.PDF})
_ZIP = frozenset({ContentType.ZIP})
_COMPOUND = frozenset({ContentType.COMPOUND})
_PACKED = _ZIP | _COMPOUND
_LOOSE_OFFICE = _PACKED | {ContentType.RTF, ContentType.OFFICE_HTML, ContentType.XML, ContentType.TEXT}
_BINARY = frozenset({ContentType.BINARY})
_PICTURE = frozenset({ContentType.IMAGE, ContentType.BINARY})
_BYTES = _BINARY | _ZIP
#: UTF-16 without a mark looks like binary data.
_WORDS = frozenset({ContentType.TEXT, ContentType.XML, ContentType.JSON, ContentType.BINARY})
#: Textual data; JSON and XML have endings of their own.
_DATA = frozenset({ContentType.TEXT, ContentType.BINARY})
_MARKUP = frozenset({ContentType.XML, ContentType.TEXT, ContentType.BINARY})
_WEB = frozenset({ContentType.HTML, ContentType.OFFICE_HTML, ContentType.XML, ContentType.TEXT})
_DRAWING = _WORDS | _PACKED
_POSTSCRIPT = frozenset({ContentType.PDF, ContentType.TEXT, ContentType.BINARY})
#: Any content but a web page, which is rather one of the portal's.
_ANYTHING = frozenset(ContentType) - {ContentType.HTML, ContentType.OFFICE_HTML}
#: Types of free text: a single sentence can be a whole file of such a type.
PROSE_TYPES = frozenset({"text/plain", "text/markdown", "application/msword", "message/rfc822", "multipart/related"})
#: Types that may be encoded as a whole: keys, signatures, certificates.
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
#: The media type of unknown content.
ANY_BYTES = "application/octet-stream"
_OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"

#: Endings without their dot. Of several with one media type, the first is the one that a nameless file gets.
FORMATS: Mapping[str, FileFormat] = MappingProxyType(
    {
        "pdf": FileFormat("application/pdf", _PDF),
        "xlsx": FileFormat(f"{_OOXML}.spreadsheetml.sheet", _PACKED),
        "xlsm": FileFormat("application/vnd.ms-excel.sheet.macroenabled.12", _PACKED),
        "xlsb": FileFormat("application/vnd.ms-excel.sheet.binary.macroenabled.12", _PACKED),
        "xltx": FileFormat(f"{_OOXML}.spreadsheetml.template", _PACKED),
        "docx": FileFormat(f"{_OOXML}.wordprocessingml.document", _PACKED),
        "docm": FileFormat("application/vnd.ms-word.document.macroenabled.12", _PACKED),
        "dotx": FileFormat(f"{_OOXML}.wordprocessingml.template", _PACKED),
        "pptx": FileFormat(f"{_OOXML}.presentationml.presentation", _PACKED),
        "pptm": FileFormat("application/vnd.ms-powerpoint.presentation.macroenabled.12", _PACKED),
        "ppsx": FileFormat(f"{_OOXML}.presentationml.slideshow", _PACKED),
        "vsdx": FileFormat("application/vnd.ms-visio.drawing", _PACKED),
        "odt": FileFormat(f"{_ODF}.text", _ZIP),
        "ods": FileFormat(f"{_ODF}.spreadsheet", _ZIP),
        "odp": FileFormat(f"{_ODF}.presentation", _ZIP),
        "odg": FileFormat(f"{_ODF}.graphics", _ZIP),
        "zip": FileFormat("application/zip", _ZIP),
        "jar": FileFormat("application/java-archive", _ZIP),
        "epub": FileFormat("application/epub+zip", _ZIP),
        "xps": FileFormat("application/vnd.ms-xpsdocument", _ZIP),
        "3mf": FileFormat("model/3mf", _ZIP),
        "kmz": FileFormat("application/vnd.google-earth.kmz", _ZIP),
        "hwpx": FileFormat("application/hwp+zip", _ZIP),
        "ofd": FileFormat("application/ofd", _ZIP),
        "pages": FileFormat("application/vnd.apple.pages", _ZIP),
        "numbers": FileFormat("application/vnd.apple.numbers", _ZIP),
        "key": FileFormat("application/vnd.apple.keynote", _ZIP | _WORDS),
        "msg": FileFormat("application/vnd.ms-outlook", _COMPOUND),
        "xls": FileFormat("application/vnd.ms-excel", _LOOSE_OFFICE),
        "doc": FileFormat("application/msword", _LOOSE_OFFICE),
        "ppt": FileFormat("application/vnd.ms-powerpoint", _PACKED),
        "pps": FileFormat("application/vnd.ms-powerpoint", _PACKED),
        "vsd": FileFormat("application/vnd.visio", _COMPOUND),
        "mpp": FileFormat("application/vnd.ms-project", _COMPOUND),
        "pub": FileFormat("application/vnd.ms-publisher", _COMPOUND | _WORDS),
        "hwp": FileFormat("application/x-hwp", _COMPOUND),
        "msi": FileFormat("application/x-msi", _COMPOUND),
        "rtf": FileFormat("application/rtf", frozenset({ContentType.RTF})),
        "7z": FileFormat("application/x-7z-compressed", _BYTES),
        "rar": FileFormat("application/vnd.rar", _BYTES),
        "gz": FileFormat("application/gzip", _BYTES),
        "tgz": FileFormat("application/gzip", _BYTES),
        "bz2": FileFormat("application/x-bzip2", _BYTES),
        "xz": FileFormat("application/x-xz", _BYTES),
        "zst": FileFormat("application/zstd", _BYTES),
        "tar": FileFormat("application/x-tar", _WORDS | _BYTES),
        "iso": FileFormat("application/x-iso9660-image", _BINARY),
        "exe": FileFormat("application/vnd.microsoft.portable-executable", _BINARY),
        "dll": FileFormat("application/vnd.microsoft.portable-executable", _BINARY),
        "jpg": FileFormat("image/jpeg", _PICTURE),
        "jpeg": FileFormat("image/jpeg", _PICTURE),
        "jfif": FileFormat("image/jpeg", _PICTURE),
        "png": FileFormat("image/png", _PICTURE),
        "gif": FileFormat("image/gif", _PICTURE),
        "bmp": FileFormat("image/bmp", _PICTURE),
        "tif": FileFormat("image/tiff", _PICTURE),
        "tiff": FileFormat("image/tiff", _PICTURE),
        "heic": FileFormat("image/heic", _PICTURE),
        "webp": FileFormat("image/webp", _PICTURE),
        "avif": FileFormat("image/avif", _PICTURE),
        "ico": FileFormat("image/vnd.microsoft.icon", _PICTURE),
        "psd": FileFormat("image/vnd.adobe.photoshop", _PICTURE),
        "svg": FileFormat("image/svg+xml", _MARKUP),
        "mp3": FileFormat("audio/mpeg", _BINARY),
        "wav": FileFormat("audio/wav", _BINARY),
        "m4a": FileFormat("audio/mp4", _BINARY),
        "ogg": FileFormat("audio/ogg", _BINARY),
        "mp4": FileFormat("video/mp4", _BINARY),
        "mov": FileFormat("video/quicktime", _BINARY),
        "avi": FileFormat("video/x-msvideo", _BINARY),
        "wmv": FileFormat("video/x-ms-wmv", _BINARY),
        "webm": FileFormat("video/webm", _BINARY),
        "ps": FileFormat("application/postscript", _POSTSCRIPT),
        "eps": FileFormat("application/postscript", _POSTSCRIPT),
        "ai": FileFormat("application/illustrator", _POSTSCRIPT),
        "dwg": FileFormat("image/vnd.dwg", _PICTURE),
        "dxf": FileFormat("image/vnd.dxf", _WORDS | _PICTURE),
        "dgn": FileFormat("image/vnd.dgn", _BINARY | _COMPOUND),
        "step": FileFormat("model/step", _DATA | {ContentType.XML}),
        "stp": FileFormat("model/step", _DATA | {ContentType.XML}),
        "igs": FileFormat("model/iges", _DATA),
        "iges": FileFormat("model/iges", _WORDS),
        "stl": FileFormat("model/stl", _DATA),
        "ifc": FileFormat("application/x-step", _WORDS),
        "sldprt": FileFormat("application/sldworks", _DRAWING),
        "sldasm": FileFormat("application/sldworks", _DRAWING),
        "slddrw": FileFormat("application/sldworks", _DRAWING),
        "ipt": FileFormat("application/x-inventor", _DRAWING),
        "idw": FileFormat("application/x-inventor", _DRAWING),
        "rvt": FileFormat("application/x-revit", _DRAWING),
        "bin": FileFormat(ANY_BYTES, _ANYTHING),
        "dat": FileFormat(ANY_BYTES, _ANYTHING),
        "txt": FileFormat("text/plain", _WORDS),
        "log": FileFormat("text/plain", _WORDS),
        "md": FileFormat("text/markdown", _WORDS),
        "csv": FileFormat("text/csv", _DATA),
        "tsv": FileFormat("text/tab-separated-values", _DATA),
        "edi": FileFormat("application/edifact", _DATA),
        "json": FileFormat("application/json", _WORDS),
        "yaml": FileFormat("application/yaml", _WORDS),
        "ics": FileFormat("text/calendar", _DATA),
        "vcf": FileFormat("text/vcard", _DATA),
        "eml": FileFormat("message/rfc822", _WORDS),
        "mht": FileFormat("multipart/related", _WORDS | _WEB),
        "mhtml": FileFormat("multipart/related", _WORDS | _WEB),
        "xml": FileFormat("application/xml", _MARKUP),
        "xsd": FileFormat("application/xml", _MARKUP),
        "jnlp": FileFormat("application/x-java-jnlp-file", _MARKUP),
        "kml": FileFormat("application/vnd.google-earth.kml+xml", _MARKUP),
        "p7m": FileFormat("application/pkcs7-mime", _WORDS),
        "p7s": FileFormat("application/pkcs7-signature", _WORDS),
        "sig": FileFormat("application/pgp-signature", _WORDS),
        "asc": FileFormat("application/pgp-signature", _WORDS),
        "pem": FileFormat("application/x-pem-file", _WORDS),
        "cer": FileFormat("application/pkix-cert", _WORDS),
        "crt": FileFormat("application/pkix-cert", _WORDS),
        "htm": FileFormat("text/html", _WEB),
        "html": FileFormat("text/html", _WEB),
        "xhtml": FileFormat("application/xhtml+xml", _WEB),
    }
)
#: Aliases of media types that servers and libraries use.
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
    {file_format.media_type: ending for ending, file_format in reversed(tuple(FORMATS.items()))} | {"text/html": "html"}
)


#: An ending is looked for in this many last characters: a name may be of any length.
_ENDING_WITHIN_CHARS = 200
#: Characters at the end of a name that systems drop or that are invisible.
_BEHIND_NAME = re.compile(r"[\s.\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+$")


def format_of(name: str) -> FileFormat | None:
    """Return the format that a name's ending promises; ``None`` if the ending is unknown."""
    _, dot, ending = _BEHIND_NAME.sub("", name[-_ENDING_WITHIN_CHARS:]).rpartition(".")
    return FORMATS.get(ending.lower()) if dot else None


def format_of_type(media_type: str) -> FileFormat | None:
    """Return the format of a media type (lower case, without parameters); ``None`` if it is unknown."""
    ending = ending_of(media_type)
    return FORMATS[ending] if ending else None


def ending_of(media_type: str) -> str:
    """Return the ending of files of this media type, without its dot; empty if none is known."""
    return "" if media_type == ANY_BYTES else _FIRST.get(_SAME.get(media_type, media_type), "")
