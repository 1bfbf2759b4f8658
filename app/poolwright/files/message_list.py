"""Recognizes a reply that consists of messages with a severity, at least one of them an error.

Portals send such lists in place of a file: ``{"messages": [{"severity": "ERROR", "text": "..."}]}``, the ``RETURN``
table of SAP, notifications, alerts, the OperationOutcome of FHIR, and the same in XML. A message may also be a list
that begins with its severity, as web frameworks send it: ``{"flash": [["error", "..."]]}``. A document may contain
messages too, but beside other data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from poolwright.files.data_tree import DataTree, fold_keys, innermost
from poolwright.files.error_text import is_error_note

#: Longest list of messages that is a reply; a longer one is a log.
_MESSAGES_MAX = 10
#: How deep the messages lie within elements such as ``<messages><message>``.
_DEPTH = 3
_LIST_KEYS = frozenset(
    {
        "message",
        "messages",
        "messagelist",
        "notification",
        "notifications",
        "alert",
        "alerts",
        "issue",
        "issues",
        "toast",
        "toasts",
        "flash",
        "flashes",
        "flashmessage",
        "flashmessages",
    }
    | {"return", "returns", "bapiret2", "errorlist", "problems", "meldungen", "mensajes", "mensagens", "avisos"}
)
#: Lists of tickets have these names, too, whose severity is that of a defect.
_ISSUE_KEYS, _BAD_ISSUE = frozenset({"issue", "issues"}), frozenset({"error", "fatal"})
_SEVERITY_KEYS = ("severity", "level", "type", "messagetype", "msgtype", "msgty", "category", "status", "kind")
_BAD = frozenset(
    {"error", "err", "fatal", "critical", "severe", "danger", "alert", "emergency", "abort", "failure"}
    | {"fehler", "erreur", "errore", "erro"}
)
#: SAP's letters for an error and an abort, and the keys that have them; the status of a document may be a letter too.
_BAD_LETTERS, _LETTER_KEYS = frozenset({"e", "a"}), frozenset({"severity", "type", "messagetype", "msgtype", "msgty"})
#: The severities of messages that are no error.
_FINE = frozenset({"warning", "warn", "info", "information", "notice", "success", "debug", "hint", "i", "w", "s"}) | {
    "warnung",
    "hinweis",
    "erfolg",
    "avertissement",
    "aviso",
    "avviso",
}
_SEVERITIES = _BAD | _BAD_LETTERS | _FINE
#: Most values of a message that is a list: its severity, and perhaps a code or a field beside its text.
_ROW_MAX = 5
#: Everything else that a message may have; an entry with other keys is data.
_DETAIL_KEYS = frozenset(
    {"text", "message", "msg", "title", "detail", "details", "description", "summary", "code", "id", "number", "msgid"}
    | {"msgno", "messageid", "messagecode", "field", "target", "source", "path", "location", "expression", "timestamp"}
    | {"diagnostics", "logno", "logmsgno", "messagev1", "messagev2", "messagev3", "messagev4", "parameter", "row"}
    | {"system", "lang", "language", "numericseverity", "longtexturl", "meldung", "mensaje", "mensagem", "messaggio"}
)
#: What a reply may have beside its messages.
_BESIDE_KEYS = frozenset(
    {"resourcetype", "id", "status", "code", "success", "timestamp", "time", "path", "requestid", "traceid", "count"}
    | {"correlationid", "total", "version", "text", "result", "data", "xmlns"}
)


def reports_error(reply: DataTree) -> bool:
    """Whether a reply has nothing but messages, one of which is an error.

    Args:
        reply: The reply, with normalized keys.
    """
    lists = [key for key in reply if key in _LIST_KEYS or _are_error_rows(key, reply[key])]
    if len(lists) != 1 or any(not _is_beside(key, value) for key, value in reply.items() if key != lists[0]):
        return False
    name = lists[0]
    if _has_error_text(reply[name]) or _are_error_rows(name, reply[name]):
        return True
    entries, bad = _entries(reply[name]), _BAD_ISSUE if name in _ISSUE_KEYS else _BAD
    is_list = 0 < len(entries) <= _MESSAGES_MAX and all(map(_is_message, entries))
    return is_list and any(_is_bad(entry, bad) for entry in entries)


def is_error_row(entry: object) -> bool:
    """Whether a list is a message by itself: it begins with the word of an error, such as ``["error", "Locked"]``."""
    return _severity_of_row(entry) in _BAD


def _are_error_rows(name: str, node: object) -> bool:
    """Whether all entries of a list are lists that begin with a severity, one of them with that of an error.

    Where the name of the list does not say that it has messages, it may be a log: then all must be errors.
    """
    rows = cast("list[object]", node) if isinstance(node, list) else []
    if not 0 < len(rows) <= _MESSAGES_MAX:
        return False
    if name not in _LIST_KEYS:
        return all(map(is_error_row, rows))
    severities = set(map(_severity_of_row, rows))
    return "" not in severities and bool(severities & (_BAD | _BAD_LETTERS))


def _severity_of_row(entry: object) -> str:
    """Return the severity by which a list of plain values with a text begins; empty if it does not."""
    values = cast("list[object]", entry) if isinstance(entry, list) else []
    if not 1 < len(values) <= _ROW_MAX or any(isinstance(value, Mapping | list) for value in values):
        return ""
    first, *rest = (value.strip().lower() if isinstance(value, str) else "" for value in values)
    has_text = any(char.isalpha() for text in rest for char in text)
    is_of_severities = any(text in _SEVERITIES for text in rest)  # then it enumerates them
    return first if has_text and not is_of_severities and first in _SEVERITIES else ""


def _is_beside(key: str, value: object) -> bool:
    """Whether a value does not make the reply a document: it is empty, or a detail of the reply."""
    return value in (None, "", [], {}) or (key in _BESIDE_KEYS and not isinstance(value, Mapping | list))


def _entries(node: object) -> Sequence[DataTree]:
    """Return the messages of a list, or the one message that is no list; empty if they are something else."""
    for _ in range(_DEPTH):
        if isinstance(node, list):
            entries = cast("list[object]", node)
            are_mappings = all(isinstance(entry, Mapping) for entry in entries)
            return [fold_keys(cast("Mapping[object, object]", entry)) for entry in entries] if are_mappings else []
        if not isinstance(node, Mapping):
            return []
        fields = fold_keys(cast("Mapping[object, object]", node))
        if len(fields) != 1 or next(iter(fields)) not in _LIST_KEYS:
            return [fields]
        node = next(iter(fields.values()))
    return []


def _has_error_text(node: object) -> bool:
    """Whether messages are texts, one of which is an error, or texts below the names of severities."""
    if isinstance(node, Mapping):
        fields = fold_keys(cast("Mapping[object, object]", node))
        bad = fields.keys() & (_BAD | {"errors"})
        return fields.keys() <= _BAD | _FINE | {"errors"} and any(fields[key] for key in bad)
    texts = cast("list[object]", node) if isinstance(node, list) else []
    are_texts = 0 < len(texts) <= _MESSAGES_MAX and all(isinstance(text, str) for text in texts)
    return are_texts and any(is_error_note(str(text)) for text in texts)


def _is_message(entry: DataTree) -> bool:
    return entry.keys() <= _DETAIL_KEYS | set(_SEVERITY_KEYS)


def _is_bad(entry: DataTree, bad: frozenset[str]) -> bool:
    """Whether the severity of a message is one of these words, or one of SAP's letters where the words have none."""
    words = {key: str(innermost(entry[key])).strip().lower() for key in _SEVERITY_KEYS if key in entry}
    letters = _BAD_LETTERS if bad is _BAD else frozenset[str]()
    return any(word in bad or (key in _LETTER_KEYS and word in letters) for key, word in words.items())
