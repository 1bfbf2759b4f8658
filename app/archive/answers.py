"""What a portal sends instead of a file, told by its shape: an error, a page that waits, a form for a password. Pure.

Such answers come with status 200 and under any name. So shapes are strict: what only speaks of an error is none.
"""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import cast

from app.archive.formats import Kind
from app.archive.kinds import decoded

#: Errors are short; a larger file is a document, whatever words are in it.
MESSAGE_MAX_BYTES = 64 * 1024
_NOTE_MAX_CHARS = 400
_PAGE_TEXT_MAX_CHARS = 1500
#: Error pages may have menus and a footer.
_ERROR_PAGE_MAX_CHARS = 5000


class Shape(StrEnum):
    """What an answer is that is no file, in the words of a problem sentence."""

    ERROR = "an error message"
    WAITING = "a page that makes one wait for the file"
    LOGIN = "a page that asks for a password"


_ERROR_WORDS = (
    r"(?:\w+\s+)?(?:error|fehler|erreur|errore|erro)\b\s*(?:$|[:!.\-\u2013(|\d]|has\b|occurred)"
    r"|(?:http\s+|status\s+)?[45]\d\d\b(?!\S*\d)"
    r"|.{0,60}\b(?:not found|nicht gefunden|introuvable|access (?:is )?denied|zugriff verweigert|forbidden"
    r"|unauthori[sz]ed|not authori[sz]ed|service unavailable|temporarily unavailable|bad (?:request|gateway)"
    r"|session (?:has )?expired|no longer available|internal server error|something went wrong|request blocked"
    r")\b|(?:(?:scheduled|under|down for) )?(?:maintenance|wartung(?:sarbeiten)?|just a moment|attention required)\b"
)
_TITLE = re.compile(r"<(title|h1|h2)\b[^>]{0,200}>([^<]{0,200})<", re.IGNORECASE)
_ERROR_TITLE = re.compile(rf"\s*(?:{_ERROR_WORDS})", re.IGNORECASE)
_PHRASE = re.compile(
    r"\b(?:(?:file|document|attachment|resource|object|page|item|record|key|session|link|url|request|token|access|"
    r"permission|download|datei|dokument|sitzung|ticket|user|you)s?\b"
    r".{0,80}?\b(?:not (?:be )?found|not available|unavailable|expired|"
    r"denied|(?:does|did|do) not exist|no longer|not authori[sz]ed|unauthori[sz]ed|forbidden|not permitted|not allowed|"
    r"failed|could not|cannot|can't|nicht gefunden|abgelaufen|invalid)|no such (?:file|key|document)|"
    r"(?:an|internal|unexpected|session|server|system|application|runtime) error\b|error (?:has )?occurred|"
    r"(?:not found|access denied|forbidden|unauthori[sz]ed|bad request|service unavailable)\W*$)",
    re.IGNORECASE,
)
_NOTE = re.compile(r"\s*(?:\w+\s+){0,3}?(?:error|exception|failure)\b\s*(?:$|[:!.\-\d])", re.IGNORECASE)
_REFRESH = re.compile(r"<meta\b[^>]{0,80}http-equiv\s*=\s*[\"']?refresh", re.IGNORECASE)
_MOVES_ON = re.compile(
    r"\blocation(?:\.href)?\s*=|\blocation\.(?:replace|assign)\s*\(|\bwindow\.open\s*\(|\.submit\s*\(\s*\)"
)
_PATIENCE = re.compile(
    r"download (?:will|should) (?:start|begin)|(?:starts|begins) (?:shortly|soon|automatically)|please wait|"
    r"being (?:prepared|generated)|bitte warten|wird vorbereitet",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"<input\b[^>]{0,400}type\s*=\s*[\"']?password", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]*>")
_LINES_LOOKED_AT = 20
_MAIL = re.compile(r"(?:from|to|subject|date|received|return-path|mime-version|message-id|x-[\w-]+): ", re.IGNORECASE)
_ROOT = re.compile(r"\s*(?:<\?[^>]{0,500}\?>\s*|<!--.{0,500}?-->\s*)*<(?:[\w.-]{1,60}:)?([\w.-]{1,60})", re.DOTALL)
_ERROR_ROOTS = frozenset(
    {"error", "errors", "errorresponse", "exception", "exceptionreport", "serviceexceptionreport", "fault", "problem"}
)
_SOAP_FAULT = re.compile(r"<(?:[\w.-]{1,60}:)?fault\b", re.IGNORECASE)
_ERROR_KEYS = frozenset({"error", "errors", "exception", "fault", "errorcode", "errormessage", "stacktrace"})
_MESSAGE_KEYS = frozenset(
    {"message", "msg", "detail", "title", "description", "reason", "status", "code", "statuscode"}
)
_BAD_STATUS_MIN = 400


def shape_of(content: bytes, kind: Kind) -> Shape | None:
    """What kind of answer this is, if it is no file.

    Args:
        content: All of it; of something larger than ``MESSAGE_MAX_BYTES`` nothing need be asked.
        kind: What it holds.
    """
    text = decoded(content)
    match kind:
        case Kind.HTML | Kind.OFFICE_HTML:
            return _shape_of_page(text)
        case Kind.JSON:
            return Shape.ERROR if _is_json_error(text) else None
        case Kind.XML:
            return Shape.ERROR if _is_xml_error(text) else None
        case Kind.TEXT:
            return Shape.ERROR if _is_note_of_error(text) else None
        case _:
            return None


def asks_for_password(content: bytes) -> bool:
    """Whether a page of HTML has a field for a password."""
    return bool(_PASSWORD.search(decoded(content)))


def is_written_document(content: bytes) -> bool:
    """Whether a text has the form of one that a program wrote: a table, or a mail. What an error says has none."""
    lines = [line for line in decoded(content).splitlines()[:_LINES_LOOKED_AT] if line.strip()]
    if not lines:
        return False
    is_table = len(lines) > 1 and any(lines[0].count(mark) == lines[1].count(mark) > 0 for mark in ";,\t|")
    return is_table or bool(_MAIL.match(lines[0]))


def _shape_of_page(text: str) -> Shape | None:
    if _PASSWORD.search(text):
        return Shape.LOGIN
    shown = " ".join(_TAGS.sub(" ", _without("style", _without("script", text))).split())
    if len(shown) <= _ERROR_PAGE_MAX_CHARS and any(_ERROR_TITLE.match(title) for _, title in _TITLE.findall(text)):
        return Shape.ERROR
    is_short = len(shown) <= _PAGE_TEXT_MAX_CHARS
    if is_short and (_REFRESH.search(text) or _MOVES_ON.search(text) or _PATIENCE.search(shown)):
        return Shape.WAITING
    return Shape.ERROR if len(shown) <= _NOTE_MAX_CHARS and _PHRASE.search(shown) else None


def _without(element: str, text: str) -> str:
    """``text`` without such elements. By hand: a pattern would look for the end of each of a thousand open ones."""
    folded, kept, at = text.lower(), list[str](), 0
    while (begin := folded.find(f"<{element}", at)) >= 0:
        kept.append(text[at:begin])
        end = folded.find(f"</{element}", begin)
        if end < 0:
            return "".join(kept)
        at = end
    return "".join((*kept, text[at:]))


def _is_json_error(text: str) -> bool:
    try:
        told: object = json.loads(text.encode("latin-1", "ignore").decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return False
    if not isinstance(told, dict):
        return False
    found = {str(key).lower().replace("_", ""): value for key, value in cast("dict[object, object]", told).items()}
    if any(found.get(key) for key in _ERROR_KEYS) or found.get("success") is False or found.get("ok") is False:
        return True
    status = next((found[key] for key in ("status", "statuscode", "code") if key in found), None)
    if str(status).isdecimal() and int(str(status)) >= _BAD_STATUS_MIN and _MESSAGE_KEYS & found.keys():
        return True
    return found.keys() <= _MESSAGE_KEYS and any(
        _PHRASE.search(str(value)[:_NOTE_MAX_CHARS]) for value in found.values()
    )


def _is_xml_error(text: str) -> bool:
    root = _ROOT.match(text)
    name = root[1].lower() if root else ""
    return name in _ERROR_ROOTS or (name == "envelope" and bool(_SOAP_FAULT.search(text)))


def _is_note_of_error(text: str) -> bool:
    words = text.strip()
    is_note = len(words) <= _NOTE_MAX_CHARS and len(words.splitlines()) <= 3  # noqa: PLR2004 - a sentence or two
    return is_note and bool(_NOTE.match(words) or _PHRASE.search(words) or _ERROR_TITLE.match(words))
