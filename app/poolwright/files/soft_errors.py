"""Recognizes what a portal sends in place of a file: an error message, a waiting page, a login form.

Such replies have status 200 and any name. A web page may be an attached document, so the rules are strict: a document
that only mentions an error is not one. But a page with little text that submits a form by itself, redirects, or asks to
wait is never a document, whatever its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

from poolwright.files.api_reply import ApiReply, classify_json, classify_xml
from poolwright.files.error_text import contains_error, is_error_note, is_error_title, is_stack_trace
from poolwright.files.file_format import ContentType
from poolwright.files.media_type import decode_text

#: Longest text of a page that only waits, and of one that has menus besides.
_WAITING_NOTE_MAX_CHARS, _TEXT_MAX_CHARS = 400, 1500
#: Error pages may have menus and a footer.
_ERROR_MAX_CHARS = 5000
#: A page that reloads after this many seconds or fewer is no document.
_REFRESH_MAX_S = 60
_TITLE = re.compile(r"<(title|h[1-3])\b[^>]{0,200}>(.{0,400}?)</\1\b", re.IGNORECASE | re.DOTALL)
_META = re.compile(r"<meta\b[^>]{0,400}>?", re.IGNORECASE)
_REFRESHES = re.compile(r"http-equiv\s*=\s*[\"']?\s*refresh", re.IGNORECASE)
_AFTER_S = re.compile(r"content\s*=\s*[\"']?\s*(\d{1,9})?(?:\.\d{0,9})?\s*[;,]?\s*([^\s\"'>])?", re.IGNORECASE)
_MOVES_ON = re.compile(
    r"\blocation(?:\.href|\[[\"']href[\"']\])?\s*=(?!=)|\blocation\.(?:replace|assign|reload)\s*\(|"
    r"\bwindow\.(?:open|navigate)\s*\(|(?:\.|\b)(?:submit|requestSubmit)\s*(?:\(\s*\)|\.(?:call|apply)\b)|"
    r"\bhistory\.(?:back|forward|go|replaceState)\s*\(|\.trigger\s*\(\s*[\"'](?:submit|click)|\.click\s*\(\s*\)"
)
#: Code that runs without a click: in scripts, and when the page is loaded.
_SCRIPT = re.compile(r"<script\b([^>]{0,2000})>(.*?)(?:</script\b|\Z)", re.IGNORECASE | re.DOTALL)
_LOADED = re.compile(r"<(?:body|frameset|img|iframe|svg)\b([^>]{0,2000})", re.IGNORECASE)
_ON_LOAD = re.compile(r"\bon(?:load|error|pageshow)\s*=\s*(.+)", re.IGNORECASE | re.DOTALL)
_FRAME = re.compile(r"<(?:iframe|frame|embed|object)\b([^>]{0,2000})", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\b(?:src|data)\s*=\s*[\"']?\s*(?!data:|about:)[^\s\"'>]", re.IGNORECASE)
_PATIENCE = re.compile(
    r"download (?:will|should) (?:start|begin)|(?:starts|begins) (?:shortly|soon|automatically)|please wait|"
    r"being (?:prepared|generated|created)|bitte warten|wird (?:vorbereitet|erstellt)|veuillez patienter|"
    r"espere por favor|attendere prego|even geduld",
    re.IGNORECASE,
)
#: Words of redirecting pages; documents may have them too.
_LEADS_ON = re.compile(
    r"redirect(?:ing|ed)|werden weitergeleitet|redirection en cours|signing (?:you )?in\b|"
    r"(?:click|press).{0,40}\b(?:to continue|to proceed)|"
    r"\b(?:preparing|generating|creating|building|processing|opening|loading|fetching) (?:your|the|this) (?:\w+ ){0,2}"
    r"(?:file|document|report|download|export|request|data)\b",
    re.IGNORECASE,
)
#: Words of waiting pages that count only if the page has no others, since a person could write them.
_PLEASE_WAIT = re.compile(
    r"(?:please wait|bitte warten|veuillez patienter|espere por favor|loading|processing|queued|pending|in progress|"
    r"redirecting|one moment(?: please)?|einen moment(?: bitte)?)"
    r"(?:\s*(?:\.{1,3}|\u2026|!))*"
    r"|(?:your |the |this |ihr |der |die |votre |su )?(?:file|document|download|report|export|archive|request|datei|"
    r"dokument|"
    r"bericht|anfrage|fichier|document|archivo|documento)\b.{0,60}?\b(?:being|wird|en cours de|se est\u00e1) ?"
    r"(?:gerade |noch )?(?:prepared|generated|created|processed|built|scanned|checked|converted|vorbereitet|erstellt|"
    r"erzeugt|verarbeitet|"
    r"pr\u00e9paration|g\u00e9n\u00e9ration|preparando|generando)\b.{0,200}",
    re.IGNORECASE | re.DOTALL,
)
_PASSWORD = re.compile(r"<input\b[^>]{0,400}type\s*=\s*[\"']?password", re.IGNORECASE)
_NEEDS_SCRIPTS = re.compile(r"<script\b", re.IGNORECASE)
#: Elements that show content without text.
_SHOWN = re.compile(r"<(?:img|svg|table|object|embed|iframe|canvas|video)\b", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]*>")
#: Elements of a page that are not displayed; an unclosed one extends to the end of the page.
_UNSEEN = re.compile(r"<(script|style)\b.*?(?=</\1\b|\Z)", re.IGNORECASE | re.DOTALL)
_BESIDE = re.compile(r"<(title|noscript)\b.*?(?=</\1\b|\Z)", re.IGNORECASE | re.DOTALL)
#: Style sheets and scripts that a page loads, and the addresses of those that lie on its own server.
_PARTS = re.compile(r"<(?:link|script)\b[^>]{0,2000}", re.IGNORECASE)
_SERVER_PART = re.compile(
    r"<script\b.*\bsrc\s*=\s*[\"']?/[^/]|<link\b(?=.*\brel\s*=\s*[\"']?stylesheet).*\bhref\s*=\s*[\"']?/[^/]",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


class WebPage:
    """A web page as the portal sent it."""

    def __init__(self, text: str) -> None:
        """Take the decoded text of a page."""
        self._text = text
        self._plain = _UNSEEN.sub("", text)
        #: The displayed words, with the title.
        self.shown = _words(self._plain)

    @property
    def asks_for_password(self) -> bool:
        """Whether the page has a password field."""
        return bool(_PASSWORD.search(self._text))

    @property
    def has_error_title(self) -> bool:
        """Whether the page is as short as an error page and its title or a heading names an error."""
        is_short = len(self.shown) <= _ERROR_MAX_CHARS
        return is_short and any(is_error_title(_words(title)) for _, title in _TITLE.findall(self._text))

    @property
    def is_waiting_page(self) -> bool:
        """Whether the page could wait for the file or redirect to it."""
        is_short = len(self.shown) <= _TEXT_MAX_CHARS
        is_moving = _REFRESHES.search(self._text) or _MOVES_ON.search(self._text)
        return is_short and bool(is_moving or _PATIENCE.search(self.shown))

    @property
    def is_of_server(self) -> bool:
        """Whether the page loads style sheets or scripts by a path of its server; a page saved as a file has none."""
        return any(map(_SERVER_PART.search, _PARTS.findall(self._seen)))

    @property
    def is_made_by_scripts(self) -> bool:
        """Whether the page is empty without its scripts."""
        return (
            not self._words_beside_title and not _SHOWN.search(self._text) and bool(_NEEDS_SCRIPTS.search(self._text))
        )

    @property
    def is_note(self) -> bool:
        """Whether the page has no more text than a message, and nothing else to show."""
        return len(self._words_beside_title) <= _WAITING_NOTE_MAX_CHARS and not _SHOWN.search(self._text)

    @property
    def is_interstitial(self) -> bool:
        """Whether the page is certainly not a document: it redirects, waits, or only embeds another page."""
        if self._refreshes():
            return True
        words = self._words_beside_title
        if len(words) > _WAITING_NOTE_MAX_CHARS:
            return False
        scripts = _SCRIPT.findall(self._seen)
        if is_waiting_note(words) or (scripts and (_PATIENCE.search(words) or _LEADS_ON.search(words))):
            return True
        started = (code for attributes in _LOADED.findall(self._seen) for code in _ON_LOAD.findall(attributes))
        if any(map(_MOVES_ON.search, (*(code for _, code in scripts), *started))):
            return True
        return not words and any(map(_ELSEWHERE.search, _FRAME.findall(self._seen)))

    @cached_property
    def _seen(self) -> str:
        """The page without comments."""
        return _COMMENT.sub("", self._text)

    @cached_property
    def _words_beside_title(self) -> str:
        return _words(_BESIDE.sub("", self._plain))

    def _refreshes(self) -> bool:
        if len(self.shown) > _ERROR_MAX_CHARS:
            return False
        for meta in _META.findall(_BESIDE.sub("", _UNSEEN.sub("", self._seen))):
            after = _AFTER_S.search(meta) if _REFRESHES.search(meta) else None
            is_short = len(self.shown) <= _WAITING_NOTE_MAX_CHARS
            if after and (is_short or (after[2] and int(after[1] or 0) <= _REFRESH_MAX_S)):
                return True
        return False


def is_waiting_note(words: str) -> bool:
    """Whether a text only reports that something is still being created."""
    return bool(_PLEASE_WAIT.fullmatch(words))


def _words(markup: str) -> str:
    return " ".join(_TAGS.sub(" ", markup).split())


#: Error messages are short; a larger file is a document, whatever its words.
MESSAGE_MAX_BYTES = 64 * 1024
_NOTE_MAX_CHARS = 400
_NOTE_MAX_LINES = 3


class SoftError(StrEnum):
    """What the portal sent in place of a file, as a phrase for an error sentence."""

    ERROR = "an error message"
    WAITING = "a page that asks to wait for the file"
    PENDING = "a message that the file is still being created"
    ELSEWHERE = "a link to another address"
    STATUS = "a status without a file"
    LOGIN = "a page that asks for a password"
    SCRIPT = "a page that is empty without its scripts"


_ANSWERS: Mapping[ApiReply | None, SoftError | None] = MappingProxyType(
    {
        None: None,
        ApiReply.ERROR: SoftError.ERROR,
        ApiReply.PENDING: SoftError.PENDING,
        ApiReply.ELSEWHERE: SoftError.ELSEWHERE,
        ApiReply.STATUS: SoftError.STATUS,
    }
)
#: Status replies of a single word, number or constant, which no document consists of.
_BARE = re.compile(
    r"[+-]?\d{1,2}|-\d{1,12}(?:\.\d{1,4})?|0x[0-9a-f]{1,8}|true|yes|no|ok|okay|success(?:ful(?:ly)?)?|done|ack|nack|"
    r"nok|ko|ng|(?-i:[A-Z]{1,30}(?:_[A-Z]{1,30}){1,8})|\{\}|\[\]|eof|end",
    re.IGNORECASE,
)
_QUOTES = " \t\r\n\"'.;,!"
#: A single address or key, which is a reference for a program.
_KEY = re.compile(
    r"https?://\S+|(?:/[\w.~%-]+)+(?:\?\S*)?|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24,64}",
    re.IGNORECASE,
)
#: JSON in a function call (JSONP), or with a prefix that keeps other sites from running it.
_SCRIPTED = re.compile(
    r"(?:(?:/\*\*/\s*)?(?:typeof [\w$.]{1,60} === 'function' && )?[\w$.]{1,60}\(|\)\]\}',?\s*|"
    r"(?:while|for)\s*\([1;]*\);\s*)([{\[].*[}\]])\s*\)?;?",
    re.DOTALL,
)
#: A text in quotes, as JSON has it.
_QUOTED = re.compile(r"\"(?:[^\"\\\x00-\x1f]|\\.)*\"")
_LINES_LOOKED_AT = 20
#: How data of programs begins that is as short as a message: EDIFACT, X12, calendars and cards, keys, drawings, SWIFT.
_PROGRAM_DATA = re.compile(r"UN[AB][:+]|ISA\*|BEGIN:|-----BEGIN |ISO-10303-|:20:|solid ")
#: Separators of values, beginnings of data, and long strings without spaces.
_DATA = re.compile(r"[;\t|={}<>@*~]|,(?!\s)|:(?!\s|$)|-{4}|\S{40}")
_MAIL = re.compile(r"(?:from|to|subject|date|received|return-path|mime-version|message-id|x-[\w-]+): ", re.IGNORECASE)


def find_soft_error(content: bytes, kind: ContentType) -> SoftError | None:
    """Classify the content that the portal sent in place of a file; ``None`` if it may be the file.

    Args:
        content: The whole content; larger than ``MESSAGE_MAX_BYTES`` it is no soft error, so it need not be classified.
        kind: The kind of the content.
    """
    text = decode_text(content)
    match kind:
        case ContentType.HTML | ContentType.OFFICE_HTML:
            return _soft_error_of_page(text)
        case ContentType.JSON:
            return _ANSWERS[classify_json(text)]
        case ContentType.XML:
            return _ANSWERS[classify_xml(text)]
        case ContentType.TEXT:
            return _soft_error_of_note(text)
        case _:
            return None


def is_generated_document(content: bytes) -> bool:
    """Whether a text has the form of a generated document: a table or an email. Error messages do not have it."""
    lines = [line for line in decode_text(content).splitlines()[:_LINES_LOOKED_AT] if line.strip()]
    return bool(lines) and (_is_table(lines, ";,\t|") or bool(_MAIL.match(lines[0])))


def is_plain_sentence(content: bytes) -> bool:
    """Whether a text is one or two plain sentences without data: no separators and no lines of numbers."""
    text = decode_text(content).strip()
    is_short = len(text) <= _NOTE_MAX_CHARS and len(text.splitlines()) == 1
    return is_short and any(char.isalpha() for char in text) and (not _DATA.search(text) or bool(_KEY.fullmatch(text)))


def is_short_text(content: bytes) -> bool:
    """Whether a text is as short as a message in any language: a few lines that are neither a table nor other data."""
    text = decode_text(content).strip()
    if is_generated_document(content) or _PROGRAM_DATA.match(text):
        return False
    has_words = any(char.isalpha() for char in text)
    return has_words and len(text) <= _NOTE_MAX_CHARS and len(text.splitlines()) <= _NOTE_MAX_LINES


def _is_table(lines: list[str], marks: str) -> bool:
    return len(lines) > 1 and any(lines[0].count(mark) == lines[1].count(mark) > 0 for mark in marks)


def _is_data(lines: list[str]) -> bool:
    """Whether lines are a table; a comma with a space behind it is one of a sentence."""
    return _is_table(lines, ";\t|" if any(", " in line for line in lines) else ";\t|,")


def _soft_error_of_page(text: str) -> SoftError | None:
    page = WebPage(text)
    if page.asks_for_password:
        return SoftError.LOGIN
    if page.has_error_title:
        return SoftError.ERROR
    if page.is_waiting_page:
        return SoftError.WAITING
    if len(page.shown) <= _NOTE_MAX_CHARS and contains_error(page.shown):
        return SoftError.ERROR
    return SoftError.SCRIPT if page.is_made_by_scripts else None


def _unquoted(words: str) -> str:
    """Return the text of a reply that is a single JSON string, or the words as they are."""
    if not _QUOTED.fullmatch(words):
        return words
    try:
        return str(json.loads(words)).strip()
    except ValueError:  # such as a path of Windows
        return words


def _soft_error_of_note(text: str) -> SoftError | None:
    words = _unquoted(text.strip())
    if (script := _SCRIPTED.fullmatch(words)) is not None:
        return _ANSWERS[classify_json(script[1])]
    lines = words.splitlines()
    if is_stack_trace(words):
        return SoftError.ERROR
    if len(words) > _NOTE_MAX_CHARS or len(lines) > _NOTE_MAX_LINES or _is_data(lines):
        return None
    if is_error_note(words):
        return SoftError.ERROR
    if is_waiting_note(words):
        return SoftError.PENDING
    return SoftError.STATUS if _BARE.fullmatch(words.strip(_QUOTES)) else None
