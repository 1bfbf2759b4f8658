"""Chooses the name of a file: from its response header first, then from the page and its address. Pure.

A link has more text than a name (a size, a date, a word to click), so the name is searched in the text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from poolwright.files.names import has_ending
from poolwright.portal.file_rules import ElementText
from poolwright.portal.pack import NameSource
from poolwright.worker.page.page_content import keys_of_places
from poolwright.worker.transfer.content_disposition import ContentDisposition

_NAMELESS = "attachment"
#: Texts of the page; the one that looks like a file name is taken.
_WRITTEN = (NameSource.TEXT, NameSource.TITLE, NameSource.ARIA_LABEL)
#: Sources in which a name is only searched for.
_FOUND = frozenset({*_WRITTEN, NameSource.ADDRESS})
#: Words for the action of a link, which name no file.
_GENERIC = re.compile(
    r"(?:(?:please\s+)?click\s+(?:here\s+)?to\s+(?:download|open|view|save)|click\s+here|here|download(?:s|en)?|open|view|"
    r"show|preview|save(?:\s+as)?|get|see|attachments?|attached|files?|documents?|links?|icon|image|pdf|xlsx?|docx?|zip|"
    r"herunterladen|\u00f6ffnen|anzeigen|datei|anhang|anlage|t\u00e9l\u00e9charger|ouvrir|fichier|pi\u00e8ce\s+jointe|descargar|abrir|"
    r"archivo|adjunto|scarica|apri|allegato|baixar|anexo|arquivo|pobierz|content|raw|"
    r"\u0441\u043a\u0430\u0447\u0430\u0442\u044c|st\xe1hnout|let\xf6lt\xe9s|i\u0307ndir|indir|\ub2e4\uc6b4\ub85c\ub4dc|hent|ladda\s+ner|lataa|file_download|\u4e0b\u8f09|\u4e0b\u8f7d|\u9644\u4ef6|\u30c0\u30a6\u30f3\u30ed\u30fc\u30c9|the|this|a|an|\s)+",
    re.IGNORECASE,
)
#: Values that a program writes for a missing name.
_NO_NAME = re.compile(r"(?:null|undefined|none|nan|untitled|unnamed|no[ _-]?name)(?:\.\w{1,10})?", re.IGNORECASE)
#: Labels before a name.
_LABELLED = re.compile(
    r"(?:(?:file|document|attachment)(?:\s?name)?|name|title|datei(?:name)?|anhang|anlage|dokument|fichier|"
    r"nom(?: du fichier)?|pi\u00e8ce jointe|archivo|adjunto|nombre|allegato|nome(?: file)?|anexo|arquivo|"
    r"bijlage|bestand)\s?:\s+",
    re.IGNORECASE,
)
#: Characters of icon fonts and symbols before a name: paper clips, arrows, sheets of paper.
_ICONS = re.compile(
    r"[\ue000-\uf8ff]+|^[\s\ufe0f\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f300-\U0001faff]+"
)
#: Quotes and brackets before a name that nothing in the name closes.
_OPENED = re.compile(r"^(?:[\s\"'<>]|\((?!.*\))|\[(?!.*\])|\{(?!.*\}))+")
#: The folders of a local disk or a network share before a name.
_FOLDERS = re.compile(r"^(?:[A-Za-z]:[\\/]|\\\\)(?:.*[\\/])?")
#: A link whose text is its own address.
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
#: The mark of a text that the page cut short.
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
#: Endings of server programs in addresses.
_PROGRAM = re.compile(r"\.(?:aspx?|ashx|asmx|php\d?|jspx?|jsf|do|action|cgi|cfm|pl|dll|svc)$", re.IGNORECASE)
#: The last part of an address that is only a number or a key.
_KEY = re.compile(r"[\d_.-]*|[0-9a-f-]{12,}|[\w-]{32,}", re.IGNORECASE)
_TEXT_MAX_CHARS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class FileName:
    """The name of a file, before it is made safe for a disk."""

    #: For people, and to derive the expected type from.
    label: str
    #: The base of the name on disk.
    name: str
    #: Whether the portal itself named the file; else a text of a page did.
    is_given: bool = False


def choose_file_name(
    order: Sequence[NameSource | ElementText],
    page: Mapping[str, str],
    header: ContentDisposition,
    addresses: Sequence[str] = (),
) -> FileName:
    """Return the name of a file.

    Args:
        order: The pack's order of sources.
        page: The texts of the page, by source.
        header: The Content-Disposition of the response.
        addresses: The addresses of the file, the one on the page first.
    """
    keys = keys_of_places(order)
    texts = {
        source: _text_at(source, page.get(keys[source], ""))
        if isinstance(source, ElementText)
        else _text_of(source, page, header, addresses)
        for source in order
    }
    texts = {source: text for source, text in texts.items() if text}
    chosen = next((source for source, text in texts.items() if not _is_generic(text)), next(iter(texts), None))
    if chosen is None:
        return FileName(label=_NAMELESS, name=_NAMELESS)
    is_guess = chosen is NameSource.DISPOSITION and not header.is_sure
    if is_guess or (chosen in _WRITTEN and (not has_ending(texts[chosen]) or _CUT.search(texts[chosen]))):
        chosen = next((source for source in texts if source in _WRITTEN and _is_whole_name(texts[source])), chosen)
    text = texts[chosen]
    is_written = chosen in _WRITTEN or isinstance(chosen, ElementText)
    if is_written and (cut := _CUT.search(text)):
        text = next((whole for whole in texts.values() if _is_whole(whole, text[: cut.start()])), text)
    # A place that the pack names holds the name as it is; so does a text that header or address of the file repeats.
    repeated = {_text_of(source, page, header, addresses) for source in (NameSource.ADDRESS, NameSource.DISPOSITION)}
    is_given = chosen not in _FOUND or (chosen in _WRITTEN and text in repeated)
    name = re.sub(r"[/\\]", "_", text) if is_written else text
    return FileName(label=text, name=name, is_given=is_given)


def _is_whole_name(text: str) -> bool:
    return has_ending(text) and not _CUT.search(text) and not _is_generic(text)


def _is_whole(text: str, begin: str) -> bool:
    """Return whether a text continues another text that was cut short."""
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


def _text_at(place: ElementText, text: str) -> str:
    """Return the name at a place of the page; all that its pattern takes from the text is the name."""
    return place.text_in(text) if place.pattern else name_in_text(text)


def name_in_text(text: str) -> str:
    """Return the file name in a text of a page; its first line without a size if no part looks like a name."""
    lines = [" ".join(_ICONS.sub("", line).split()) for line in text[:_TEXT_MAX_CHARS].splitlines()]
    lines = [line for line in lines if any(sign.isprintable() for sign in line)]  # some links have only unseen signs
    for line in lines:
        if _ADDRESS.fullmatch(line) and (name := name_in_address(line)):
            return name
        ends = [match.end() for match in _ENDED.finditer(line) if has_ending(match[0])]
        if ends:
            name = line[: ends[-1]]
            before = _VERB.match(name) or _LABELLED.match(name)
            return _FOLDERS.sub("", _OPENED.sub("", name[before.end() :] if before else name))
    return next((short for line in lines if (short := _SIZE.sub("", line).strip())), "")


def name_in_address(address: str) -> str:
    """Return the file name among the values of an address, else its last part; empty if that is a key."""
    try:
        parts = urlsplit(address)
        values = parse_qsl(parts.query, encoding="latin-1")
    except ValueError:
        return ""
    for _, value in values:
        name = _decoded(value.encode("latin-1"))
        if has_ending(name) and "=" not in name and "://" not in name:
            return re.split(r"[/\\]", name)[-1].strip()
    folders, _, last = parts.path.rpartition("/")
    above, last = _path_part(folders.rpartition("/")[2]), _PROGRAM.sub("", _path_part(last)).strip()
    if has_ending(above) and (not last or _is_generic(last)):
        return above  # .../Offer.pdf/download
    return "" if _KEY.fullmatch(last) else last


def _path_part(text: str) -> str:
    """Return a part of a path, decoded."""
    return _decoded(unquote_to_bytes(text.partition(";")[0])).strip()


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _is_generic(text: str) -> bool:
    words = text.strip(" .:!\u2026>\u203a\u00bb\u2193\u21e9()[]")
    return bool(_GENERIC.fullmatch(words) or _NO_NAME.fullmatch(words))
