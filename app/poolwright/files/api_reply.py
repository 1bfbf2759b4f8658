"""Recognizes errors and status messages in JSON and XML that a portal sends in place of a file.

Both are recognized by the same keys. An error has keys that no document has, or only keys of a message whose text is an
error. Replies of success, of work in progress, and with a link to another address are no files either.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import cast

from poolwright.files.data_tree import DataTree, innermost, is_wrapper, parse_json, parse_xml, unwrap
from poolwright.files.error_text import is_error_note
from poolwright.files.message_list import is_error_row, reports_error

#: Media types of error replies.
ERROR_MEDIA_TYPES = frozenset({"application/problem+json", "application/problem+xml"})


class ApiReply(Enum):
    """The kind of a JSON or XML reply that is not a file."""

    ERROR = auto()
    #: The file is still being created.
    PENDING = auto()
    #: A link to the file, or to a login, at another address.
    ELSEWHERE = auto()
    #: Only a success status, or empty.
    STATUS = auto()


_NOTE_MAX_CHARS = 400
_BAD_STATUS_MIN = 400
#: A reply with at most this many keys is a message, whatever its keys are.
_SHORT_KEYS = 3
#: An element of a document may have an error name, too; in a reply it has at most this many siblings.
_FEW_KEYS = 6
#: Longest list of errors.
_ERRORS_MAX = 10
_ERROR_KEYS = frozenset(
    {
        "error",
        "errors",
        "exception",
        "fault",
        "err",
        "errorcode",
        "errormessage",
        "errormessages",
        "errormsg",
        "errortext",
        "errordescription",
        "errordetails",
        "errorinfo",
        "errorid",
        "errno",
        "iserror",
        "haserror",
        "haserrors",
        "errortype",
        "errordetail",
        "errorsummary",
        "errorlist",
        "stacktrace",
        "errcode",
        "errmsg",
        "exceptionmessage",
        "exceptiontype",
        "faultcode",
        "faultstring",
        "fehler",
        "fehlermeldung",
        "erreur",
        "errore",
        "erro",
    }
)
_NO_ERROR = frozenset({"", "0", "false", "no", "none", "null", "nil", "[]", "{}"})
_SUCCESS_KEYS = ("success", "ok", "succeeded", "issuccess", "successful", "issuccessful", "erfolg", "sucesso", "exito")
_VERDICT_KEYS = ("status", "result", "outcome", "type", "state", "stat", "estado", "stato", "statut", "resultado")
#: How a key of success says no.
_NO = frozenset({"0", "n", "no", "nein"})
_FAILED = frozenset(
    {"error", "fail", "failed", "failure", "exception", "unauthorized", "forbidden", "denied", "nok", "ko", "ng"}
    | {"rejected", "expired", "notfound", "invalid", "fehler", "erreur", "errore", "erro", "fehlgeschlagen"}
)
_GOOD = frozenset(
    {"ok", "success", "succeeded", "successful", "done", "complete", "completed", "true", "200", "finished"}
)
_UNDER_WAY = frozenset(
    {"pending", "processing", "queued", "running", "inprogress", "preparing", "generating", "started", "accepted"}
    | {"scheduled", "waiting", "submitted", "inqueue", "working", "202"}
)
#: Keys about a session or a file: an error if false, and an error if true.
_DENIED_KEYS = frozenset(
    {"loggedin", "isloggedin", "authenticated", "isauthenticated", "authorized", "isauthorized"}
) | {
    "found",
    "exists",
    "available",
    "isavailable",
    "allowed",
    "hasaccess",
    "sessionvalid",
}
_LOST_KEYS = frozenset({"sessionexpired", "sessiontimeout", "expired", "timeout", "timedout", "loginrequired"}) | {
    "requireslogin",
    "notfound",
    "unauthorized",
    "forbidden",
    "denied",
    "accessdenied",
    "failed",
    "maintenance",
}
_STATUS_KEYS = ("status", "statuscode", "code", "httpstatus", "httpcode", "ret", "retcode", "returncode", "resultcode")
_NEGATIVE = re.compile(r"-\d{1,9}")
#: The namespace in front of the name of an error. In a sentence the sign stands before a number: ``Reference #17``.
_NAMESPACE = re.compile(r"\A[\w.:/-]{1,200}#")
#: Letters that result codes use for an error or a failure.
_BAD_LETTERS = frozenset({"e", "f", "err"})
#: The type of a problem report (RFC 9457), which names the kind of problem by an address.
_PROBLEM_TYPE = re.compile(r"(?:https?:/)?/\S+|urn:\S+|about:blank", re.IGNORECASE)
_PROBLEM_KEYS = frozenset({"type", "title", "status", "detail", "instance"})
_TEXT_KEYS = frozenset(
    {"message", "msg", "detail", "details", "title", "description", "reason", "text", "statustext", "info", "hint"}
    | {"meldung", "mensaje", "mensagem", "messaggio", "resultmsg", "resultmessage", "statusmessage", "returnmessage"}
    | {"returnmsg", "retmsg", "__type"}
)
#: All keys of messages; data of a document has others.
_MESSAGE_KEYS = (
    _TEXT_KEYS
    | frozenset({*_STATUS_KEYS, *_VERDICT_KEYS, *_SUCCESS_KEYS})
    | frozenset({"timestamp", "time", "path", "instance", "trace", "traceid", "requestid", "method", "url", "data"})
)
#: Keys of a message about work in progress.
_WORK_KEYS = frozenset(
    {"id", "jobid", "job", "taskid", "task", "ticket", "progress", "percent", "eta", "retryafter"}
) | {
    "exportid",
    "queueposition",
    "position",
    "estimatedtime",
}
_PLACE_KEYS = frozenset(
    {"redirect", "redirecturl", "redirecturi", "redirectto", "location", "loginurl", "login", "forward", "url", "href"}
    | {"link", "downloadurl", "downloadlink", "fileurl", "signedurl", "presignedurl", "uri"}
)
_PLACE = re.compile(r"(?:https?:/)?/\S+", re.IGNORECASE)
#: Empty values.
_NOTHING: tuple[object, ...] = ("", [], {})
#: A reply of Java Server Faces to its own scripts, which is never a document.
_SCRIPT_ROOT = "partial-response"
_SIMPLE_ROOTS = frozenset({"fault", "faultresponse", "problem"})
_ROOT = re.compile(
    r"\s*(?:<\?[^>]{0,500}\?>\s*|<!--.{0,500}?-->\s*|<!doctype\s[^>\[]{0,500}>\s*)*<(?:[\w.-]{1,60}:)?([\w.-]{1,60})",
    re.DOTALL | re.IGNORECASE,
)
_ERROR_ROOT = re.compile(
    r"fehler(?:meldung)?|erreur|errore|[\w.-]{0,40}(?:error|exception)s?(?:response|result|message|report|info|details?|list)?"
    r"|[\w.-]{0,40}fault(?:response|detail)?s?"
)
_SOAP_FAULT = re.compile(r"<(?:[\w.-]{1,60}:)?fault\b", re.IGNORECASE)
#: cXML replies have a status; a document in cXML is a request.
_CXML_STATUS = re.compile(r"<status\b[^>]{0,300}?\bcode\s*=\s*[\"'][45]\d\d", re.IGNORECASE)


def classify_json(text: str) -> ApiReply | None:
    """Classify JSON as a reply, or as a list of errors only; ``None`` if it may be a file."""
    data = parse_json(text)
    if not isinstance(data, list):
        return _answer(data, is_element=False)
    entries = cast("list[object]", data)
    if not entries:
        return ApiReply.STATUS
    if len(entries) <= _SHORT_KEYS and all(isinstance(entry, str) for entry in entries):
        return ApiReply.ERROR if _is_error_text(entries[0]) else None
    if is_error_row(entries):
        return ApiReply.ERROR
    replies = [
        ApiReply.ERROR if is_error_row(entry) else _answer(entry, is_element=False)
        for entry in entries[: _ERRORS_MAX + 1]
    ]
    return ApiReply.ERROR if len(replies) <= _ERRORS_MAX and set(replies) == {ApiReply.ERROR} else None


def classify_xml(text: str) -> ApiReply | None:
    """Classify XML as a reply by its root and content; ``None`` if it may be a file."""
    root = _ROOT.match(text)
    if root is None:
        return None
    name = root[1].lower()
    if _is_known_fault(name, text):
        return ApiReply.ERROR
    if name == _SCRIPT_ROOT:
        return ApiReply.ELSEWHERE if "<redirect" in text else ApiReply.STATUS
    tree = None if name == "cxml" else parse_xml(text)
    return _element_answer(name, tree) if tree else None


def _element_answer(name: str, tree: DataTree) -> ApiReply | None:
    """Classify an element: it wraps a reply, or it is a document, which may contain an element with an error name."""
    if _is_error_text(innermost(tree)) or reports_error(tree):
        return ApiReply.ERROR
    if name in _PLACE_KEYS and _is_place(innermost(tree)):
        return ApiReply.ELSEWHERE
    content = next(iter(tree.values()))
    if is_wrapper(name):
        return _answer(content, is_element=True)
    layer = next(unwrap(content), None)
    return ApiReply.ERROR if layer and _is_small(layer) and _names_error(layer) else None


def _is_known_fault(root: str, text: str) -> bool:
    """Whether XML is an error in the form of a known protocol."""
    match root:
        case "cxml":
            return "<response" in text.lower() and bool(_CXML_STATUS.search(text))
        case "envelope":
            return bool(_SOAP_FAULT.search(text))
        case _:
            return root in _SIMPLE_ROOTS or bool(_ERROR_ROOT.fullmatch(root))


def _answer(data: object, *, is_element: bool) -> ApiReply | None:
    layers = list(unwrap(data))
    if any(_is_fault(layer, is_element=is_element) for layer in layers):
        return ApiReply.ERROR
    return _less_than_a_file(layers[-1], is_element=is_element) if layers else None


def _less_than_a_file(reply: DataTree, *, is_element: bool) -> ApiReply | None:
    """Classify a message without an error; ``None`` if it may be a file."""
    if len(reply) <= _SHORT_KEYS and any(_is_place(reply.get(key)) for key in _PLACE_KEYS):
        return ApiReply.ELSEWHERE
    verdicts = {_word(reply[key]) for key in (*_VERDICT_KEYS, *_STATUS_KEYS) if key in reply}
    if reply.keys() <= _MESSAGE_KEYS | _WORK_KEYS and verdicts & _UNDER_WAY:
        return ApiReply.PENDING
    is_good = bool(verdicts & _GOOD) or any(_is(reply.get(key), "true") for key in _SUCCESS_KEYS)
    is_empty = not is_element and all(value is None or value in _NOTHING for value in reply.values())
    return ApiReply.STATUS if is_empty or (is_good and reply.keys() <= _MESSAGE_KEYS - {"data"}) else None


def _is_small(reply: DataTree) -> bool:
    """Whether an element has few children."""
    counts = (len(cast("list[object]", value)) if isinstance(value, list) else 1 for value in reply.values())
    return sum(counts) <= _FEW_KEYS


def _is_place(value: object) -> bool:
    return isinstance(value, str) and bool(_PLACE.fullmatch(value.strip()))


def _word(value: object) -> str:
    return str(value).lower().replace("_", "").replace(" ", "")


def _is_fault(reply: DataTree, *, is_element: bool) -> bool:
    if reports_error(reply) or _is_problem(reply):
        return True
    may_name = not is_element or _is_small(reply)
    if (may_name and _names_error(reply)) or (reply.keys() <= _MESSAGE_KEYS and _reads_as_error(reply)):
        return True
    if len(reply) > _SHORT_KEYS:
        return False
    return _is_refusal(reply) or any(_is_error_text(value) for value in reply.values())


def _is_problem(reply: DataTree) -> bool:
    """Whether a reply is a problem report of RFC 9457."""
    kind = reply.get("type")
    is_named = isinstance(kind, str) and bool(_PROBLEM_TYPE.fullmatch(kind))
    return is_named and bool(reply.get("title")) and reply.keys() <= _PROBLEM_KEYS | _MESSAGE_KEYS


def _names_error(reply: DataTree) -> bool:
    """Whether a reply has a key that only errors have; a number with a fraction is a measurement, no error."""
    errors = [reply[key] for key in _ERROR_KEYS & reply.keys()]
    return (
        any(
            value
            and not isinstance(value, float)
            and not (isinstance(value, str) and value.strip().lower() in _NO_ERROR)
            for value in errors
        )
        or any(_is(reply.get(key), "false") for key in _SUCCESS_KEYS)
        or any(map(_reports_failure, reply, reply.values()))
    )


def _reports_failure(key: str, value: object) -> bool:
    """Whether a key ends like an error's and has an object or texts, or is a message with the word of a failure."""
    if isinstance(value, list):
        is_told = any(isinstance(entry, str | dict) for entry in cast("list[object]", value))
        return is_told and key.endswith(("errors", "faults", "exceptions"))
    if isinstance(value, dict):
        return key.endswith(("error", "fault", "exception"))
    return key.endswith(("message", "msg")) and _word(value) in _FAILED


def _is_refusal(reply: DataTree) -> bool:
    """Whether a message reports that the session or the file is missing."""
    is_denied = any(_is(reply.get(key), "false") for key in _DENIED_KEYS)
    return is_denied or any(_is(reply.get(key), "true") for key in _LOST_KEYS)


def _is(value: object, word: str) -> bool:
    return str(value).lower() == word


def _reads_as_error(reply: DataTree) -> bool:
    if any(_word(reply.get(key, "")) in _FAILED for key in _VERDICT_KEYS):
        return True
    status = next((str(reply[key]) for key in _STATUS_KEYS if key in reply), "")
    is_bad = status.isascii() and status.isdecimal() and int(status[:9]) >= _BAD_STATUS_MIN
    is_bad = is_bad or bool(_NEGATIVE.fullmatch(status)) or _word(status) in _BAD_LETTERS | _FAILED
    if is_bad and (_TEXT_KEYS & reply.keys() or len(reply) == 1):
        return True
    if any(str(reply.get(key)).lower() in _NO for key in _SUCCESS_KEYS):
        return True
    return any(_is_error_text(value) for value in reply.values())


def _is_error_text(value: object) -> bool:
    """Whether a value is an error message, or the name of an error, which may have its namespace in front."""
    return (
        isinstance(value, str) and len(value) <= _NOTE_MAX_CHARS and is_error_note(_NAMESPACE.sub("", value, count=1))
    )
