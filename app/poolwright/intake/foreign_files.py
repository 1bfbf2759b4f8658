"""Names files that are no lists from their bytes, with the next step: mails, documents, pictures, packed files.

A description continues a sentence that begins with the name of the file.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from poolwright.intake.workbooks.compound_file import COMPOUND_MARK, read_directory

#: The next step for whatever another program can save as a list.
AS_NEW = "open it in the program that made it and save it as .xlsx or as CSV UTF-8"
_FROM_MAIL = "save the list that is attached to it, or copy its numbers into a text file, and give that file"
_THE_LIST = "give the list itself, saved as .xlsx or as CSV UTF-8"
_SHOWN_LIST = "open the list that it shows in its own program and save it as .xlsx or as CSV UTF-8"
_UNPACK = "unpack it and give the list in it"
_LABEL = (
    "is protected by a sensitivity label or rights management, for which there is no password; open it in Excel "
    "with an account that may read it, take the label's protection off, and save it as .xlsx"
)
#: Beginnings of files that are no text, and of texts that no list begins with.
_MARKS = {
    b"PAR1": "is a Parquet file; export it as CSV UTF-8",
    b"ARROW1": "is an Arrow file; export it as CSV UTF-8",
    b"SQLite format 3\0": "is a SQLite database; export the table as CSV UTF-8",
    b"\0\1\0\0Standard ACE DB\0": "is an Access database; export the table as .xlsx or as CSV UTF-8",
    b"\0\1\0\0Standard Jet DB\0": "is an Access database; export the table as .xlsx or as CSV UTF-8",
    b"\x1f\x8b": f"is a packed file (gz); {_UNPACK}",
    b"BZh91AY&SY": f"is a packed file (bz2); {_UNPACK}",
    b"\xfd7zXZ\0": f"is a packed file (xz); {_UNPACK}",
    b"\x28\xb5\x2f\xfd": f"is a packed file (zst); {_UNPACK}",
    b"7z\xbc\xaf\x27\x1c": f"is a packed file (7z); {_UNPACK}",
    b"Rar!\x1a\x07": f"is a packed file (rar); {_UNPACK}",
    b"PK\x05\x06": "is a packed file with nothing in it; give the list itself",
    b"\x78\x9f\x3e\x22": "is a mail attachment that Outlook packed (winmail.dat); open the mail in Outlook and save "
    "the list that is attached to it",
    b"!BDN": f"is a mailbox of Outlook (.pst, .ost), not a list; open the mail in Outlook and {_FROM_MAIL}",
    b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d": f"is a OneNote file, not a list; {_THE_LIST}",
    b"\xc5\xd0\xd3\xc6": f"is a PostScript document (EPS), not a list; {AS_NEW}",
    b"\xd7\xcd\xc6\x9a": f"is a picture (wmf), not a list; {_SHOWN_LIST}",
    b"\x4c\0\0\0\x01\x14\x02\0": "is a shortcut of Windows (.lnk), not the file that it leads to; give that file",
    b"\0\0\2\0\x06\4": f"is a file of Lotus 1-2-3; {AS_NEW}",
    b"\0\0\2\0\x04\4": f"is a file of Lotus 1-2-3; {AS_NEW}",
    b"\0\0\2\0\x05\4": f"is a file of Lotus Symphony; {AS_NEW}",
    b"\0\0\x1a\0": f"is a file of Lotus 1-2-3; {AS_NEW}",
    b"\0\0\2\0\x20\x51": f"is a file of Quattro Pro; {AS_NEW}",
    b"\0\0\2\0\x01\x10": f"is a file of Quattro Pro; {AS_NEW}",
    b"Obj\1": "is an Avro file; export it as CSV UTF-8",
    b"\x89HDF\r\n\x1a\n": "is an HDF5 file; export it as CSV UTF-8",
    b"$FL2@(#)": "is a file of SPSS; export it as CSV UTF-8",
    b"$FL3@(#)": "is a file of SPSS; export it as CSV UTF-8",
    b"<stata_dta>": "is a file of Stata; export it as CSV UTF-8",
    b"RDX2\n": "is a file of R; export it as CSV UTF-8",
    b"RDX3\n": "is a file of R; export it as CSV UTF-8",
    b"\x80\4\x95": "is a file of a Python program (pickle); export it as CSV UTF-8",
    b"\x80\5\x95": "is a file of a Python program (pickle); export it as CSV UTF-8",
    b"bplist00": f"is a property list of macOS, not a list of orders; {_THE_LIST}",
}
#: What documents begin with, after blanks and byte order marks.
_TEXT_MARKS = {
    re.compile(rb"%PDF-\d"): f"is a PDF file; {AS_NEW}",
    re.compile(rb"\{\\rtf"): f"is an RTF document; {AS_NEW}",
    re.compile(rb"%!PS"): f"is a PostScript document, not a list; {AS_NEW}",
    re.compile(rb"\[(?:InternetShortcut|Desktop Entry)\]"): "is a link to a web page; download the list itself",
    re.compile(rb"-----BEGIN (?:PGP|PKCS7|CMS|CERTIFICATE|[A-Z ]*PRIVATE KEY)"): (
        f"is an encrypted or signed file or a key, not a list; decrypt it, then {_THE_LIST}"
    ),
    re.compile(rb"BEGIN:VCALENDAR\b", re.IGNORECASE): f"is a calendar file (.ics), not a list; {_THE_LIST}",
    re.compile(rb"BEGIN:VCARD\b", re.IGNORECASE): f"is an address card (.vcf), not a list; {_THE_LIST}",
    # A list may have the columns ``ID`` and ``PO Number``.
    re.compile(rb"ID;P[^\s;]*(?:;[NE])*\r?\n(?:[A-Z]{1,2};|E\r?\n)"): f"is a SYLK file; {AS_NEW}",
    re.compile(rb"version https://git-lfs\.github\.com/"): (
        "is a pointer of Git LFS, not the file that it stands for; fetch that file with git lfs pull"
    ),
    re.compile(rb"data:[\w.+-]+/[\w.+-]+[\w;=.-]*;base64,|(?:UEsDB|0M8R4KGxGuE|JVBERi0)[A-Za-z0-9+/]{20}"): (
        f"is a file written as Base64 text; decode it, then {_THE_LIST}"
    ),
    re.compile(rb"begin [0-7]{3,4} \S|=ybegin "): f"is a packed file (uuencode or yEnc); {_UNPACK}",
    re.compile(
        rb"(?:--[^\n]*\n\s*|/\*[^\n]*\*/;?\s*)*(?:INSERT\s+INTO|CREATE\s+TABLE|DROP\s+TABLE)\s",
        re.IGNORECASE,
    ): "is a text of SQL statements, not a table; export the table as CSV UTF-8",
    re.compile(rb"TABLE\r?\n0,1\r?\n"): f"is a DIF file; {AS_NEW}",
    re.compile(rb"(?:UNA.{6}\s*)?UNB\+UN"): f"is an EDIFACT message, not a list; {_THE_LIST}",
    re.compile(rb"ISA\*\d\d\*"): f"is an X12 message, not a list; {_THE_LIST}",
}
#: A container of S/MIME or CMS: a sequence of any length that begins with one of their object identifiers.
_CMS = re.compile(
    rb"0(?:\x80|\x81.|\x82..|\x83...|\x84....)"
    rb"(?:\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07|\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01)",
    re.DOTALL,
)
_SMIME = f"is an encrypted or signed mail (S/MIME), not a list; open it in the mail program, and {_FROM_MAIL}"
#: First bytes of dBase and FoxPro tables, by version and memo file.
_DBASE_VERSIONS = frozenset(b"\x02\x03\x04\x05\x30\x31\x32\x43\x63\x83\x8b\x8c\x8e\xcb\xe5\xf5\xfb")
_DBASE_HEAD_BYTES, _DBASE_HEAD_END = 32, 0x0D
_MONTHS, _DAYS = 12, 31
_BLANKS = b"\xef\xbb\xbf\xff\xfe\0\t\r\n "
_MAIL = f"is a mail, not a list; {_FROM_MAIL}"
#: Excel saves workbooks as such pages too.
_PACKED_PAGE = f"is a web page packed like a mail (MHTML); {AS_NEW}"
#: Before the head of a mail: its length (.emlx), or the line between the mails of a mailbox (mbox).
_BEFORE_MAIL = re.compile(r"\s*(?:\d+ *\r?\n|From \S+ .*\r?\n)?")
_MAIL_FIELD = re.compile(r"([A-Za-z][\w-]*)[ \t]*:.*(?:\r?\n|$)(?:[ \t]+\S.*(?:\r?\n|$))*")
#: Fields that only mails have, and those that a report may have too, such as the days of its orders.
_MAIL_OWN_FIELDS = frozenset({"subject", "received", "return-path", "message-id", "reply-to", "delivered-to"})
_MAIL_FIELDS = _MAIL_OWN_FIELDS | {"from", "to", "cc", "date", "sent"}
_MAIL_FIELDS_MIN = 3
_SMIME_TYPE = re.compile(r"^content-type[ \t]*:\s*application/(?:x-)?pkcs7-mime", re.IGNORECASE | re.MULTILINE)
#: Blanks and comments. Without backtracking: a list may have a line of any length.
_NOTHING = r"\s*+(?:[#;][^\r\n]*+\s*+)*+"
#: Texts of other programs. Lines that only look like them (``- 4500012345``, ``PO: 4500012345``) are lists.
_TEXTS = {
    re.compile(
        r"%YAML \d|"
        rf"{_NOTHING}(?:---[ ]*\r?\n)?(?:"
        r"[A-Za-z_][\w-]*:[ ]*\r?\n[ ]*- [A-Za-z_][\w-]*:(?:[ ]|\r?\n)|"
        r"[A-Za-z_][\w-]*:[ ]*\r?\n[ ]+[A-Za-z_][\w-]*:[ ]|"
        r"- [A-Za-z_][\w-]*:[ ].*\r?\n[ ]+[A-Za-z_][\w-]*:[ ])"
    ): "is YAML, not a table; export it as CSV UTF-8 or .xlsx",
    re.compile(rf"{_NOTHING}\[[^\]\r\n]+\][ \t]*\r?\n{_NOTHING}[\w .\t-]++=", re.ASCII): (
        f"is a settings file (INI), not a list; {_THE_LIST}"
    ),
}
#: What a program prints for a list, without its brackets.
_ITEMS = re.compile(r"(?:\s*+['\"]?[\w-]*+['\"]?\s*+,)++\s*+['\"]?[\w-]*+['\"]?\s*+")
_HEADING = re.compile(r"\s*#{1,6} \S")
_MARKDOWN = re.compile(r"\[[^\]\r\n]{1,200}\]\([^)\s]{1,500}\)|\*\*[^*\r\n]{1,200}\*\*|^```", re.MULTILINE)
_MARKDOWN_TABLE = re.compile(r"^[ \t]{0,9}\|?[ \t]{0,9}:?-{3,200}:?[ \t]{0,99}\|", re.MULTILINE)
_MARKDOWN_KIND = (
    "is a text in Markdown, not a table; copy its numbers into a text file, one in each line, and give that file"
)
#: Of compound files, by a name in their directory. The first match counts.
_STREAMS = {
    "encryptedpackage": f"is protected by a password; {AS_NEW}",
    "worddocument": f"is a Word document (.doc), not a spreadsheet; {AS_NEW}",
    "powerpoint document": f"is a PowerPoint file, not a spreadsheet; {AS_NEW}",
    "__properties_version1.0": f"is an Outlook message, not a spreadsheet; {_FROM_MAIL}",
    "__nameid_version1.0": f"is an Outlook message, not a spreadsheet; {_FROM_MAIL}",
    "__substg1.0_": f"is an Outlook message, not a spreadsheet; {_FROM_MAIL}",
    "visiodocument": f"is a Visio drawing, not a spreadsheet; {_THE_LIST}",
    "quill": f"is a Publisher document, not a spreadsheet; {_THE_LIST}",
    "bodytext": f"is a Hangul document (.hwp), not a spreadsheet; {AS_NEW}",
    "msworksdb": f"is a file of Microsoft Works; {AS_NEW}",
    "props": f"is a file of Microsoft Project, not a spreadsheet; {AS_NEW}",
    "\u4840": f"is an installer of Windows (.msi), not a list; {_THE_LIST}",
}
_BOOKS = frozenset({"workbook", "book"})
#: Rights management; a workbook beside it only says that it is protected.
_RIGHTS = ("drmencrypted", "\tdrmcontent", "\tdrmviewercontent")
#: Names that are long enough to be looked for in the bytes of a damaged file.
_LONG_NAMES = ("drmencrypted", "encryptedpackage", "worddocument", "powerpoint document", "__substg1.0_")
_PACKED = frozenset({"zip", "tar", "bz2", "xz", "zst", "lz", "lz4", "Z", "cab", "gz", "7z", "rar", "ar", "deb", "rpm"})
_GROUPS = {
    "image": ("picture", _SHOWN_LIST),
    "audio": ("recording", _THE_LIST),
    "video": ("recording", _THE_LIST),
}
#: A metafile of Windows, whose mark is not at its beginning.
_METAFILE, _METAFILE_AT = b" EMF", 40


def describe_marked(content: bytes) -> str:
    """Return what a file is by its first bytes; empty if they say nothing."""
    description = next((description for mark, description in _MARKS.items() if content.startswith(mark)), "")
    start = content[:1024].lstrip(_BLANKS)
    if _CMS.match(content):
        return _SMIME
    if _is_dbase(content):
        return f"is a dBase table (.dbf); {AS_NEW}"
    return description or next((text for mark, text in _TEXT_MARKS.items() if mark.match(start)), "")


def _is_dbase(content: bytes) -> bool:
    """Return whether a file is a dBase or FoxPro table: version, a date, and a head that ends where it says."""
    if len(content) < _DBASE_HEAD_BYTES or content[0] not in _DBASE_VERSIONS:
        return False
    head_bytes, row_bytes = int.from_bytes(content[8:10], "little"), int.from_bytes(content[10:12], "little")
    is_dated = 1 <= content[2] <= _MONTHS and 1 <= content[3] <= _DAYS
    is_end = _DBASE_HEAD_END in content[max(0, head_bytes - 2) : head_bytes]
    return is_dated and row_bytes > 1 and _DBASE_HEAD_BYTES < head_bytes <= len(content) and is_end


def describe_compound(content: bytes) -> str:
    """Return what a compound file is; empty if it is an old workbook, or too damaged to tell."""
    if not content.startswith(COMPOUND_MARK):
        return ""
    directory = read_directory(content)
    if directory is None:
        lowered = content.lower()  # letters of UTF-16 are those of ASCII
        return _describe_names([name for name in _LONG_NAMES if name.encode("utf-16-le") in lowered])
    is_packed_with_rights = "encryptedpackage" in directory.root and any(map(_is_rights, directory.names))
    if is_packed_with_rights or any(map(_is_rights, directory.root)):
        return _LABEL
    if directory.root & _BOOKS:
        return ""
    unknown = f"is a file of another program that is packed like an old Office file, not a spreadsheet; {AS_NEW}"
    return _describe_names(directory.root) or unknown


def _describe_names(names: Collection[str]) -> str:
    if any(map(_is_rights, names)):
        return _LABEL
    return next((text for mark, text in _STREAMS.items() if any(name.startswith(mark) for name in names)), "")


def _is_rights(name: str) -> bool:
    return name.startswith(_RIGHTS)


def describe_binary(head: bytes) -> str:
    """Return what a file with zero bytes is, judged by its beginning; empty if it is not known.

    Magic numbers are short; text may begin with one by chance, but contains no zero byte.
    """
    if b"\0" not in head:
        return ""
    if head[_METAFILE_AT:].startswith(_METAFILE):
        return f"is a picture (emf), not a list; {_SHOWN_LIST}"

    import filetype  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]  # no types, and rarely needed

    extension: str | None = filetype.guess_extension(head)  # pyright: ignore[reportUnknownMemberType]
    media_type: str | None = filetype.guess_mime(head)  # pyright: ignore[reportUnknownMemberType]
    if not extension:
        return ""
    if extension in _PACKED:
        return f"is a packed file ({extension}); {_UNPACK}"
    group = _GROUPS.get((media_type or "").partition("/")[0])
    if group:
        what, step = group
        return f"is a {what} ({extension}), not a list; {step}"
    article = "an" if extension[0] in "aeio" else "a"
    return f"is {article} {extension} file; {AS_NEW}"


def describe_mail(head: str) -> str:
    """Return whether a text is a mail or a page packed as one, judged by its first fields; empty if it is none."""
    before = _BEFORE_MAIL.match(head)
    offset = before.end() if before else 0
    names: set[str] = set()
    start = offset
    while field := _MAIL_FIELD.match(head, offset):
        names.add(field[1].casefold())
        offset = field.end()
    if "mime-version" in names and _SMIME_TYPE.search(head, start, offset):
        return _SMIME
    if names & _MAIL_OWN_FIELDS and len(names & _MAIL_FIELDS) >= _MAIL_FIELDS_MIN:
        return _MAIL
    return (_MAIL if "to" in names else _PACKED_PAGE) if "mime-version" in names else ""


def describe_text(head: str) -> str:
    """Return what a text of another program is (YAML, INI, Markdown); empty if it may be a list.

    Plain lists and tables of Markdown and YAML are lists, and are read as such.
    """
    known = next((description for mark, description in _TEXTS.items() if mark.match(head)), "")
    if not known and _is_bracketed(head.strip().rstrip(";,")):
        known = "is a list of a program in brackets, not a table; write one number in each line, without brackets"
    is_markdown = _HEADING.match(head) and _MARKDOWN.search(head) and not _MARKDOWN_TABLE.search(head)
    return known or (_MARKDOWN_KIND if is_markdown else "")


def _is_bracketed(text: str) -> bool:
    return text[:1] in set("[({") and text[-1:] in set("])}") and bool(_ITEMS.fullmatch(text[1:-1]))
