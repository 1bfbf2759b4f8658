"""Chooses the name of a file: by its own header first, then by the page and its address. Pure.

A page writes more than a name beside a link (a size, a date, a word to click on), so a text is read for the name in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from poolwright.files.names import has_ending
from poolwright.portal.pack import NameSource
from poolwright.worker.transfer.content_disposition import ContentDisposition

_NAMELESS = "attachment"
#: Texts that a person wrote beside the file, of which the one that reads like a file's name is taken.
_WRITTEN = (NameSource.TEXT, NameSource.TITLE, NameSource.ARIA_LABEL)
#: Words that say what a link does and not what it leads to.
_GENERIC = re.compile(
    r"(?:(?:please\s+)?click\s+(?:here\s+)?to\s+(?:download|open|view|save)|click\s+here|here|download(?:s|en)?|open|view|"
    r"show|preview|save(?:\s+as)?|get|see|attachments?|attached|files?|documents?|links?|icon|image|pdf|xlsx?|docx?|zip|"
    r"herunterladen|\u00f6ffnen|anzeigen|datei|anhang|anlage|t\u00e9l\u00e9charger|ouvrir|fichier|pi\u00e8ce\s+jointe|descargar|abrir|"
    r"archivo|adjunto|scarica|apri|allegato|baixar|anexo|arquivo|pobierz|content|raw|\u4e0b\u8f7d|\u9644\u4ef6|\u30c0\u30a6\u30f3\u30ed\u30fc\u30c9|the|this|a|an|\s)+",
    re.IGNORECASE,
)
#: What a program writes where it has no name.
_NO_NAME = re.compile(r"(?:null|undefined|none|nan|untitled|unnamed|no[ _-]?name)(?:\.\w{1,10})?", re.IGNORECASE)
#: Words before a name that say what follows.
_LABELLED = re.compile(
    r"(?:(?:file|document|attachment)(?:\s?name)?|name|title|datei(?:name)?|anhang|anlage|dokument|fichier|"
    r"nom(?: du fichier)?|pi\u00e8ce jointe|archivo|adjunto|nombre|allegato|nome(?: file)?|anexo|arquivo|"
    r"bijlage|bestand)\s?:\s+",
    re.IGNORECASE,
)
#: Signs of icon fonts and pictures before a name: paper clips, arrows, sheets of paper.
_ICONS = re.compile(
    r"[\ue000-\uf8ff]+|^[\s\ufe0f\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff]+"
)
#: Marks before a name that are none of its letters, for nothing in it closes them.
_OPENED = re.compile(r"^(?:[\s\"'<>]|\((?!.*\))|\[(?!.*\])|\{(?!.*\}))+")
#: The folders of somebody's own disk, or of a share, before a name.
_FOLDERS = re.compile(r"^(?:[A-Za-z]:[\\/]|\\\\)(?:.*[\\/])?")
#: Where a page cut a text that was too long for it.
_CUT = re.compile(r"\u2026|\.{3,}")
_VERB = re.compile(
    r"(?:click\s+(?:here\s+)?to\s+)?(?:download|open|view|show|preview|save|herunterladen|\u00f6ffnen|t\u00e9l\u00e9charger|descargar|"
    r"scarica|baixar)\b[\s:]+(?:(?:the|this|attachment|file|document|die|das|den|datei|anhang|dokument|le|la|fichier|document|"
    r"el|archivo|documento|il|allegato|o|arquivo)\b[\s:]+)*",
    re.IGNORECASE,
)
_ENDED = re.compile(r"\.([A-Za-z0-9]{1,10})(?=$|[\s()\[\]{},;:|\u00b7\u2022\u2013\u2014\"'<>])")
_SIZE = re.compile(
    r"[\s,;|\u00b7\u2022\u2013-]*(?:[(\[][^()\[\]]{0,40}[\s,;/|(\[\u00b7-])?[(\[]?\s*\d{1,6}(?:[.,\s]\d{1,3})?\s?(?:bytes?|[kmgt]i?b|[kmg]o)\s*[)\]]?$",
    re.IGNORECASE,
)
#: Programs of a server, as addresses end in them.
_PROGRAM = re.compile(r"\.(?:aspx?|ashx|asmx|php\d?|jspx?|jsf|do|action|cgi|cfm|pl|dll|svc)$", re.IGNORECASE)
#: What an address calls by number or by key alone.
_KEY = re.compile(r"[\d_.-]*|[0-9a-f-]{12,}|[\w-]{32,}", re.IGNORECASE)
_TEXT_MAX_CHARS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName:
    """How a file is called."""

    #: For people, and to tell by what to expect.
    label: str
    #: To be made a name on disk.
    name: str
    #: Whether the portal's own answer says so, and no text of a page.
    is_given: bool = False


def choose_file_name(
    order: Sequence[NameSource], page: Mapping[str, str], header: ContentDisposition, addresses: Sequence[str] = ()
) -> FileName:
    """Choose a name.

    Args:
        order: The pack's order of sources.
        page: What the page says, by source.
        header: What the answer says.
        addresses: Where the file is, the one that the page gave first.
    """
    found = {source: _text_of(source, page, header, addresses) for source in order}
    found = {source: text for source, text in found.items() if text}
    chosen = next((source for source, text in found.items() if not _is_generic(text)), next(iter(found), None))
    if chosen is None:
        return FileName(label=_NAMELESS, name=_NAMELESS)
    is_guess = chosen is NameSource.DISPOSITION and not header.is_sure
    if is_guess or (chosen in _WRITTEN and (not has_ending(found[chosen]) or _CUT.search(found[chosen]))):
        chosen = next((one for one in found if one in _WRITTEN and _is_whole_name(found[one])), chosen)
    text = found[chosen]
    if chosen in _WRITTEN and (cut := _CUT.search(text)):
        text = next((whole for whole in found.values() if _is_whole(whole, text[: cut.start()])), text)
    name = re.sub(r"[/\\]", "_", text) if chosen in _WRITTEN else text
    return FileName(label=text, name=name, is_given=chosen in {NameSource.DISPOSITION, NameSource.DOWNLOAD})


def _is_whole_name(text: str) -> bool:
    return has_ending(text) and not _CUT.search(text) and not _is_generic(text)


def _is_whole(text: str, begin: str) -> bool:
    """Whether a text is what another one is the beginning of."""
    return bool(begin.strip()) and not _CUT.search(text) and text.casefold().startswith(begin.strip().casefold())


def _text_of(source: NameSource, page: Mapping[str, str], header: ContentDisposition, addresses: Sequence[str]) -> str:
    match source:
        case NameSource.DISPOSITION:
            return header.name.strip()
        case NameSource.ADDRESS:
            return next((name for address in addresses if (name := name_in_address(address))), "")
        case NameSource.DOWNLOAD:
            return page.get(source.value, "").strip()
        case _:
            return name_in_text(page.get(source.value, ""))


def name_in_text(text: str) -> str:
    """The name of a file within what a page says of it; the first line without a size where none reads like one."""
    lines = [" ".join(_ICONS.sub("", line).split()) for line in text[:_TEXT_MAX_CHARS].splitlines()]
    lines = [line for line in lines if line]
    for line in lines:
        ends = [found.end() for found in _ENDED.finditer(line) if has_ending(found[0])]
        if ends:
            name = line[: ends[-1]]
            before = _VERB.match(name) or _LABELLED.match(name)
            return _FOLDERS.sub("", _OPENED.sub("", name[before.end() :] if before else name))
    return next((short for line in lines if (short := _SIZE.sub("", line).strip())), "")


def name_in_address(address: str) -> str:
    """The name in an address: of a file that it names among its values, else its last part; empty where it is a key."""
    try:
        parts = urlsplit(address)
        values = parse_qsl(parts.query, encoding="latin-1")
    except ValueError:
        return ""
    for _, value in values:
        name = _in_letters(value.encode("latin-1"))
        if has_ending(name) and "=" not in name and "://" not in name:
            return re.split(r"[/\\]", name)[-1].strip()
    folders, _, last = parts.path.rpartition("/")
    above, last = _step(folders.rpartition("/")[2]), _PROGRAM.sub("", _step(last)).strip()
    if has_ending(above) and (not last or _is_generic(last)):
        return above  # .../Offer.pdf/download
    return "" if _KEY.fullmatch(last) else last


def _step(text: str) -> str:
    """A step of a path as it was meant."""
    return _in_letters(unquote_to_bytes(text.partition(";")[0])).strip()


def _in_letters(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _is_generic(text: str) -> bool:
    words = text.strip(" .:!\u2026>\u203a\u00bb\u2193\u21e9()[]")
    return bool(_GENERIC.fullmatch(words) or _NO_NAME.fullmatch(words))
