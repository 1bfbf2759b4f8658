"""Recognizes error messages in short texts and page titles by their wording."""

from __future__ import annotations

import re
from http import HTTPStatus

_BAD = tuple(status for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST)
#: The numbers and names of error statuses.
_NUMBERS = "|".join(str(status.value) for status in _BAD)
_PHRASES = "|".join(sorted({re.escape(status.phrase.lower()) for status in _BAD}))
#: An error status with its name or a word such as "error"; a number within other text may mean anything.
_STATUS = (
    r"(?:http(?:/\d(?:\.\d)?)?|status(?:\s+code)?|code|error)\s*:?\s*[45]\d\d\b(?!\S*\d)"
    rf"|(?:{_NUMBERS})\b\s*(?:$|[:|\u2013-]\s|[:|\u2013-]?\s*(?:{_PHRASES}|\w*\s?error|\w*\s?fehler|page|not found))"
)
#: Short statements that end a sentence or are a whole one.
_STATES = (
    r"(?:not found|nicht gefunden|nicht (?:mehr )?verf\u00fcgbar|introuvable|no encontrad[oa]|non trovat[oa]|"
    r"n\u00e3o (?:foi )?encontrad[oa]|non esiste|n\u00e3o existe|nebyl[ao]? nalezen[ao]?|nie znaleziono|"
    r"nem tal\u00e1lhat\u00f3|bulunamad\u0131|bestaat niet|finns inte|findes ikke|ikke funnet|ei l\u00f6ydy|"
    r"virus (?:was |has been )?(?:detected|found)|credentials (?:were |are )?(?:not provided|missing|required)|"
    r"not accessible|method not allowed|invalid csrf token|csrf token missing(?: or incorrect)?|nicht gestattet|"
    r"non autoris\u00e9e?|(?:sesi\u00f3n|sess\u00e3o) expirada|sessione scaduta|sessie verlopen|sesja wygas\u0142a|"
    r"invalid (?:attachment|file|document)(?: id)?|checksum mismatch|out of memory|no healthy upstream|"
    r"access (?:is )?denied|zugriff verweigert|acc\u00e8s (?:refus\u00e9|interdit)|"
    r"acceso denegado|accesso negato|acesso negado|forbidden|verboten|unauthori[sz]ed|not authori[sz]ed|"
    r"(?:service|server|temporarily|currently) unavailable|bad (?:request|gateway)|session (?:has )?expired|"
    r"no longer available|something went wrong|page (?:is )?unavailable|access (?:is )?restricted|kein zugriff|"
    r"(?:file|document|attachment|link) (?:is )?(?:expired|unavailable|missing|deleted)|nicht erlaubt|"
    r"nicht autorisiert|"
    r"no (?:file|document|attachment|content|data|result|record)s? (?:was |were )?(?:found|available|exists?)|"
    r"keine (?:datei|daten|dokumente?|anlagen?) (?:gefunden|vorhanden|verf\u00fcgbar)|keine daten|"
    r"(?:session|sitzung) (?:timeout|time-?out|abgelaufen|ung\u00fcltig)|session (?:is )?invalid|"
    r"internal server error|request blocked|too many requests|rate limit exceeded|gateway time-?out|request time-?out|"
    r"timed out|(?:authentication|login|log-in|sign-in) (?:is )?required|not (?:logged|signed) in|nicht angemeldet|"
    r"session_expired|jwt expired|token mismatch|connection (?:refused|reset)|permission denied|unauthenticated|"
    r"no permission|keine berechtigung|insufficient (?:privileges|permissions|rights)|nicht vorhanden|"
    r"niet gevonden|ikke fundet|hittades inte|nie istnieje|brak dost\u0119pu|inesistente|no such (?:key|file|object)|"
    r"(?:is )?under maintenance|invalid (?:token|session|credentials|api key|request|link|signature)|no data found)"
)
_ERROR_START = re.compile(
    r"\s*(?:(?:\w+\s+)?(?:error|fehler|erreur|errore|erro)\b\s*(?:$|[:!.\-\u2013(|\d]|has\b|occurred)"
    rf"|{_STATUS}|.{{0,60}}\b{_STATES}(?=\s*(?:$|[.:!|\u2013-]))"
    r"|(?:unable to|could not|failed to|cannot (?:get|find|open|load|read|access))\b"
    r"|(?:une |se ha producido un |ocorreu um )(?:erreur|error|erro)\b|(?:erreur|errore)\s+intern[eo]\b"
    r"|(?:(?:scheduled|down for) )?(?:maintenance|wartung(?:sarbeiten)?)\b(?=\s*(?:$|[.!\u2013-]|in progress|mode))"
    r"|(?:just a moment|attention required|oops|whoops|hoppla|uh[- ]oh)\b"
    r"|we (?:could not|couldn(?:'|\u2019)?t|can(?:'|\u2019)?t|cannot) "
    r"(?:find|locate|open|load|show|display|process|access)\b)",
    re.IGNORECASE,
)
#: Beginnings of error titles; in other texts they prove nothing.
_TITLE_START = re.compile(
    r"\s*(?:(?:we(?:'|\u2019)?re |we are )?sorry\b"
    r"|(?:es tut uns leid|entschuldigung|d\u00e9sol\u00e9e?|lo sentimos|siamo spiacenti)\b"
    r"|page (?:not|un)|.{0,40}\berror page\b|(?:not|no) (?:found|available|access)\b|"
    r"access\b.{0,20}\b(?:denied|restricted|required)"
    r"|.{0,60}[-|:\u2013] (?:\w+ ){0,2}(?:error|fehler)\W*$|.{0,80}\([45]\d\d\)\W*$|verify (?:that )?you are"
    r"|object moved\b|(?:document|page) (?:has )?moved\b|moved (?:permanently|temporarily)\b"
    r"|30[12378] (?:found|moved|see other|temporary redirect|permanent redirect)\b"
    r"|(?:sign|log) ?in\b\W*$|anmeldung\W*$|session\b.{0,30}\b(?:expired|ended|timed out))",
    re.IGNORECASE,
)
_SUBJECTS = (
    r"(?:file|document|attachment|resource|object|page|item|record|key|session|link|url|request|token|access|"
    r"permission|"
    r"download|server|service|system|site|login|virus|datei|dokument|sitzung|anhang|fichier|document|archivo|documento|"
    r"sesi\u00f3n|ticket|user|you)s?"
)
_VERDICTS = (
    r"(?:not (?:be )?found|not available|unavailable|expired|timed out|has ended|denied|(?:does|did|do) not exist|"
    r"no longer|not authori[sz]ed|unauthori[sz]ed|forbidden|not permitted|not allowed|blocked|failed|"
    r"(?:could not|cannot|can't) be (?:found|opened|read|loaded|shown|displayed|accessed|downloaded|"
    r"retrieved|processed)|"
    r"(?:do not|don't) have (?:the )?(?:permission|access|right)|was deleted|is missing|konnte nicht|"
    r"not (?:logged|signed) in|(?:have been|are) (?:logged|signed) out|must (?:be (?:logged|signed)|log|sign) in|"
    r"nicht gefunden|nicht (?:mehr )?verf\u00fcgbar|nicht angemeldet|abgelaufen|n'existe (?:pas|plus)|expir\u00e9e?|"
    r"no existe|no encontrad[oa]|caducad[oa]|invalid)"
)
_PHRASE = re.compile(
    rf"\b(?:{_SUBJECTS}\b.{{0,80}}?\b{_VERDICTS}|no such (?:file|key|document)|"
    r"(?:an|internal|unexpected|session|server|system|application|runtime) error\b|error (?:has )?occurred|"
    r"fehler (?:ist )?aufgetreten|(?:ist|es trat) ein .{0,30}?fehler\b|erreur (?:est |s'est )?(?:survenue|produite)|"
    r"(?:produjo|ocurrido|ocurri\u00f3|verificato|ocorreu) (?:un|um) error[eo]?\b|ocorreu um erro|fout opgetreden|"
    r"wyst\u0105pi\u0142 b\u0142\u0105d|do\u0161lo k chyb\u011b|hiba t\u00f6rt\u00e9nt|"
    r"fel (?:har )?(?:uppst\u00e5tt|intr\u00e4ffat)|"
    r"opstod en fejl|oppstod en feil|hata olu\u015ftu|"
    r"(?:please )?(?:try again|retry)(?: (?:again|later|in a (?:few|couple of) minutes))*\W*$|erneut versuchen\W*$|"
    r"(?:file|document|attachment)\b.{0,40}\b(?:has been|was|were|is) (?:removed|deleted|quarantined|blocked)|"
    r"request (?:was |is )?(?:unsuccessful|rejected)|(?:requested )?url was rejected|"
    r"(?:support|incident|ray) id(?: is)?\s?:|"
    r"you have exceeded|(?:limit|quota) (?:has been |was )?(?:exceeded|reached)\W*$|n\u00e3o est\u00e1 dispon\u00edvel|"
    r"(?:datei|dokument|zugriff|anhang|anlage|beleg)\b.{0,60}\b(?:verweigert|gel\u00f6scht|gesperrt|entfernt)\b|"
    r"(?:dokument|plik)\b.{0,40}\b(?:niedost\u0119pny|usuni\u0119ty)|"
    r"(?:document|fichier)\b.{0,40}\bsupprim\u00e9|contact (?:your|the|our|an) (?:system )?administrator|"
    r"upstream connect error|default backend - 404|enable java ?script\b|maximum execution time of|"
    r"sie haben keine berechtigung|n'avez pas acc\u00e8s|no tiene (?:permiso|acceso)|non hai accesso|"
    r"wenden sie sich an (?:ihren|den) administrator|"
    r"(?:please |you must |you need to )(?:log|sign) in\b|bitte (?:melden sie sich|erneut)? ?an(?:melden)?\b|"
    rf"{_STATES}\W*$)"
    r"|(?:\u4e0d\u5b58\u5728|\u672a\u627e\u5230|\u65e0\u6cd5\u8bbf\u95ee|\u898b\u3064\u304b\u308a\u307e\u305b\u3093|"
    r"\u30a8\u30e9\u30fc\u304c\u767a\u751f|\ucc3e\uc744 \uc218 \uc5c6|"
    r"(?:\u53d1\u751f|\u767c\u751f)(?:\u9519\u8bef|\u932f\u8aa4)|\u51fa\u9519|"
    r"\uc624\ub958\uac00 \ubc1c\uc0dd|\u043f\u0440\u043e\u0438\u0437\u043e\u0448\u043b\u0430 "
    r"\u043e\u0448\u0438\u0431\u043a\u0430|"
    r"\u5df2\u8fc7\u671f|\u91cd\u65b0\u767b\u5f55|\u6ca1\u6709\u6743\u9650|\u767b\u5f55\u8d85\u65f6|"
    r"\u671f\u9650\u304c\u5207\u308c|\u62d2\u5426\u3055\u308c\u307e\u3057\u305f|"
    r"\u6a29\u9650\u304c\u3042\u308a\u307e\u305b\u3093|\ub9cc\ub8cc\ub418\uc5c8|\uad8c\ud55c\uc774 \uc5c6|"
    r"\u0434\u043e\u0441\u0442\u0443\u043f \u0437\u0430\u043f\u0440\u0435\u0449[\u0435\u0451]\u043d|"
    r"\u0441\u0435\u0441\u0441\u0438\u044f \u0438\u0441\u0442\u0435\u043a\u043b\u0430|"
    r"\u043d\u0435 \u0441\u0443\u0449\u0435\u0441\u0442\u0432\u0443\u0435\u0442|"
    r"\u6743\u9650\u4e0d\u8db3|\u7cfb\u7edf\u9519\u8bef|\u043d\u0435 \u043d\u0430\u0439\u0434\u0435\u043d|"
    r"^\s*(?:\u041e\u0448\u0438\u0431\u043a\u0430|\u30a8\u30e9\u30fc)\b)",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"\s*(?:\w+\s+){0,3}?(?:[\w$]+\.){0,12}\w*(?:error|exception|failure)\b\s*(?:$|[:!.\-\d])", re.IGNORECASE
)
_CODED = re.compile(r"\s*(?:ORA|PLS|SQLSTATE|SQL)\W?\d{3,5}\b")
_NOTHING = re.compile(r"\W*(?:null|undefined|none|nil|false|nan|object object)\W*", re.IGNORECASE)
#: Error names in camel case.
_JOINED = re.compile(r"([a-z])([A-Z])")
_TRACE = re.compile(
    r"\s*(?:traceback \(most recent call last\)|(?:exception in thread .{0,80}?)?(?:[\w$]{1,80}\.){0,12}"
    r"\w{0,80}(?:exception|error)\b.{0,2000}?\n\s+(?:at|in|by) )",
    re.IGNORECASE,
)


def starts_as_error(text: str) -> bool:
    """Whether a text begins like an error message."""
    return bool(_ERROR_START.match(text))


def is_error_title(text: str) -> bool:
    """Whether the title of a page is that of an error page."""
    return starts_as_error(text) or bool(_TITLE_START.match(text))


def contains_error(text: str) -> bool:
    """Whether a short text has a statement that something failed or is unavailable."""
    return bool(_PHRASE.search(text) or _NOTE.match(text))


def is_error_note(text: str) -> bool:
    """Whether a text of a line or two is only an error message."""
    words = _JOINED.sub(r"\1 \2", text).replace("_", " ")
    return (
        bool(_NOTHING.fullmatch(text) or _NOTHING.fullmatch(words) or _CODED.match(text))
        or starts_as_error(words)
        or contains_error(words)
    )


def is_stack_trace(text: str) -> bool:
    """Whether a text is a stack trace of a program."""
    return bool(_TRACE.match(text[:4096]))
