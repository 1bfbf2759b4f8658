"""What an interface for programs answers in place of a file: errors in JSON and XML, told by their form. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypeAlias, cast

from app.archive.error_words import is_error_note

#: Media types that say it themselves.
FAULT_TYPES = frozenset({"application/problem+json", "application/problem+xml"})
_NOTE_MAX_CHARS = 400
_BAD_STATUS_MIN = 400
#: What says no more than this is a message, whatever its keys.
_SHORT_KEYS = 3
#: A list of errors is short.
_ERRORS_MAX = 10
_Told: TypeAlias = Mapping[str, object]
_ERROR_KEYS = frozenset(
    {
        "error",
        "errors",
        "exception",
        "fault",
        "errorcode",
        "errormessage",
        "errormsg",
        "errordescription",
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
    }
)
_SUCCESS_KEYS = ("success", "ok", "succeeded", "issuccess", "successful")
_VERDICT_KEYS = ("status", "result", "outcome", "type", "state")
_FAILED = frozenset({"error", "fail", "failed", "failure", "exception", "unauthorized", "forbidden", "denied"})
_STATUS_KEYS = ("status", "statuscode", "code", "httpstatus")
_TEXT_KEYS = frozenset({"message", "msg", "detail", "details", "title", "description", "reason", "text"})
#: All that an error says; data of a document has other keys.
_MESSAGE_KEYS = (
    _TEXT_KEYS
    | frozenset({*_STATUS_KEYS, *_VERDICT_KEYS, *_SUCCESS_KEYS})
    | frozenset({"timestamp", "time", "path", "instance", "trace", "traceid", "requestid", "method", "url", "data"})
)
_TAGS = re.compile(r"<[^<>]*>")
_SIMPLE_ROOTS = frozenset({"fault", "faultresponse", "problem"})
_ROOT = re.compile(
    r"\s*(?:<\?[^>]{0,500}\?>\s*|<!--.{0,500}?-->\s*|<!doctype\s[^>\[]{0,500}>\s*)*<(?:[\w.-]{1,60}:)?([\w.-]{1,60})",
    re.DOTALL | re.IGNORECASE,
)
_ERROR_ROOT = re.compile(r"[\w.-]{0,40}(?:error|exception)s?(?:response|result|message|report|info|details?|list)?")
_SOAP_FAULT = re.compile(r"<(?:[\w.-]{1,60}:)?fault\b", re.IGNORECASE)
#: Procurement's own protocol answers with a status; a document in it is a request.
_CXML_STATUS = re.compile(r"<status\b[^>]{0,300}?\bcode\s*=\s*[\"'][45]\d\d", re.IGNORECASE)
_REPLY_ROOTS = frozenset({"response", "result", "reply", "return", "apiresponse", "restresponse", "rsp", "status"})
_REPLY_MAX_CHARS = 4000
_FAILED_REPLY = re.compile(
    r"<(?:\w{1,30}:)?(?:status|result|code|statuscode|success|ok|outcome)>\s*(?:error|fail(?:ed|ure)?|false|[45]\d\d)\s*<|"
    r"^[^>]{0,300}?\b(?:status|stat|result|success)\s*=\s*[\"'](?:error|fail(?:ed|ure)?|false)\b|"
    r"<(?:\w{1,30}:)?(?:error|exception|fault)s?\b[^>]{0,200}[^>/]?>\s*[^\s<]",
    re.IGNORECASE,
)


def is_json_fault(text: str) -> bool:
    """Whether JSON is an error: one, or a list of nothing else."""
    try:
        told: object = json.loads(text)
    except (ValueError, RecursionError):
        return False
    entries = cast("list[object]", told) if isinstance(told, list) else [told]
    return 0 < len(entries) <= _ERRORS_MAX and all(_is_fault(entry) for entry in entries)


def _is_fault(told: object) -> bool:
    if not isinstance(told, dict):
        return False
    entry = cast("dict[object, object]", told)
    found = {str(key).lower().replace("_", "").replace("-", ""): value for key, value in entry.items()}
    if _names_error(found) or (found.keys() <= _MESSAGE_KEYS and _reads_as_error(found)):
        return True
    return len(found) <= _SHORT_KEYS and any(_is_error_text(value) for value in found.values())


def _names_error(found: _Told) -> bool:
    """By a key that nothing but an error has; a number with a fraction is a measured one."""
    errors = [found[key] for key in _ERROR_KEYS & found.keys()]
    return any(one and not isinstance(one, float) for one in errors) or any(
        str(found.get(key, "")).lower() == "false" for key in _SUCCESS_KEYS
    )


def _reads_as_error(found: _Told) -> bool:
    if any(str(found.get(key, "")).lower() in _FAILED for key in _VERDICT_KEYS):
        return True
    status = next((str(found[key]) for key in _STATUS_KEYS if key in found), "")
    is_bad = status.isascii() and status.isdecimal() and int(status[:9]) >= _BAD_STATUS_MIN
    if is_bad and _TEXT_KEYS & found.keys():
        return True
    return any(_is_error_text(value) for value in found.values())


def _is_error_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _NOTE_MAX_CHARS and is_error_note(value)


def is_xml_fault(text: str) -> bool:
    """Whether XML is an error, by its root and what stands at its beginning."""
    root = _ROOT.match(text)
    if root is None:
        return False
    name = root[1].lower()
    if name in _SIMPLE_ROOTS or _ERROR_ROOT.fullmatch(name):
        return True
    match name:
        case "envelope":
            return bool(_SOAP_FAULT.search(text))
        case "cxml":
            return "<response" in text.lower() and bool(_CXML_STATUS.search(text))
        case "string":  # how services of one great maker wrap what they say
            return is_error_note(_TAGS.sub(" ", text).strip()[:_NOTE_MAX_CHARS])
        case _:
            is_reply = name in _REPLY_ROOTS and len(text) <= _REPLY_MAX_CHARS
            return is_reply and bool(_FAILED_REPLY.search(text[root.end() :]))
