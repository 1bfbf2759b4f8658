"""A web page that came in the place of a file: what it shows, and whether it does nothing but wait or lead on. Pure.

A page may be a document that somebody attached. One that by itself sends a form, goes elsewhere or asks for patience,
and hardly shows anything, is none, whoever calls it a file.
"""

from __future__ import annotations

import re
from functools import cached_property

from poolwright.archive.error_words import titles_error

#: A page that hardly shows anything, and one that could still be made of menus.
_NOTE_MAX_CHARS, _TEXT_MAX_CHARS = 400, 1500
#: Error pages may have menus and a footer.
_ERROR_MAX_CHARS = 5000
#: Nobody has a document that is gone after so many seconds.
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
#: Code that runs where nobody clicks: in scripts, and when the page is there.
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
#: What pages say that lead on, and people who write of other things.
_LEADS_ON = re.compile(
    r"redirect(?:ing|ed)|werden weitergeleitet|redirection en cours|signing (?:you )?in\b|"
    r"(?:click|press).{0,40}\b(?:to continue|to proceed)|"
    r"\b(?:preparing|generating|creating|building|processing|opening|loading|fetching) (?:your|the|this) (?:\w+ ){0,2}"
    r"(?:file|document|report|download|export|request|data)\b",
    re.IGNORECASE,
)
#: The same where nothing else is said, and where the words could be a person's own.
_PLEASE_WAIT = re.compile(
    r"(?:please wait|bitte warten|veuillez patienter|espere por favor|loading|processing|queued|pending|in progress|"
    r"redirecting|one moment(?: please)?|einen moment(?: bitte)?)"
    r"(?:\s*(?:\.{1,3}|\u2026|!))*"
    r"|(?:your |the |ihr |der |die |votre |su )?(?:file|document|download|report|export|archive|request|datei|dokument|"
    r"bericht|anfrage|fichier|document|archivo|documento)\b.{0,60}?\b(?:being|wird|en cours de|se est\u00e1) ?"
    r"(?:gerade |noch )?(?:prepared|generated|created|processed|built|vorbereitet|erstellt|erzeugt|verarbeitet|"
    r"pr\u00e9paration|g\u00e9n\u00e9ration|preparando|generando)\b.{0,200}",
    re.IGNORECASE | re.DOTALL,
)
_PASSWORD = re.compile(r"<input\b[^>]{0,400}type\s*=\s*[\"']?password", re.IGNORECASE)
_SCRIPTED = re.compile(r"<script\b", re.IGNORECASE)
#: What a page can show without a word.
_SHOWN = re.compile(r"<(?:img|svg|table|object|embed|iframe|canvas|video)\b", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]*>")
#: What is in a page and not on it; what never ends goes to the end of the page.
_UNSEEN = re.compile(r"<(script|style)\b.*?(?=</\1\b|\Z)", re.IGNORECASE | re.DOTALL)
_BESIDE = re.compile(r"<(title|noscript)\b.*?(?=</\1\b|\Z)", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


class WebPage:
    """A page, as it came."""

    def __init__(self, text: str) -> None:
        """Look at a page in its letters."""
        self._text = text
        self._plain = _UNSEEN.sub("", text)
        #: Its words, the title too.
        self.shown = _words(self._plain)

    @property
    def asks_for_password(self) -> bool:
        """Whether it has a field for one."""
        return bool(_PASSWORD.search(self._text))

    @property
    def titles_error(self) -> bool:
        """Whether a page that is no longer than errors are calls itself one."""
        is_short = len(self.shown) <= _ERROR_MAX_CHARS
        return is_short and any(titles_error(_words(title)) for _, title in _TITLE.findall(self._text))

    @property
    def makes_wait(self) -> bool:
        """Whether it could be one that waits for the file, or leads to it."""
        is_short = len(self.shown) <= _TEXT_MAX_CHARS
        is_moving = _REFRESHES.search(self._text) or _MOVES_ON.search(self._text)
        return is_short and bool(is_moving or _PATIENCE.search(self.shown))

    @property
    def is_made_by_scripts(self) -> bool:
        """Whether it shows nothing without its scripts."""
        return not self._words_beside_title and not _SHOWN.search(self._text) and bool(_SCRIPTED.search(self._text))

    @property
    def is_idle(self) -> bool:
        """Whether the page is certainly not a document: it redirects, waits, or only embeds another page."""
        if self._refreshes():
            return True
        words = self._words_beside_title
        if len(words) > _NOTE_MAX_CHARS:
            return False
        scripts = _SCRIPT.findall(self._seen)
        if asks_for_patience(words) or (scripts and (_PATIENCE.search(words) or _LEADS_ON.search(words))):
            return True
        started = (code for looks in _LOADED.findall(self._seen) for code in _ON_LOAD.findall(looks))
        if any(map(_MOVES_ON.search, (*(code for _, code in scripts), *started))):
            return True
        return not words and any(map(_ELSEWHERE.search, _FRAME.findall(self._seen)))

    @cached_property
    def _seen(self) -> str:
        """The page without comments, and without what only browsers that know no scripts look at."""
        return _COMMENT.sub("", self._text)

    @cached_property
    def _words_beside_title(self) -> str:
        return _words(_BESIDE.sub("", self._plain))

    def _refreshes(self) -> bool:
        if len(self.shown) > _ERROR_MAX_CHARS:
            return False
        for meta in _META.findall(_BESIDE.sub("", _UNSEEN.sub("", self._seen))):
            after = _AFTER_S.search(meta) if _REFRESHES.search(meta) else None
            is_short = len(self.shown) <= _NOTE_MAX_CHARS
            if after and (is_short or (after[2] and int(after[1] or 0) <= _REFRESH_MAX_S)):
                return True
        return False


def asks_for_patience(words: str) -> bool:
    """Whether a text says only that something is still being created."""
    return bool(_PLEASE_WAIT.fullmatch(words))


def _words(markup: str) -> str:
    return " ".join(_TAGS.sub(" ", markup).split())
