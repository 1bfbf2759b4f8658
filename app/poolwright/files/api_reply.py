"""Recognizes errors and status messages in JSON and XML that a portal sends in place of a file.

Both are told by the same keys. An error has keys that nothing else has, or no keys but those of a message and words of
an error in them; what says that all is well, that one is to wait, or where to go on, is no file either.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import cast

from poolwright.files.data_tree import DataTree, innermost, is_wrapper, parse_json, parse_xml, unwrap
from poolwright.files.error_text import is_error_note

#: Media types that say it themselves.
ERROR_MEDIA_TYPES = frozenset({"application/problem+json", "application/problem+xml"})


class ApiReply(Enum):
    """What a JSON or XML reply is, if it is not a file."""

    ERROR = auto()
    #: The file is still being made.
    PENDING = auto()
    #: The file, or a login, is to be had elsewhere.
    ELSEWHERE = auto()
    #: Nothing but that all is well, or nothing at all.
    STATUS = auto()


_NOTE_MAX_CHARS = 400
_BAD_STATUS_MIN = 400
#: What says no more than this is a message, whatever its keys.
_SHORT_KEYS = 3
#: An element of a document may be called an error, too; one of an answer stands beside few others.
_FEW_KEYS = 6
#: A list of errors is short.
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
_SUCCESS_KEYS = ("success", "ok", "succeeded", "issuccess", "successful", "issuccessful")
_VERDICT_KEYS = ("status", "result", "outcome", "type", "state", "stat")
_FAILED = frozenset(
    {"error", "fail", "failed", "failure", "exception", "unauthorized", "forbidden", "denied", "nok", "ko", "ng"}
    | {"rejected", "expired", "notfound", "invalid"}
)
_GOOD = frozenset(
    {"ok", "success", "succeeded", "successful", "done", "complete", "completed", "true", "200", "finished"}
)
_UNDER_WAY = frozenset(
    {"pending", "processing", "queued", "running", "inprogress", "preparing", "generating", "started", "accepted"}
    | {"scheduled", "waiting", "submitted", "inqueue", "working", "202"}
)
#: Said of a session or a file: not so, and so.
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
_STATUS_KEYS = ("status", "statuscode", "code", "httpstatus", "httpcode")
_TEXT_KEYS = frozenset(
    {"message", "msg", "detail", "details", "title", "description", "reason", "text", "statustext", "info", "hint"}
)
#: All that an error says; data of a document has other keys.
_MESSAGE_KEYS = (
    _TEXT_KEYS
    | frozenset({*_STATUS_KEYS, *_VERDICT_KEYS, *_SUCCESS_KEYS})
    | frozenset({"timestamp", "time", "path", "instance", "trace", "traceid", "requestid", "method", "url", "data"})
)
#: What is told, beside a message, of work that is still to be done.
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
#: Values that tell nothing.
_NOTHING: tuple[object, ...] = ("", [], {})
_SIMPLE_ROOTS = frozenset({"fault", "faultresponse", "problem"})
_ROOT = re.compile(
    r"\s*(?:<\?[^>]{0,500}\?>\s*|<!--.{0,500}?-->\s*|<!doctype\s[^>\[]{0,500}>\s*)*<(?:[\w.-]{1,60}:)?([\w.-]{1,60})",
    re.DOTALL | re.IGNORECASE,
)
_ERROR_ROOT = re.compile(
    r"[\w.-]{0,40}(?:error|exception)s?(?:response|result|message|report|info|details?|list)?"
    r"|[\w.-]{0,40}fault(?:response|detail)?s?"
)
_SOAP_FAULT = re.compile(r"<(?:[\w.-]{1,60}:)?fault\b", re.IGNORECASE)
#: Procurement's own protocol answers with a status; a document in it is a request.
_CXML_STATUS = re.compile(r"<status\b[^>]{0,300}?\bcode\s*=\s*[\"'][45]\d\d", re.IGNORECASE)


def classify_json(text: str) -> ApiReply | None:
    """Classify JSON as a reply, or as a list of errors only; None if it may be a file."""
    told = parse_json(text)
    if not isinstance(told, list):
        return _answer(told, is_element=False)
    entries = cast("list[object]", told)
    if not entries:
        return ApiReply.STATUS
    found = [_answer(entry, is_element=False) for entry in entries[: _ERRORS_MAX + 1]]
    return ApiReply.ERROR if len(found) <= _ERRORS_MAX and set(found) == {ApiReply.ERROR} else None


def classify_xml(text: str) -> ApiReply | None:
    """Classify XML as a reply by its root and content; None if it may be a file."""
    root = _ROOT.match(text)
    if root is None:
        return None
    name = root[1].lower()
    if _is_known_fault(name, text):
        return ApiReply.ERROR
    told = None if name == "cxml" else parse_xml(text)
    return _element_answer(name, told) if told else None


def _element_answer(name: str, told: DataTree) -> ApiReply | None:
    """What an element is: one that only wraps an answer, or a document, which may hold something called an error."""
    if _is_error_text(innermost(told)):
        return ApiReply.ERROR
    content = next(iter(told.values()))
    if is_wrapper(name):
        return _answer(content, is_element=True)
    layer = next(unwrap(content), None)
    return ApiReply.ERROR if layer and _is_small(layer) and _names_error(layer) else None


def _is_known_fault(root: str, text: str) -> bool:
    """Whether XML is an error of a protocol that has its own name for it."""
    match root:
        case "cxml":
            return "<response" in text.lower() and bool(_CXML_STATUS.search(text))
        case "envelope":
            return bool(_SOAP_FAULT.search(text))
        case _:
            return root in _SIMPLE_ROOTS or bool(_ERROR_ROOT.fullmatch(root))


def _answer(told: object, *, is_element: bool) -> ApiReply | None:
    layers = list(unwrap(told))
    if any(_is_fault(layer, is_element=is_element) for layer in layers):
        return ApiReply.ERROR
    return _less_than_a_file(layers[-1], is_element=is_element) if layers else None


def _less_than_a_file(found: DataTree, *, is_element: bool) -> ApiReply | None:
    """What a message without an error is, if it is nothing else."""
    if len(found) <= _SHORT_KEYS and any(_is_place(found.get(key)) for key in _PLACE_KEYS):
        return ApiReply.ELSEWHERE
    verdicts = {_word(found[key]) for key in (*_VERDICT_KEYS, *_STATUS_KEYS) if key in found}
    if found.keys() <= _MESSAGE_KEYS | _WORK_KEYS and verdicts & _UNDER_WAY:
        return ApiReply.PENDING
    is_good = bool(verdicts & _GOOD) or any(_is(found.get(key), "true") for key in _SUCCESS_KEYS)
    is_empty = not is_element and all(value is None or value in _NOTHING for value in found.values())
    return ApiReply.STATUS if is_empty or (is_good and found.keys() <= _MESSAGE_KEYS - {"data"}) else None


def _is_small(found: DataTree) -> bool:
    """Whether few elements stand beside each other."""
    counts = (len(cast("list[object]", value)) if isinstance(value, list) else 1 for value in found.values())
    return sum(counts) <= _FEW_KEYS


def _is_place(value: object) -> bool:
    return isinstance(value, str) and bool(_PLACE.fullmatch(value.strip()))


def _word(value: object) -> str:
    return str(value).lower().replace("_", "").replace(" ", "")


def _is_fault(found: DataTree, *, is_element: bool) -> bool:
    may_name = not is_element or _is_small(found)
    if (may_name and _names_error(found)) or (found.keys() <= _MESSAGE_KEYS and _reads_as_error(found)):
        return True
    if len(found) > _SHORT_KEYS:
        return False
    return _is_refusal(found) or any(_is_error_text(value) for value in found.values())


def _names_error(found: DataTree) -> bool:
    """By a key that nothing but an error has; a number with a fraction is a measured one."""
    errors = [found[key] for key in _ERROR_KEYS & found.keys()]
    return (
        any(
            one and not isinstance(one, float) and not (isinstance(one, str) and one.strip().lower() in _NO_ERROR)
            for one in errors
        )
        or any(_is(found.get(key), "false") for key in _SUCCESS_KEYS)
        or any(map(_reports_failure, found, found.values()))
    )


def _reports_failure(key: str, value: object) -> bool:
    """Whether a longer name ends as that of an error does and holds one, or a message says that something failed."""
    if isinstance(value, dict):
        return key.endswith(("error", "fault", "exception"))
    return key.endswith(("message", "msg")) and _word(value) in _FAILED


def _is_refusal(found: DataTree) -> bool:
    """Whether a message says of the session or the file that there is none."""
    is_denied = any(_is(found.get(key), "false") for key in _DENIED_KEYS)
    return is_denied or any(_is(found.get(key), "true") for key in _LOST_KEYS)


def _is(value: object, word: str) -> bool:
    return str(value).lower() == word


def _reads_as_error(found: DataTree) -> bool:
    if any(_word(found.get(key, "")) in _FAILED for key in _VERDICT_KEYS):
        return True
    status = next((str(found[key]) for key in _STATUS_KEYS if key in found), "")
    is_bad = status.isascii() and status.isdecimal() and int(status[:9]) >= _BAD_STATUS_MIN
    if is_bad and _TEXT_KEYS & found.keys():
        return True
    return any(_is_error_text(value) for value in found.values())


def _is_error_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _NOTE_MAX_CHARS and is_error_note(value)
